/* doctor_text.c - traces, logs and printed captures are told as the stories they are. */
#include "test.h"

#include <stdlib.h>

#include "doctor/report/tell.h"
#include "doctor/retell.h"
#include "doctor/text/text.h"

struct piece {
    const char *at;
    size_t len, step;
};

static ssize_t read_piece(void *context, void *to, size_t size)
{
    struct piece *p = context;
    size_t n = size < p->step ? size : p->step;

    n = n < p->len ? n : p->len;
    memcpy(to, p->at, n);
    p->at += n;
    p->len -= n;
    return (ssize_t)n;
}

static char *report_of_bytes(const char *text, size_t len, struct text_totals *totals)
{
    struct tell_options options = {.verbose = true};
    struct piece piece = {text, len, 1}; /* in the smallest pieces */
    struct timeline *t = timeline_new();
    struct texts *all = texts_new(timeline_see, t, 0);
    struct trace *trace = text_open(all, 0, read_piece, &piece);
    char *report;
    size_t n_ill;

    while (text_step(trace))
        ;
    if (totals)
        *totals = *texts_totals(all);
    timeline_end(t, texts_totals(all)->last_ns);
    report = tell(t, &options, NULL, &n_ill);
    text_close(trace);
    texts_free(all);
    timeline_free(t);
    return report;
}

static char *report_of(const char *text, struct text_totals *totals)
{
    return report_of_bytes(text, strlen(text), totals);
}

static void tells(const char *text, const char *const *parts)
{
    char *report = report_of(text, NULL);
    const char *at = report;

    for (; *parts; parts++) {
        const char *next = strstr(at, *parts);

        if (!next)
            print_message("not told: %s\n%s", *parts, report);
        assert_non_null(next);
        at = next;
    }
    free(report);
}

static void a_printed_trace_is_told_in_its_order(void **state)
{
    static const char text[] =
        "Source\tDest\tSummary\tLen\n"
        "[144.]\t[171.]\tSCCP: MsgLen = 8 StationKeypadButton *\t70\n"
        "[171.]\t[144.]\tTCP: D=51097 S=2000 ACK=1 WIN=16516\t60\n"
        "[144.]\t[171.]\tSCCP: MsgLen = 8 StationKeypadButton *\t70\n"
        "[144.]\t[171.]\tSCCP: MsgLen = 8 StationKeypadButton #\t70\n"
        "[144.]\t[171.]\tSCCP: MsgLen = 8 StationKeypadButton *\t70\n"
        "[144.]\t[171.]\tSCCP: MsgLen = 8 StationKeypadButton *\t70\n"
        "[144.]\t[171.]\tSCCP: MsgLen = 4 StationUnregister\t66\n"
        "[144.]\t[171.]\tTCP: D=2000 S=51097 FIN ACK=9 SEQ=1\t60\n"
        "[171.]\t[144.]\tSCCP: MsgLen = 8 StationUnregisterAck\t70\n"
        "[0.0.]\t[255.]\tDHCP: Request, Message type: DHCP Request\t359\n"
        "[144.]\t[255.]\tDHCP: Reply, Message type: DHCP Ack\t353\n"
        "00112\tBroad\tARP: C PA=[144.254.195.25] PRO=IP\t60\n"
        "00B0C\t00112\tARP: R PA=[144.254.195.25] HA=00B0C2886760 PRO=IP\t60\n"
        "[144.]\t[171.]\tDNS: C ID=13 OP=QUERY NAME=CiscoCM1.example.com\t78\n"
        "[171.]\t[144.]\tDNS: R ID=13 STAT=Name error NAME=CiscoCM1.example.com\t142\n"
        "[144.]\t[171.]\tTFTP: Read request File=OS79XX.TXT\t62\n"
        "[171.]\t[144.]\tTFTP: Data packet NS=1 (Last)\t60\n"
        "[144.]\t[171.]\tTFTP: Ack NR=1\t60\n"
        "[144.]\t[171.]\tTFTP: Read request File=SEP00112233AA01.cnf\t71\n"
        "[171.]\t[144.]\tTFTP: Data packet NS=1 (Last)\t226\n"
        "[144.]\t[171.]\tTCP: D=2000 S=51097 ACK=2 WIN=1000\t60\n";

    tells(text, (const char *const[]){"SEP00112233AA01", "keys pressed: **#**", "unregisters from",
                                      "is unregistered by", "(REQUEST)", "is given its address",
                                      "144.254.195.25 is at 00:b0:c2:88:67:60",
                                      "asks the DNS for CiscoCM1.example.com", "does not exist",
                                      "asks for the file OS79XX.TXT", "has the file OS79XX.TXT",
                                      "has the file SEP00112233AA01.cnf", "sends to",
                                      "left-by-itself", NULL});
}

