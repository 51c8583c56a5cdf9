/* sip_samples.h - SIP messages as phones send them, for tests and benchmarks. */
#pragma once

/* A first REGISTER of an 8851 without bulk registration: 966 bytes. */
#define SIP_SAMPLE_REGISTER                                                                        \
    "REGISTER sip:cucm1.example.com SIP/2.0\r\n"                                                   \
    "Via: SIP/2.0/UDP 10.10.20.31:5060;branch=z9hG4bK5f0c41aa\r\n"                                 \
    "From: <sip:7001@cucm1.example.com>;tag=00112233445500021b2c3d4e-5f607182\r\n"                 \
    "To: <sip:7001@cucm1.example.com>\r\n"                                                         \
    "Call-ID: 00112233-44550002-1b2c3d4e-5f607182@10.10.20.31\r\n"                                 \
    "Max-Forwards: 70\r\n"                                                                         \
    "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"                                                      \
    "CSeq: 101 REGISTER\r\n"                                                                       \
    "User-Agent: Cisco-CP8851/12.6.1\r\n"                                                          \
    "Contact: <sip:4f1a6b52-93d5-7c1e-8a0b-001122334455@10.10.20.31:5060>;"                        \
    "+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-001122334455>\";"                           \
    "+u.sip!devicename.ccm.cisco.com=\"SEP001122334455\";"                                         \
    "+u.sip!model.ccm.cisco.com=\"684\"\r\n"                                                       \
    "Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,"               \
    "X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,"             \
    "X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1\r\n"  \
    "Reason: SIP;cause=200;text=\"cisco-alarm:25 Name=SEP001122334455 Load=sip88 "                 \
    "Last=initialized\"\r\n"                                                                       \
    "Content-Length: 0\r\n"                                                                        \
    "Expires: 3600\r\n"                                                                            \
    "\r\n"

/* The body of a first REGISTER of loads since 9.x: bulk registration and options. */
#define SIP_SAMPLE_BULK_BODY                                                                       \
    "--uniqueBoundary\r\n"                                                                         \
    "Content-Type: application/x-cisco-remotecc-request+xml\r\n"                                   \
    "Content-Disposition: session;handling=optional\r\n"                                           \
    "\r\n"                                                                                         \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"                                               \
    "<x-cisco-remotecc-request>\r\n"                                                               \
    "<bulkregisterreq>\r\n"                                                                        \
    "<contact all=\"true\">\r\n"                                                                   \
    "<register></register>\r\n"                                                                    \
    "</contact>\r\n"                                                                               \
    "</bulkregisterreq>\r\n"                                                                       \
    "</x-cisco-remotecc-request>\r\n"                                                              \
    "\r\n"                                                                                         \
    "--uniqueBoundary\r\n"                                                                         \
    "Content-Type: application/x-cisco-remotecc-request+xml\r\n"                                   \
    "Content-Disposition: session;handling=optional\r\n"                                           \
    "\r\n"                                                                                         \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"                                               \
    "<x-cisco-remotecc-request>\r\n"                                                               \
    " <optionsind>\r\n"                                                                            \
    "  <combine max=\"6\">\r\n"                                                                    \
    "   <remotecc>\r\n"                                                                            \
    "    <status></status>\r\n"                                                                    \
    "   </remotecc>\r\n"                                                                           \
    "   <service-control></service-control>\r\n"                                                   \
    "  </combine>\r\n"                                                                             \
    "  <dialog usage=\"hook status\">\r\n"                                                         \
    "   <unot></unot>\r\n"                                                                         \
    "   <sub></sub>\r\n"                                                                           \
    "  </dialog>\r\n"                                                                              \
    "  <dialog usage=\"shared line\">\r\n"                                                         \
    "   <unot></unot>\r\n"                                                                         \
    "   <sub></sub>\r\n"                                                                           \
    "  </dialog>\r\n"                                                                              \
    "  <presence usage=\"blf speed dial\">\r\n"                                                    \
    "   <unot></unot>\r\n"                                                                         \
    "   <sub></sub>\r\n"                                                                           \
    "  </presence>\r\n"                                                                            \
    "  <joinreq></joinreq>\r\n"                                                                    \
    "  <cfwdall-anyline>No</cfwdall-anyline>\r\n"                                                  \
    "  <coaching></coaching>\r\n"                                                                  \
    "  <oosalarm></oosalarm>\r\n"                                                                  \
    " </optionsind>\r\n"                                                                           \
    "</x-cisco-remotecc-request>\r\n"                                                              \
    "\r\n"                                                                                         \
    "--uniqueBoundary--"
