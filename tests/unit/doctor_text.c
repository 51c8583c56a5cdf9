/* doctor_text.c - traces, logs and printed captures are told as the stories they are. */
#include "test.h"

#include <stdlib.h>

#include "doctor/tell.h"
#include "doctor/text.h"

static char *report_of(const char *text, struct text_totals *totals)
{
    struct tell_options options = {.verbose = true};
    struct timeline *t = timeline_new();
    struct trace *trace = text_new(timeline_see, t, 0);
    char *report;
    size_t n_ill;

    text_look(trace, text, strlen(text));
    for (const char *p = text; *p; p++) /* in the smallest pieces */
        text_feed(trace, p, 1);
    text_end(trace);
    if (totals)
        *totals = *text_totals(trace);
    timeline_end(t, text_totals(trace)->last_ns);
    report = tell(t, &options, NULL, &n_ill);
    text_free(trace);
    timeline_free(t);
    return report;
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
        "3456 NOT Nov 21 12:00:05.000000 (555:655) SIPCC: sipio-sent---> REGISTER sip:10.0.0.1 SIP/2.0\n"
        "Via: SIP/2.0/TCP 10.0.0.6:50002;branch=z9hG4bK1\n"
        "From: <sip:7001@10.0.0.1>;tag=1\nTo: <sip:7001@10.0.0.1>\nCall-ID: a\nCSeq: 101 REGISTER\n"
        "Contact: <sip:x@10.0.0.6:50002>;+u.sip!devicename.ccm.cisco.com=\"SEP00112233AA02\"\n"
        "Expires: 3600\nContent-Length: 0\n\n"
        "3457 NOT Nov 21 12:00:05.010000 (555:655) SIPCC: sipio-recv<--- SIP/2.0 403 Forbidden\n"
        "Via: SIP/2.0/TCP 10.0.0.6:50002;branch=z9hG4bK1\n"
        "From: <sip:7001@10.0.0.1>;tag=1\nTo: <sip:7001@10.0.0.1>;tag=2\nCall-ID: a\nCSeq: 101 REGISTER\n"
        "Content-Length: 0\n\n";

    tells(text, (const char *const[]){"SEP00112233AA02", "registers with 10.0.0.1:5060 as 7001",
                                      "403 Forbidden", "[authentication]", NULL});
}

static void evidence_of_text_is_its_line(void **state)
{
    tells("12:00:00.100 CCM|StationInit - Processing StationReg. regCount: 1 DeviceName=SEP00112233AA03, "
          "TCPHandle=0x4fbaa00, Socket=0x594, IPAddr=10.0.0.7, Port=49152, StationD=[1,45,2]\n"
          "12:00:00.110 CCM|StationD - stationOutputRegisterReject tcpHandle=0x4fbaa00 text=Error: DB Config\n",
          (const char *const[]){"[rejected-unknown]", "line 1, 12:00:00.100", "line 2, 12:00:00.110", NULL});
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
        cmocka_unit_test(sip_messages_in_a_trace_are_read_whole),
        cmocka_unit_test(what_a_trace_leaves_out_is_no_silence),
        cmocka_unit_test(files_of_a_tftp_trace_and_of_a_console_are_told),
        cmocka_unit_test(an_alarm_of_the_event_log_ends_a_registration),
        cmocka_unit_test(sip_in_a_console_log_is_the_phones),
        cmocka_unit_test(evidence_of_text_is_its_line),
        cmocka_unit_test(other_text_is_not_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