static void a_printed_trace_may_be_typed_in_any_way(void **state)
{
    static const char *const texts[] = {
        /* a line each cell; columns of a table; commas; a line in two; no brackets, and numbers
           before; capitals; typing errors */
        "[144.]\n[171.]\nSCCP: MsgLen = 4 StationUnregister\n66\n[144.]\n[171.]\nDNS: C ID=13 "
        "OP=QUERY NAME=CiscoCM1.example.com\n78\n"
        "[171.]\n[144.]\nDNS: R ID=13 STAT=Name error "
        "NAME=CiscoCM1.example.com\n142\n[144.]\n[171.]\nTFTP: Read request "
        "File=SEP00112233AA01.cnf\n71\n",
        "| Source | Dest | Summary | Len |\n|---|---|---|---|\n| [144.] | [171.] | SCCP: MsgLen = "
        "4 StationUnregister | 66 |\n"
        "| [144.] | [171.] | DNS: C ID=13 OP=QUERY NAME=CiscoCM1.example.com | 78 |\n"
        "| [171.] | [144.] | DNS: R ID=13 STAT=Name error NAME=CiscoCM1.example.com | 142 |\n"
        "| [144.] | [171.] | TFTP: Read request File=SEP00112233AA01.cnf | 71 |\n",
        "[144.],[171.],SCCP: MsgLen = 4 StationUnregister,66\n[144.],[171.],DNS: C ID=13 OP=QUERY "
        "NAME=CiscoCM1.example.com,78\n"
        "[171.],[144.],DNS: R ID=13 STAT=Name error NAME=CiscoCM1.example.com,142\n"
        "[144.],[171.],TFTP: Read request File=SEP00112233AA01.cnf,71\n",
        "[144.] [171.] SCCP: MsgLen = 4\nStationUnregister 66\n[144.] [171.] DNS: C ID=13 "
        "OP=QUERY\nNAME=CiscoCM1.example.com 78\n"
        "[171.] [144.] DNS: R ID=13 STAT=Name error\nNAME=CiscoCM1.example.com 142\n[144.] [171.] "
        "TFTP: Read request\n"
        "File=SEP00112233AA01.cnf 71\n",
        "1. 144. 171. SCCP MsgLen = 4 StationUnregister\n2. 144. 171. DNS C ID=13 OP=QUERY "
        "NAME=CiscoCM1.example.com\n"
        "3. 171. 144. DNS R ID=13 STAT=Name error NAME=CiscoCM1.example.com\n4. 144. 171. TFTP "
        "Read request "
        "File=SEP00112233AA01.cnf\n",
        "[144.] [171.] sccp: msglen = 4 stationunregister 66\n[144.] [171.] dns: c id=13 op=query "
        "name=CiscoCM1.example.com 78\n"
        "[171.] [144.] dns: r id=13 stat=name error name=CiscoCM1.example.com 142\n[144.] [171.] "
        "tftp: read request "
        "file=sep00112233aa01.cnf 71\n",
        "[144.] [171.] SCPC: MsgLen = 4 StationUnregster 66\n[144.] [171.] DSN: C ID=13 OP=QUERY "
        "NAME=CiscoCM1.example.com 78\n"
        "[171.] [144.] DNS: R ID=13 STAT=Name eror NAME=CiscoCM1.example.com 142\n[144.] [171.] "
        "TFTP: Read requst "
        "File=SEP00112233AA01.cnf 71\n"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        tells(texts[i],
              (const char *const[]){"00:11:22:33:aa:01", "unregisters from",
                                    "asks the DNS for CiscoCM1.example.com", "does not exist",
                                    "asks for the file", "ended: the phone unregistered", NULL});
}

static void a_text_without_times_tells_none(void **state)
{
    char *report = report_of("[144.] [171.] SCCP: MsgLen = 4 StationUnregister 66\n"
                             "[171.] [144.] SCCP: MsgLen = 8 StationUnregisterAck 70\n"
                             "[0.0.] [255.] DHCP: Request, Message type: DHCP Request 359\n"
                             "[144.] [171.] TFTP: Read request File=SEP00112233AA01.cnf 71\n",
                             NULL);

    assert_non_null(strstr(report, "line 1: the first packet of the phone"));
    assert_null(strstr(report, "00:00:00"));
    assert_null(strstr(report, "0.0.0.0"));
    assert_null(strstr(report, "since"));
    free(report);
}

static void an_alarm_may_be_broken_over_lines(void **state)
{
    tells("Example: 31 uc-ucm-01 local7 3 : 41679: uc-ucm-01.example.com Jul 02 2015 06:22:31 UTC "
          ":\n\n"
          "%UC_CALLMANAGER-3-EndPointUnregistered:\n\n[%[DeviceName=SEP00112233AA0E][IPAddress=10."
          "0.0.10][Protocol=SIP]"
          "[DeviceType=592][Reason=13][LastSignalReceived=SIPStationDPrimaryLineTimeout]\n",
          (const char *const[]){"SEP00112233AA0E", "06:22:31.000", "the connection is closed by",
                                "[keepalive-stopped]", NULL});
}

static void sip_without_anything_around_it_is_told(void **state)
{
    char *report =
        report_of("```\nREGISTER sip:10.0.0.1 SIP/2.0\n\nVia: SIP/2.0/TCP "
                  "10.0.0.6:53006;branch=z9hG4bKd4\n\nFrom: <sip:5678@10.0.0.1>;tag=1\n\n"
                  "To: <sip:5678@10.0.0.1>\n\nCall-ID: a\n\nCSeq: 1 REGISTER\n\nContact: "
                  "<sip:x@10.0.0.6:53006>;+sip.instance=\"<urn:uuid:"
                  "00000000-0000-0000-0000-00112233aa0f>;+u.sip!devicename.ccm.cisco.com="
                  "\"SEP00112233AA0F\"\n\nContent-Length: 0\n\n"
                  "Expires: 3600\n```\n\nSIP/2.0 200 OK\n\nVia: SIP/2.0/TCP "
                  "10.0.0.6:53006;branch=z9hG4bKd4\n\nFrom: <sip:5678@10.0.0.1>;tag=1\n\n"
                  "To: <sip:5678@10.0.0.1>;tag=2\n\nCall-ID: a\n\nCSeq: 1 REGISTER\n\nExpires: "
                  "120\n\nContent-Length: 0\n\nother words\n",
                  NULL);

    assert_non_null(strstr(report, "SEP00112233AA0F"));
    assert_non_null(strstr(report, "is registered by 10.0.0.1:5060"));
    free(report);
}

static void a_refusal_in_an_sdl_trace_is_a_refusal(void **state)
{
    static const char text[] = "00000001.000 |12:00:00.000 |FileHead |UTC:+01:00,Date: 2026/11/21, "
                               "AppName: CCM, HostName: cm1, "
                               "HostIPAddress: 10.0.0.1, FileNumber: 1, TraceVer: 3.0\n"
                               "00000011.000 |12:00:01.100 |SdlSig   |StationRegister              "
                               "          |wait_register           "
                               "       |StationD(2,100,63,7)             |StationInit(2,100,62,1)  "
                               "        |2,100,62,1.3^10.0.0.5^*    "
                               "  |[R:V-H:0] Name=SEP00112233AA01 Type=495 maxStreams=40\n"
                               "00000012.003 |12:00:01.101 |AlarmErr |AlarmClass: CallManager, "
                               "AlarmName: EndPointTransientConnection, "
                               "AlarmParameters:  ConnectingPort:2000, DeviceName:SEP00112233AA01, "
                               "IPAddress:10.0.0.5, DeviceType:495, "
                               "Reason:29, Protocol:SCCP, AppID:Cisco CallManager,\n"
                               "00000012.005 |12:00:01.102 |AppInfo  |StationD:    (0000007) "
                               "RegisterReject text='Error: DB Config'.\n";

    tells(text, (const char *const[]){"SEP00112233AA01", "6921", "10.0.0.5", "11:00:01.100",
                                      "registers with 10.0.0.1:2000", "is refused the registration",
                                      "rejected-unknown", NULL});
}

static void what_a_server_gave_up_waiting_for_is_an_incomplete_registration(void **state)
{
    static const struct {
        const char *reason, *says;
    } rows[] = {{"6", "the connection ends before the registration does"},
                {"25", "the phone asks at the wrong time"},
                {"26", "the phone's capabilities make no sense"},
                {"27", "what never comes: the phone's capabilities"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[500];

        snprintf(text, sizeof(text),
                 "00000012.003 |12:00:01.101 |AlarmErr |AlarmClass: CallManager, "
                 "AlarmName: EndPointTransientConnection, AlarmParameters:  ConnectingPort:2000, "
                 "DeviceName:SEP00112233AA01, IPAddress:10.0.0.5, DeviceType:495, "
                 "Reason:%s, Protocol:SCCP, AppID:Cisco CallManager,\n",
                 rows[i].reason);
        tells(text, (const char *const[]){"its registration does not come to its end", rows[i].says,
                                          "[register-incomplete]", NULL});
    }
}

static void sip_messages_in_a_trace_are_read_whole(void **state)
{
    static const char text[] =
        "00000020.004 |12:00:05.000 |AppInfo  |SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message "
        "from 10.0.0.6 on "
        "port 50002 index 5 with 700 bytes:\n[17,NET]\n"
        "REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.6:50002;branch=z9hG4bK1\r\n"
        "From: <sip:7001@10.0.0.1>;tag=1\r\nTo: <sip:7001@10.0.0.1>\r\nCall-ID: a\r\nCSeq: 101 "
        "REGISTER\r\n"
        "Contact: <sip:x@10.0.0.6:50002>;+u.sip!devicename.ccm.cisco.com=\"SEP00112233AA02\"\r\n"
        "Expires: 3600\r\nContent-Length: 0\r\n\r\n"
        "00000021.004 |12:00:05.010 |AlarmErr |AlarmName: EndPointTransientConnection, "
        "AlarmParameters:  "
        "DeviceName:SEP00112233AA02, IPAddress:10.0.0.6, Reason:32, Protocol:SIP,\n";

    tells(text, (const char *const[]){"SEP00112233AA02", "registers with 10.0.0.1:5060 as 7001",
                                      "485 Device type mismatch", "rejected-type", NULL});
}

static void what_a_trace_leaves_out_is_no_silence(void **state)
{
    static const char text[] =
        "12:00:00.100 CCM|StationInit - Processing StationReg. regCount: 1 "
        "DeviceName=SEP00112233AA03, "
        "TCPHandle=0x4fbaa00, Socket=0x594, IPAddr=10.0.0.7, Port=49152, StationD=[1,45,2]\n"
        "12:00:00.110 CCM|StationD - stationOutputRegisterAck tcpHandle=0x4fbaa00, "
        "keepAliveInterval=30\n"
        "13:00:00.000 CCM|StationInit - New connection accepted. DeviceName=, TCPHandle=0x5, "
        "Socket=0x594, "
        "IPAddr=10.0.0.9, Port=49152, StationD=[0,0,0]\n";
    char *report = report_of(text, NULL);

    assert_non_null(strstr(report, "is registered by"));
    assert_null(strstr(report, "[keepalive-stopped]"));
    free(report);
}

static void files_of_a_tftp_trace_and_of_a_console_are_told(void **state)
{
    static const char server[] =
        "00004392.000 |07:28:32.738 |AppInfo  "
        "|TFTPEngine::isReadRequest[0xf4d26318~5~10.0.0.8~51909], "
        "[SEP00112233AA04.cnf.xml] opcode(1), Mode(octet), Serving Count(0)\n"
        "00004410.000 |07:28:32.739 |AppInfo  |INFO: "
        "TFTPEngine::sendNAK[0xf4d26318~5~10.0.0.8~51909], "
        "File[SEP00112233AA04.cnf.xml], Error(1)\n";
    static const char phone[] = "NOT 11:52:15.218462 TFTP: [9]:Requesting SEP00112233AA06.cnf.xml "
                                "from 10.0.0.1 with size limit of 6\n"
                                "NOT 11:52:15.300000 TFTP: [9]:ERROR file not found\n"
                                "NOT 11:52:16.218462 TFTP: [10]:Requesting XMLDefault.cnf.xml from "
                                "10.0.0.1 with size limit of 6\n"
                                "NOT 11:52:16.300000 TFTP: [10]:ERROR file not found\n";

    tells(server,
          (const char *const[]){"SEP00112233AA04", "asks for the file SEP00112233AA04.cnf.xml",
                                "file not found: SEP00112233AA04.cnf.xml", NULL});
    tells(phone, (const char *const[]){"SEP00112233AA06", "file not found: SEP00112233AA06.cnf.xml",
                                       "files-unknown-phone", NULL});
}

static void an_alarm_of_the_event_log_ends_a_registration(void **state)
{
    static const char text[] =
        "41679: cm1: Jul 02 2026 06:22:31.123 UTC :  %UC_CALLMANAGER-6-EndPointRegistered: "
        "%[DeviceName=SEP00112233AA07][IPAddress=10.0.0.10][Protocol=SCCP][DeviceType=7][NodeID="
        "cm1]: x\n"
        "41680: cm1: Jul 02 2026 06:32:31.123 UTC :  %UC_CALLMANAGER-3-EndPointUnregistered: "
        "%[DeviceName=SEP00112233AA07][IPAddress=10.0.0.10][Protocol=SCCP][DeviceType=7][Reason=13]"
        "[NodeID=cm1]: x\n";

    tells(text, (const char *const[]){"SEP00112233AA07", "06:22:31.123", "is registered by",
                                      "the connection is closed by", "keepalive-stopped", NULL});
}

static void sip_in_a_console_log_is_the_phones(void **state)
{
    static const char text[] =
        "3456 NOT Nov 21 12:00:05.000000 (555:655) SIPCC: sipio-sent---> REGISTER sip:10.0.0.1 "
        "SIP/2.0\n"
        "Via: SIP/2.0/TCP 10.0.0.6:50002;branch=z9hG4bK1\n"
        "From: <sip:7001@10.0.0.1>;tag=1\nTo: <sip:7001@10.0.0.1>\nCall-ID: a\nCSeq: 101 REGISTER\n"
        "Contact: <sip:x@10.0.0.6:50002>;+u.sip!devicename.ccm.cisco.com=\"SEP00112233AA02\"\n"
        "Expires: 3600\nContent-Length: 0\n\n"
        "3457 NOT Nov 21 12:00:05.010000 (555:655) SIPCC: sipio-recv<--- SIP/2.0 403 Forbidden\n"
        "Via: SIP/2.0/TCP 10.0.0.6:50002;branch=z9hG4bK1\n"
        "From: <sip:7001@10.0.0.1>;tag=1\nTo: <sip:7001@10.0.0.1>;tag=2\nCall-ID: a\nCSeq: 101 "
        "REGISTER\n"
        "Content-Length: 0\n\n";

    tells(text, (const char *const[]){"SEP00112233AA02", "registers with 10.0.0.1:5060 as 7001",
                                      "403 Forbidden", "[authentication]", NULL});
}

static void evidence_of_text_is_its_line(void **state)
{
    tells("12:00:00.100 CCM|StationInit - Processing StationReg. regCount: 1 "
          "DeviceName=SEP00112233AA03, "
          "TCPHandle=0x4fbaa00, Socket=0x594, IPAddr=10.0.0.7, Port=49152, StationD=[1,45,2]\n"
          "12:00:00.110 CCM|StationD - stationOutputRegisterReject tcpHandle=0x4fbaa00 text=Error: "
          "DB Config\n",
          (const char *const[]){"[rejected-unknown]", "line 1, 12:00:00.100",
                                "line 2, 12:00:00.110", NULL});
}

static void other_servers_words_are_no_register(void **state)
{
    char *report = report_of("00000001.000 |12:00:00.000 |FileHead |UTC:+00:00,Date: 2026/11/21, "
                             "AppName: CCM, HostIPAddress: 10.0.0.1\n"
                             "00000011.000 |12:00:01.100 |SdlSig   |StationRegister |wait_register "
                             "|StationD(2,100,63,7) "
                             "|StationInit(2,100,62,1) |2,100,62,1.3^10.0.0.5^* |[R:V-H:0] "
                             "Name=SEP00112233AA01 Type=437\n"
                             "00000011.001 |12:00:01.101 |AppInfo  |StationD:    (0000007) "
                             "RegisterAck keepAliveInterval=30\n"
                             "00000012.001 |12:00:02.100 |AppInfo  |StationInit: (0000007) "
                             "StationRegisterAvailableLines lines=2.\n",
                             NULL);

    assert_non_null(strstr(report, "is registered by 10.0.0.1:2000"));
    assert_null(strstr(report, "2 times"));
    assert_null(strstr(report, "closes the connection"));
    free(report);
}

/* A log of a newer phone: several records a message, programs that fetch, a tab before and "^M"
 * behind each line. */
static const char newer_phone[] =
    "4866 NOT Mar 09 18:32:37.768655 (339:1858) downd-XXX arg[0] /usr/sbin/gethtp\n"
    "4870 NOT Mar 09 18:32:37.769296 (339:1858) downd-XXX arg[2] 10.0.0.1\n"
    "4872 NOT Mar 09 18:32:37.774088 (339:1858) downd-XXX arg[4] CTLSEP00112233AA0A.tlv\n"
    "4882 ERR Mar 09 18:32:37.985319 (1858:1858) GHTTP-http get [HTTP/1.1 404 Not Found]\n"
    "4898 NOT Mar 09 18:32:38.756996 (339:1850) downd-XXTP complete - status = 2 \n"
    "4978 NOT Mar 09 18:32:41.319578 (339:1902) downd-XXX arg[4] SEP00112233AA0A.cnf.xml.sgn\n"
    "4986 NOT Mar 09 18:32:41.384281 (339:1899) downd-XXTP complete - status = 100 \n"
    "5871 DEB Mar 09 18:32:45.430978 (618:927) JAVA-sipio-sent---> REGISTER sip:10.0.0.1 "
    "SIP/2.0^M\n"
    "\tVia: SIP/2.0/TCP 10.0.0.6:51778;branch=z9hG4bK1^M\n\tFrom: <sip:7001@10.0.0.1>;tag=1^M\n"
    "\tTo: <sip:7001@10.0.0.1>^M\n\tCall-ID: a^M\n\tCSeq: 1000 REGISTER^M\n"
    "\tContact: <sip:x@10.0.0.6:51778>;+u.sip!dev\n"
    "5872 DEB Mar 09 18:32:45.431161 (618:927) JAVA-icename.ccm.cisco.com=\"SEP00112233AA0A\"^M\n"
    "\tExpires: 3600^M\n\tContent-Length: 0^M\n\t^M\n"
    "5873 DEB Mar 09 18:32:45.431283 (618:927) JAVA-::End-Of-Sip-Message::\n"
    "5880 DEB Mar 09 18:32:45.531283 (618:927) JAVA-sipio-recv<--- SIP/2.0 403 Forbidden^M\n"
    "\tVia: SIP/2.0/TCP 10.0.0.6:51778;branch=z9hG4bK1^M\n\tFrom: <sip:7001@10.0.0.1>;tag=1^M\n"
    "\tTo: <sip:7001@10.0.0.1>;tag=2^M\n\tCall-ID: a^M\n\tCSeq: 1000 REGISTER^M\n"
    "\tContent-Length: 0^M\n\t^M\n";

static const char *const newer_phone_says[] = {
    "SEP00112233AA0A",
    "10.0.0.6",
    "asks for the file CTLSEP00112233AA0A.tlv of 10.0.0.1 by HTTP",
    "file not found: CTLSEP00112233AA0A.tlv",
    "has the file SEP00112233AA0A.cnf.xml.sgn",
    " 8  registers with 10.0.0.1:5060 as 7001",
    "403 Forbidden",
    "[authentication]",
    NULL};

static void the_log_of_a_newer_phone_is_told(void **state)
{
    tells(newer_phone, newer_phone_says);
}

static void lines_end_as_in_any_system_and_letters_may_be_wide(void **state)
{
    size_t len = sizeof(newer_phone) - 1, n = 0;
    char *text = malloc(2 * len + 2), *report;

    for (size_t i = 0; i < len; i++) /* of old Macintoshes */
        text[i] = newer_phone[i] == '\n' ? '\r' : newer_phone[i];
    report = report_of_bytes(text, len, NULL);
    assert_non_null(strstr(report, "[authentication]"));
    free(report);
    for (int big = 0; big < 2; big++) {
        for (size_t i = n = 0; i < len; i++) {
            text[n++] = big ? 0 : newer_phone[i];
            text[n++] = big ? newer_phone[i] : 0;
        }
        report = report_of_bytes(text, n, NULL);
        assert_non_null(strstr(report, "[authentication]"));
        free(report);
    }
    free(text);
}

static void lines_copied_from_a_page_are_read(void **state)
{
    tells("Line 12: 02760551.004 |19:11:08.219 |AppInfo |SIPTcp - wait_SdlReadRsp: Incoming SIP "
          "TCP message from "
          "10.0.0.6 on port 57378 index 12386 with 2203 bytes:\n\n[101339,NET]\n\nREGISTER "
          "sip:10.0.0.1 SIP/2.0\n\n"
          "Via: SIP/2.0/TCP 10.0.0.6:57378;branch=z9hG4bK1\n\nFrom: <sip:7001@10.0.0.1>;tag=1\n\n"
          "To: <sip:7001@10.0.0.1>\n\nCall-ID: a\n\nCSeq: 2151 REGISTER\n\n"
          "Contact: <sip:x@10.0.0.6:57378>;+u.sip!devicename.ccm.cisco.com=\"SEP00112233AA0B\"\n\n"
          "Expires: 3600\n\nContent-Length: 0\n\n\n\n"
          "SDL002_100_000188.txt:02760552.004 |19:11:08.229 |SIPTcp - wait_SdlSPISignal: Outgoing "
          "SIP TCP message to "
          "10.0.0.6 on port 57378 index 12386\n\n[101340,NET]\n\nSIP/2.0 403 Forbidden\n\n"
          "Via: SIP/2.0/TCP 10.0.0.6:57378;branch=z9hG4bK1\n\nFrom: <sip:7001@10.0.0.1>;tag=1\n\n"
          "To: <sip:7001@10.0.0.1>;tag=1\n\nCall-ID: a\n\nCSeq: 2151 REGISTER\n\nContent-Length: "
          "0\n\n",
          (const char *const[]){"SEP00112233AA0B", "registers with 10.0.0.1:5060 as 7001",
                                "403 Forbidden", "[authentication]", NULL});
}

static void a_trace_of_our_dhcp_server_is_told(void **state)
{
    tells("12:00:01.234 DHCP|FileHead UTC:+00:00, Date: 2026/11/21, HostIPAddress: 10.0.0.1, "
          "|<CLID::a>\n"
          "12:00:01.301 DHCP|Received from 0.0.0.0:68: request DISCOVER xid 0000abcd secs 0 flags "
          "8000 hops 0 chaddr "
          "00112233aa09, 53 type 1, 60 vendor_class \"Cisco Systems, Inc. IP Phone CP-7960G\", 55 "
          "parameters "
          "0142|<CLID::a>\n"
          "12:00:01.302 DHCP|Sent to 255.255.255.255:68: reply OFFER xid 0000abcd secs 0 flags "
          "8000 hops 0 chaddr "
          "00112233aa09, yiaddr 10.0.0.50, 53 type 2, 54 server_id 10.0.0.1, 150 tftp_servers "
          "10.0.0.1 10.0.0.2|<CLID::a>\n",
          (const char *const[]){"00:11:22:33:aa:09", "CP-7960G", "asks by DHCP for an address",
                                "is offered an address: 10.0.0.50 by 10.0.0.1", NULL});
}

/* As `trace collect` gives them: each service its file, the events beside them. */
static void a_collection_of_ours_is_one_story(void **state)
{
    char *report =
        report_of("12:00:01.301 DHCP|Received from 0.0.0.0:68: request REQUEST xid 01 secs 0 flags "
                  "0000 hops 0 chaddr 00112233aa09, 53 type 3, "
                  "60 vendor_class \"Cisco Systems, Inc. IP Phone CP-7960G\"|<CLID::a>\n"
                  "12:00:01.302 DHCP|Sent to 10.0.0.50:68: reply ACK xid 01 secs 0 flags 0000 hops "
                  "0 chaddr 00112233aa09, yiaddr 10.0.0.50, "
                  "53 type 5, 54 server_id 10.0.0.1, 150 tftp_servers 10.0.0.1|<CLID::a>\n"
                  "12:00:01.702 TFTP|TFTPEngine - SEP00112233AA09.cnf.xml to 10.0.0.50: sent, 734 "
                  "bytes|<IP::10.0.0.50>\n"
                  "12:00:02.000 CCM|StationInit - InboundStim - RegisterMessageID tcpHandle=0x0 "
                  "device_name=\"SEP00112233AA09\", "
                  "device_type=7|<IP::10.0.0.50><DEV::SEP00112233AA09>\n"
                  "12:00:02.001 CCM|StationD - stationOutputRegisterAck tcpHandle=0x0 "
                  "keepalive_s=30|<IP::10.0.0.50><DEV::SEP00112233AA09>\n"
                  "12:00:09.000 CCM|AlarmName: EndPointUnregistered, AlarmParameters:  "
                  "DeviceName:SEP00112233AA09, IPAddress:10.0.0.50, "
                  "Protocol:SCCP, Reason:8,\n"
                  "12:00:09.000 CCM|StationInit - InboundStim - UnregisterMessageID tcpHandle=0x0 "
                  "reason=0|<IP::10.0.0.50><DEV::SEP00112233AA09>\n"
                  "12:00:09.000 CCM|StationD - stationOutputUnregisterAck tcpHandle=0x0 status=0 "
                  "(ok)|<IP::10.0.0.50><DEV::SEP00112233AA09>\n",
                  NULL);

    assert_non_null(strstr(report, "has the file SEP00112233AA09.cnf.xml"));
    assert_non_null(strstr(report, "as SEP00112233AA09, type 7"));
    assert_non_null(strstr(report, "interval 30 s"));
    assert_null(strstr(report, "2 times"));
    assert_null(strstr(report, "[tftp-overridden]"));
    free(report);
}

static void alarms_of_older_servers_and_of_routers_are_told(void **state)
{
    tells("Jul  2 06:22:31 cm1 local7 3 : 123: Jul 02 06:22:31.123 UTC : "
          "%CCM_CALLMANAGER-CALLMANAGER-3-"
          "DeviceUnregistered: Device unregistered. Device name.:SEP00112233AA07 Device IP "
          "address.:10.0.0.10 "
          "Device type. [Optional]:7 Reason Code [Optional].:13 App ID:Cisco CallManager\n",
          (const char *const[]){"SEP00112233AA07", "the connection is closed by",
                                "[keepalive-stopped]", NULL});
    tells("*Mar  1 00:10:31.223: %IPPHONE-6-REGISTER: ephone-1:SEP003094C38724 IP:10.4.170.6 "
          "Socket:1 DeviceType:Phone "
          "has registered.\n"
          "*Mar  1 00:40:31.123: %IPPHONE-6-UNREGISTER_ABNORMAL: ephone-1:SEP003094C38724 "
          "IP:10.4.170.6 Socket:1 "
          "DeviceType:Phone has unregistered abnormally.\n",
          (const char *const[]){"SEP003094C38724", "is registered by", "[tcp-ended]", NULL});
}

static void nodes_may_count_their_connections_alike(void **state)
{
    static const char *const nodes[] = {
        "12:00:00.000 CCM|FileHead UTC:+00:00, Date: 2026/11/21, HostIPAddress: 10.0.0.1, |\n"
        "12:00:01.000 CCM|StationInit - Processing StationReg. regCount: 1 "
        "DeviceName=SEP00112233AA0C, TCPHandle=0x1, "
        "IPAddr=10.0.0.7, Port=1\n"
        "12:00:09.000 CCM|StationD - stationOutputRegisterAck tcpHandle=0x1, "
        "keepAliveInterval=30\n",
        "12:00:00.000 CCM|FileHead UTC:+00:00, Date: 2026/11/21, HostIPAddress: 10.0.0.2, |\n"
        "12:00:02.000 CCM|StationInit - Processing StationReg. regCount: 1 "
        "DeviceName=SEP00112233AA0D, TCPHandle=0x1, "
        "IPAddr=10.0.0.8, Port=1\n"
        "12:00:03.000 CCM|StationD - stationOutputRegisterReject tcpHandle=0x1 text=Error: DB "
        "Config\n"};
    struct tell_options options = {.verbose = true};
    struct piece pieces[2] = {{nodes[0], strlen(nodes[0]), 64}, {nodes[1], strlen(nodes[1]), 64}};
    struct timeline *t = timeline_new();
    struct texts *all = texts_new(timeline_see, t, 0);
    struct trace *traces[2];
    int64_t ns[2];
    char *report;
    size_t n_ill;

    for (int i = 0; i < 2; i++) {
        traces[i] = text_open(all, (uint8_t)i, read_piece, &pieces[i]);
        assert_true(text_next(traces[i], &ns[i]));
    }
    for (bool more[2] = {true, true}; more[0] || more[1];) { /* whose line is the next */
        int i = more[0] && (!more[1] || ns[0] <= ns[1]) ? 0 : 1;

        text_step(traces[i]);
        more[i] = text_next(traces[i], &ns[i]);
    }
    timeline_end(t, texts_totals(all)->last_ns);
    report = tell(t, &options, NULL, &n_ill);
    assert_int_equal(n_ill, 1);
    assert_non_null(strstr(report, "registers with 10.0.0.1:2000 as SEP00112233AA0C"));
    assert_non_null(strstr(report, "registers with 10.0.0.2:2000 as SEP00112233AA0D"));
    free(report);
    text_close(traces[0]);
    text_close(traces[1]);
    texts_free(all);
    timeline_free(t);
}

static void what_a_trace_leaves_out_is_silence_in_a_capture_beside_it(void **state)
{
    struct timeline *t = timeline_new();
    struct retell *capture = retell_new(timeline_see, t);
    struct piece piece = {newer_phone, sizeof(newer_phone) - 1, 64};
    struct texts *all = texts_new(timeline_see, t, 0);
    struct trace *trace = text_open(all, 0, read_piece, &piece);
    struct tell_options options = {.verbose = true};
    char *report;
    size_t n_ill;

    capture->mac = (struct mac){{0, 0x11, 0x22, 0x33, 0xbb, 1}};
    capture->phone = (struct endpoint){ip_v4(0), 68};
    capture->server = (struct endpoint){ip_v4(0), 67};
    for (int i = 0; i < 4; i++) {
        capture->at.time_ns = (1000 + 4 * i) * 1000000000LL;
        capture->at.number = 1 + (uint64_t)i;
        retell_dhcp_begin(capture, DHCP_DISCOVER);
        dhcp_set_vendor_class(&capture->dhcp, TEXT("Cisco Systems, Inc. IP Phone CP-7960G"));
        retell_dhcp(capture);
    }
    while (text_step(trace))
        ;
    timeline_end(t, 1100 * 1000000000LL);
    report = tell(t, &options, NULL, &n_ill);
    assert_non_null(strstr(report, "[dhcp-no-answer]"));
    assert_non_null(strstr(report, "[authentication]"));
    free(report);
    text_close(trace);
    texts_free(all);
    free(capture);
    timeline_free(t);
}

static void other_text_is_not_understood(void **state)
{
    struct text_totals totals;
    char *report = report_of("Dear reader,\nthis is no trace.\n\n[1] 2 3\n", &totals);

    assert_int_equal(totals.understood, 0);
    assert_int_equal(totals.sights, 0);
    free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_printed_trace_is_told_in_its_order),
        cmocka_unit_test(a_refusal_in_an_sdl_trace_is_a_refusal),
        cmocka_unit_test(what_a_server_gave_up_waiting_for_is_an_incomplete_registration),
        cmocka_unit_test(sip_messages_in_a_trace_are_read_whole),
        cmocka_unit_test(what_a_trace_leaves_out_is_no_silence),
        cmocka_unit_test(files_of_a_tftp_trace_and_of_a_console_are_told),
        cmocka_unit_test(an_alarm_of_the_event_log_ends_a_registration),
        cmocka_unit_test(sip_in_a_console_log_is_the_phones),
        cmocka_unit_test(evidence_of_text_is_its_line),
        cmocka_unit_test(other_servers_words_are_no_register),
        cmocka_unit_test(the_log_of_a_newer_phone_is_told),
        cmocka_unit_test(lines_end_as_in_any_system_and_letters_may_be_wide),
        cmocka_unit_test(lines_copied_from_a_page_are_read),
        cmocka_unit_test(a_trace_of_our_dhcp_server_is_told),
        cmocka_unit_test(a_collection_of_ours_is_one_story),
        cmocka_unit_test(alarms_of_older_servers_and_of_routers_are_told),
        cmocka_unit_test(nodes_may_count_their_connections_alike),
        cmocka_unit_test(a_printed_trace_may_be_typed_in_any_way),
        cmocka_unit_test(a_text_without_times_tells_none),
        cmocka_unit_test(an_alarm_may_be_broken_over_lines),
        cmocka_unit_test(sip_without_anything_around_it_is_told),
        cmocka_unit_test(what_a_trace_leaves_out_is_silence_in_a_capture_beside_it),
        cmocka_unit_test(other_text_is_not_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
