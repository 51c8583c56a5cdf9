"""Nothing of a capture or a trace is left when it was made anonymous: a word that stands nowhere else in every place that can hold one."""
import base64
import os
import pathlib
import re
import struct
import subprocess
import zlib

from test_doctor_anonymise import PHONE, PHONE_MAC, SERVER, Capture, anonymise, doctor, fixed, ip4, left_each_time, sccp, sip

DIALTONE = pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve()


def tlv(kind, value):
    return struct.pack('>HH', kind, 4 + len(value)) + value


def addr(ip):
    return struct.pack('>I', 1) + b'\1\1\xcc\0\4' + ip4(ip)


def ltlv(kind, value):
    return struct.pack('>H', kind << 9 | len(value)) + value


def opt(code, value):
    return bytes((code, len(value))) + value


def name(*labels):
    return b''.join(bytes((len(label),)) + label for label in labels) + b'\0'


def rr(kind, data, of=b'\xc0\x0c'):
    return of + struct.pack('>HHIH', kind, 1, 60, len(data)) + data


class Places(Capture):
    """Frames with secrets; each of them is made once and knows where it was put."""

    def __init__(self):
        super().__init__()
        self.secrets, self.n = {}, 0

    def keep(self, secret, where):
        self.secrets[secret] = where
        return secret

    def word(self, where, n=9):
        self.n += 1
        x, s = self.n * 7919 + 12345, 'Q'
        while len(s) < n:
            s += 'bdfghklmnprstvz'[x % 15] if len(s) % 2 else 'aeiou'[x % 5]
            x = x * 31 % 1000003
        return self.keep(s, where)

    def letters(self, where, n=9):
        return self.word(where, n).encode()

    def number(self, where, n=11):
        self.n += 1
        return self.keep(str(10 ** n * 9 // 10 + self.n * 104729 % 10 ** (n - 1)).replace('0', '7')[:n], where)

    def address(self, where):
        self.n += 1
        return self.keep(f'10.{self.n % 250}.{211 + self.n // 250}.177', where)

    def mac(self, where):
        self.n += 1
        return self.keep(bytes((0, 0x1d, 0x45, 0xd0 + self.n % 16, self.n % 256, 0xe7)), where)

def link(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    cdp = b'\xaa\xaa\x03\x00\x00\x0c\x20\x00\x02\xb4\x00\x00' + tlv(1, wb('cdp device')) + tlv(2, addr(ip('cdp address'))) + tlv(3, b'Port 1') + \
      tlv(5, b'Cisco IOS, built on ' + wb('cdp version host')) + tlv(6, b'Cisco IP Phone 7961') + tlv(7, ip4(ip('cdp odr')) + b'\x18') + \
      tlv(8, b'\0\0\x0c\1\x12' + ip4(ip('cdp cluster')) + b'\xff\xff\xff\xff' + b'\1\2\0\0' + mac('cdp commander') + mac('cdp switch') + b'\xff\0\0') + \
      tlv(9, wb('vtp')) + tlv(0x14, wb('cdp sysname')) + tlv(0x15, wb('cdp object id')) + tlv(0x16, addr(ip('cdp mgmt'))) + tlv(0x17, b'\0' + wb('cdp location')) + tlv(0x18, wb('cdp ext port')) + tlv(0x1003, wb('cdp other'))
    c.frame(cdp, len(cdp), to=bytes.fromhex('01000ccccccc'))
    lldp = ltlv(1, b'\4' + mac('lldp chassis')) + ltlv(2, b'\1' + wb('lldp port alias')) + ltlv(3, b'\0\x78') + ltlv(4, wb('lldp port desc')) + ltlv(5, wb('lldp name')) + \
      ltlv(6, b'Cisco IP Phone 7961 at ' + wb('lldp sysdesc')) + ltlv(8, b'\x05\1' + ip4(ip('lldp mgmt')) + b'\2\0\0\0\1\0') + ltlv(8, b'\x07\6' + mac('lldp mgmt mac') + b'\2\0\0\0\1\0') + \
      ltlv(127, b'\0\x12\xbb\x08' + wb('med serial')) + ltlv(127, b'\0\x12\xbb\x0b' + wb('med asset')) + ltlv(127, b'\0\x12\xbb\x03\x02' + b'\x14\0DE\1' + bytes((9,)) + wb('med civic')) + \
      ltlv(127, b'\0\x12\xbb\x03\x03' + d('med elin').encode()) + ltlv(127, b'\0\x80\xc2\x03\0\x14' + bytes((9,)) + wb('vlan name')) + ltlv(127, b'\0\x01\x42\x01' + wb('cisco org')) + ltlv(0, b'')
    c.frame(lldp, 0x88cc, to=bytes.fromhex('0180c200000e'))
    lldp2 = ltlv(1, b'\7' + wb('lldp chassis local')) + ltlv(2, b'\7' + wb('lldp port local')) + ltlv(3, b'\0\x78') + ltlv(0, b'')
    c.frame(lldp2, 0x88cc, to=bytes.fromhex('0180c200000e'))


def dhcp(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    m7 = mac('dhcp duid')
    dhcp = struct.pack('>BBBBIHH', 2, 1, 6, 0, 7, 0, 0) + ip4(PHONE) * 2 + ip4(SERVER) * 2 + PHONE_MAC.ljust(16, b'\0') + wb('sname').ljust(64, b'\0') + wb('bootfile').ljust(128, b'\0') + b'c\x82Sc' + opt(53, b'\2')
    dhcp += opt(12, wb('dhcp host')) + opt(15, wb('dhcp domain') + b'.com') + opt(61, b'\0cisco-' + '.'.join((m7.hex()[:4], m7.hex()[4:8], m7.hex()[8:])).encode() + b'-Gi0') + opt(66, wb('option 66') + b'.example') + opt(67, wb('option 67'))
    dhcp += opt(43, b'\x01\4' + ip4(ip('option 43'))) + opt(82, b'\1\6\0\4\0\x14\1\5\2\x08\0\6' + mac('option 82')) + opt(33, ip4(ip('option 33')) * 2) + opt(121, b'\x20' + ip4(ip('option 121')) + ip4(ip('option 121 gw')))
    dhcp += opt(56, b'no lease for ' + wb('option 56')) + opt(99, b'\0DE\1' + wb('option 99')) + opt(114, b'http://' + wb('option 114') + b'/') + opt(119, bytes((9,)) + wb('option 119') + b'\3com\0') + opt(120, b'\1' + ip4(ip('option 120')))
    dhcp += opt(160, wb('option 160')) + opt(242, b'MCIPADD=' + wb('option 242').replace(b'x', b'y')) + opt(125, struct.pack('>IB', 9, 11) + b'\1\x09' + wb('option 125')) + opt(17, wb('option 17')) + opt(9, ip4(ip('option 9'))) + opt(48, ip4(ip('option 48'))) + opt(81, b'\0\0\0' + wb('option 81')) + opt(124, b'\0\0\0\x09\x09' + wb('option 124')) + opt(77, b'\x09' + wb('option 77'))+ b'\xff'
    c.udp(68, 67, dhcp, False)
    duid = struct.pack('>BBBBIHH', 1, 1, 6, 0, 8, 0, 0) + bytes(16) + PHONE_MAC.ljust(16, b'\0') + bytes(192) + b'c\x82Sc' + opt(53, b'\1') + opt(61, b'\xff\0\0\0\1\0\3\0\1' + mac('duid')) + opt(60, b'Cisco Systems, Inc. IP Phone CP-7961G') + b'\xff'
    c.udp(68, 67, duid)


def dns(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    dns = struct.pack('>HHHHHH', 5, 0x8180, 1, 7, 0, 1) + name(wb('dns q'), b'example', b'com') + struct.pack('>HH', 1, 1) + rr(1, ip4(ip('dns a'))) + rr(16, bytes((9,)) + wb('dns txt')) + \
      rr(15, b'\0\x0a' + name(wb('dns mx'), b'com')) + rr(35, struct.pack('>HH', 1, 1) + b'\1u\7E2U+sip' + bytes((24,)) + b'!^.*$!sip:' + wb('naptr re') + b'@a.b!' + name(wb('naptr'))) + rr(33, struct.pack('>HHH', 1, 1, 5060) + name(wb('srv'))) + \
      rr(99, wb('dns spf')) + rr(257, b'\0\5issue' + wb('caa')) + rr(41, struct.pack('>HH', 8, 8) + b'\0\1\x20\0' + ip4(ip('edns subnet')) + struct.pack('>HH', 3, 9) + wb('nsid'), b'\0')
    c.udp(50100, 53, dns, False)


def unknown(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    c.ip(2, b'\x22\0\0\0\0\0\0\1\6\0\0\0' + ip4('239.1.1.1') + ip4(ip('igmp source')))
    c.ip(89, b'\2\1\0\x2c' + ip4(ip('ospf router')) + ip4('0.0.0.0') + wb('ospf auth') + bytes(20))
    c.udp(40200, 40201, b'\0\1\0\x10' + b'\x21\x12\xa4\x42' + bytes(12) + b'\0\6\0\x09' + wb('stun user'))
    c.udp(40202, 40203, b'\0\4\0\1' + wb('behind ack'))
    c.udp(40204, 514, b'<13>' + wb('syslog'))
    c.udp(40204, 1985, wb('hsrp'))
    # trailer of a short frame, and behind UDP
    body = struct.pack('>HHHH', 40300, 9, 12, 0) + b'abcd' + wb('behind udp')
    c.ip(17, body)
    c.frame(struct.pack('>BBHHHBBH', 0x45, 0, 32, 9, 0, 64, 17, 0) + ip4(PHONE) + ip4(SERVER) + struct.pack('>HHHH', 40300, 9, 12, 0) + b'abcd' + wb('trailer'))
    c.frame(struct.pack('>HHBBH', 1, 0x800, 6, 4, 1) + PHONE_MAC + ip4(PHONE) + bytes(6) + ip4(ip('arp')) + wb('arp padding'), 0x806)
    c.frame(wb('eapol'), 0x888e)


def tftp(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    c.udp(50001, 69, b'\0\1Desktops/320x212x16/' + wb('picture') + b'.png\0octet\0' + wb('tftp option') + b'\0' + wb('tftp value') + b'\0')
    c.udp(50001, 69, b'\0\1SEP' + mac('tftp file').hex().upper().encode() + b'.cnf.xml\0octet\0')
    c.udp(50001, 40001, b'\0\5\0\1File /srv/' + wb('tftp error') + b'/x not found\0' + wb('behind error'), False)
    xml = f'''<?xml version="1.0"?><device><!-- {w('xml comment')} --><devicePool><callManagerGroup><members><member priority="0"><callManager><name>{w('cm name')}</name><processNodeName>{w('cm host')}.example.com</processNodeName></callManager></member></members></callManagerGroup><dateTimeSetting><ntps><ntp><name>{w('ntp')}</name></ntp></ntps></dateTimeSetting></devicePool>
    <sshUserId>{w('ssh user')}</sshUserId><sshPassword>{w('ssh password')}</sshPassword><sipProfile><sipLines><line button="1"><featureID>9</featureID><featureLabel>{w('label')}</featureLabel><name>{d('line name')}</name><displayName>{w('display')}</displayName><authName>{w('authName')}</authName><authPassword>{d('authPassword')}</authPassword><messagesNumber>{d('mwi')}</messagesNumber><contact>{w('contact')}</contact></line></sipLines><dialTemplate>{w('dialplan')}.xml</dialTemplate><softKeyFile>{w('softkeys')}.xml</softKeyFile></sipProfile>
    <loadInformation>SIP41.9-4-2</loadInformation><loadServer>{w('load server')}.example.com</loadServer><directoryURL>http://{w('dir url')}/x?q={w('query')}</directoryURL><extension>{d('extension')}</extension><Telephone>{d('telephone')}</Telephone><voiceMailPilot>{d('pilot')}</voiceMailPilot><securityProfile>{w('security profile')}</securityProfile><certHash>{d('hash', 16)}</certHash><phonePassword>{d('phone password')}</phonePassword><adminPin>{d('pin')}</adminPin>
    <vendorConfig><a b="{w('attribute')}"/><webAdmin>{w('vendor')}</webAdmin></vendorConfig><userLocale><name>{w('locale name')}</name><langCode>en_US</langCode></userLocale><![CDATA[{w('cdata')}]]></device>'''.encode()
    c.udp(50009, 69, b'\0\1SEP001D45AABBCC.cnf.xml\0octet\0')
    for i in range(len(xml) // 512 + 1):
        c.udp(50009, 40009, struct.pack('>HH', 3, i + 1) + xml[i * 512:i * 512 + 512], False)
        c.udp(50009, 40009, struct.pack('>HH', 4, i + 1))


def http(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    h = (50010, 6970)
    c.connect(h)
    basic = c.keep(base64.b64encode(wb('basic')).decode(), 'basic64')
    c.send(h, f'GET /CCMCIP/{w("http path")}.jsp?name=SEP001D45AABBCC&l={w("http query")}&n={d("http number")} HTTP/1.1\r\nHost: {w("http host")}.example.com\r\nAuthorization: Basic {basic}\r\nCookie: JSESSIONID={w("cookie")}\r\nReferer: http://{w("referer")}/\r\nUser-Agent: Cisco-CP7961G/9.4.2 (SN:FCH{d("serial in agent")}AB; {w("agent comment")})\r\nX-Own: {w("x header")}\r\n\r\n'.encode(), pieces=40)
    page = f'<CiscoIPPhoneDirectory><Title>{w("page title")}</Title><DirectoryEntry><Name>{w("page name")}</Name><Telephone>{d("page number")}</Telephone></DirectoryEntry></CiscoIPPhoneDirectory>'.encode()
    c.send(h, b'HTTP/1.1 200 OK\r\nServer: Apache (' + wb('server comment') + b')\r\nSet-Cookie: a=' + wb('set-cookie') + b'\r\nLocation: http://' + wb('location') + b'/\r\nContent-Length: %d\r\n\r\n' % len(page) + page, False, 100)
    stored = zlib.compressobj(0, zlib.DEFLATED, 31)
    z = stored.compress(wb('gzip body') + b' and more') + stored.flush()
    c.send(h, b'GET /Ringlist.xml HTTP/1.1\r\nHost: a\r\n\r\n', pieces=100)
    c.send(h, b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n' % len(z) + z, False, 100)
    c.send(h, b'POST /CCMCIP/authenticate.asp HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n' + f'UserID={w("form user")}&Password={d("form password")}&devicename=SEP001D45AABBCC'.encode().ljust(60)[:60], pieces=100)


def sip_words(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    talk = (50004, 5060)
    c.connect(talk)
    tagmac = mac('tag mac').hex()
    inst = mac('instance mac').hex()
    sdp = f'v=0\r\no={w("o user")} 1 1 IN IP4 {ip("o addr")}\r\ns={w("s")}\r\ni={w("i")}\r\nc=IN IP4 {w("c host")}.example.com\r\nt=0 0\r\nm=audio 20000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{w("srtp key", 30)}|2^20\r\na=ice-ufrag:{w("ufrag")}\r\na=ice-pwd:{w("ice pwd", 22)}\r\na=candidate:1 1 UDP 1 {ip("candidate")} 4000 typ host\r\na=ssrc:1 cname:{w("cname")}\r\na=label:{w("a label")}\r\na=rtcp:4001 IN IP4 {ip("rtcp")}\r\na=fingerprint:sha-256 {w("fingerprint")}\r\na=rtpmap:0 PCMU/8000\r\na=x-own:{w("a own")}\r\n'
    c.send(talk, sip(f'REGISTER sip:{w("start host")}.example.com SIP/2.0', f'Via: SIP/2.0/TCP {w("via")}.example.com:5060;branch=z9hG4bK{w("branch")};received={ip("received")}',
      f'From: {w("from name")} <sip:{d("from user")}@{w("from host")}.com>;tag={tagmac}00020d45f2ab-6f3a', f'To: "{w("to name")} {w("to name2")}" <sip:{w("to user")}:{w("to password")}@10.20.30.1>', f'Call-ID: {w("call id")}@{ip("call id ip")}', 'CSeq: 1 REGISTER',
      f'Contact: <sip:{w("gruu")}@10.20.30.40:5060;transport=tcp;maddr={w("maddr")}.com>;+sip.instance="<urn:uuid:{d("uuid",8)}-0000-0000-0000-{inst}>";+u.sip!devicename.ccm.cisco.com="{w("device")}";+u.sip!model.ccm.cisco.com="115";x-own={w("contact param")}',
      f'User-Agent: Cisco-CP7961G/9.4.2 {w("ua extra")} FCH{d("ua serial")}', f'Authorization: Digest username="{w("auth user")}",realm="{w("realm")}",nonce="{w("nonce")}",uri="sip:{w("digest uri")}.com",response="{d("response", 32)}",cnonce="{w("cnonce")}",opaque="{w("opaque")}",qop=auth,nc=00000001',
      f'Proxy-Authorization: Digest username={w("unquoted user")},response={d("unquoted response", 32)}', f'Reason: SIP;cause=200;text="cisco-alarm:25 Name={w("alarm name")} Load=SIP41.9-4-2 Last=initialized IPAddr={ip("alarm ip")} Host={w("alarm host")}"',
      f'Warning: 399 {w("warning host")} "Unable to find {w("warning name")}"', f'Refer-To: <sip:100@1.2.3.4?Replaces={w("replaces")}%40{w("replaces host")}%3Bto-tag%3D{w("to tag")}>', f'Content-ID: <{w("content id")}@{w("cid host")}.com>', f'Subject: {w("subject")}', f'Event: dialog;call-id={w("event call id")}',
      f'Date: Sat, 21 Nov 2026 12:00:00 GMT', f'P-Asserted-Identity: tel:+{d("tel")}', f'Call-Info: <http://{w("call-info")}/a.png>', f'Diversion: "{w("diversion")}" <sip:{d("div user")}@a>;reason=unconditional', f'Server: {w("server")}/1.0', f'Retry-After: 5 ({w("retry comment")})', f'Organization: {w("org")}',
      f'Accept: application/{w("accept")}', f'Allow: INVITE,{w("allow").upper()}', f'Route: <sip:{w("route")}.com;lr>', f'Record-Route: {w("rr")}', f'Supported: {w("supported")}', f'Content-Type: application/x;boundary={w("boundary")}', f'Subscription-State: terminated;reason={w("state reason")}', body=sdp), pieces=97)
    c.send(talk, sip(f'SIP/2.0 403 Not you {w("phrase")}', 'Via: SIP/2.0/TCP 10.20.30.40', 'From: <sip:1@10.20.30.1>;tag=1', 'To: <sip:1@10.20.30.1>;tag=2', 'Call-ID: 1', 'CSeq: 1 REGISTER'), False, 97)
    rcc = f'--uniqueBoundary\r\nContent-Type: application/x-cisco-remotecc-request+xml\r\nContent-ID: <{w("rcc cid")}@a>\r\n\r\n<x-cisco-remotecc-request><softkeyeventmsg><softkeyevent>Conference</softkeyevent><dialogid><callid>{w("rcc callid")}@{ip("rcc ip")}</callid><localtag>{mac("rcc tag").hex()}0001</localtag><remotetag>{w("rcc rt")}</remotetag></dialogid><linenumber>1</linenumber><devicename>SEP{mac("rcc device").hex().upper()}</devicename><statusText>{w("rcc text")}</statusText></softkeyeventmsg></x-cisco-remotecc-request>\r\n--uniqueBoundary--\r\n'
    c.send(talk, sip('REFER sip:a@10.20.30.1 SIP/2.0', 'Via: SIP/2.0/TCP 10.20.30.40', 'From: <sip:1@10.20.30.1>;tag=1', 'To: <sip:1@10.20.30.1>', 'Call-ID: 1', 'CSeq: 1 REFER', 'Content-Type: multipart/mixed; boundary=uniqueBoundary', body=rcc), pieces=97)
    alarm = f'<?xml version="1.0"?><x-cisco-alarm><Alarm Name="LastOutOfServiceInformation"><ParameterList><String name="DeviceName">SEP{mac("xa device").hex().upper()}</String><String name="DeviceIPv4Address">{ip("xa ip")}</String><String name="LastProtocolEventSent">Sent:REGISTER sip:{w("xa domain")}.com SIP/2.0  Cseq:103 REGISTER CallId:{w("xa callid")}@10.1.1.1</String><String name="NeighborDeviceID">{w("xa neighbour")}</String><Enum name="ReasonForOutOfService">25</Enum><String name="ActiveInterface">Wired</String></ParameterList></Alarm></x-cisco-alarm>'
    c.udp(5060, 5060, sip('REFER sip:a@10.20.30.1 SIP/2.0', 'Via: SIP/2.0/UDP 10.20.30.40', 'Call-ID: 1', 'CSeq: 1 REFER', 'Content-Type: application/x-cisco-alarm+xml', body=alarm))
    c.udp(5060, 5060, wb('not sip') + b' \1\2\3 ' + wb('not sip2'))
    c.udp(5060, 5060, sip('OPTIONS sip:a@10.20.30.1 SIP/2.0', 'Via: SIP/2.0/UDP 10.20.30.40', 'Call-ID: 1', 'CSeq: 1 REFER', 'Content-Type: text/plain', body=f'note {w("plain1")}\n{w("plain2")}: {w("plain3")}\npin={d("plain pin")}\ncount: {d("plain count")}'))


def sccp_words(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    sk = (50003, 2000)
    c.connect(sk)

    def say(i, b, ph=True):
        c.send(sk, sccp(i, b), ph, 57)

    say(1, fixed('SEP001D45AABBCC', 16) + struct.pack('<II', 0, 1) + ip4(PHONE) + struct.pack('<III', 30018, 0, 0) + b'\x16\0\0\0' + struct.pack('<IIII', 0, 0, 0, 0) + PHONE_MAC.hex().encode() + bytes(40))
    say(0x81, struct.pack('<I', 30) + fixed('D/M/Y', 8) + struct.pack('<I', 30) + b'\x16\0\0\0', False)
    say(0x20, struct.pack('<I', 2) + fixed(f'25: Name={w("sccp alarm")} Load=9.4 Parms=Status/IPaddr: {w("alarm parms")}', 80) + struct.pack('<II', 0, 0) + ip4(ip('alarm address')))
    say(0x9d, fixed(f'Error: DB Config {w("reject text")}', 33), False)
    say(0x92, struct.pack('<I', 1) + fixed(d('line'), 24) + fixed(w('line name'), 40) + fixed(w('line label'), 40) + struct.pack('<I', 0), False)
    say(0x91, struct.pack('<I', 1) + fixed(d('speed'), 24) + fixed(w('speed name'), 40), False)
    say(0x8f, fixed(w('callinfo'), 40) + fixed(d('cgpn'), 24) + fixed(w('called'), 40) + fixed(d('cdpn'), 24) + struct.pack('<IIII', 1, 5, 1, 0) + bytes(300), False)
    say(0x149, bytes(28) + b''.join(wb('v2 dynamic') + b'\0' for _ in range(9)), False)
    say(0x14a, b''.join(wb('14a') + b'\0' for _ in range(9)), False)
    say(0x145, struct.pack('<I', 0) + bytes(4) + wb('dynamic') + b'\0', False)
    say(0x143, struct.pack('<II', 3, 0) + c.keep(w('utf16').encode('utf-16-le'), 'utf16le'), False)
    say(0x105, struct.pack('<IIIIIIHH', 1, 2, 20, 4, 0, 0, 16, 14) + wb('sccp key', 16) + wb('sccp salt', 14) + bytes(80), False)
    say(0x8a, struct.pack('<II', 1, 1) + ip4(ip('media')) + struct.pack('<III', 20000, 20, 4) + bytes(60), False)
    say(0x11e, struct.pack('<IIIII', 1, 1, 1, 1, 60) + f'<CiscoIPPhoneText><Text>{w("user data")}</Text></CiscoIPPhoneText>'.encode().ljust(60), False)
    say(0x4, fixed(d('enbloc'), 24) + struct.pack('<I', 1))
    say(0x9f, struct.pack('<I', 1), False)
    say(0x7777, wb('unknown sccp') + bytes(7))
    say(0x30, fixed(d('lic'), 24))


def tls(c):
    w, wb, d, ip, mac = c.word, c.letters, c.number, c.address, c.mac
    ch = b'\3\3' + bytes(32) + b'\0' + b'\0\2\x13\1' + b'\1\0'
    sni = wb('sni') + b'.com'
    ext = struct.pack('>HHHBH', 0, len(sni) + 5, len(sni) + 3, 0, len(sni)) + sni
    ch += struct.pack('>H', len(ext)) + ext
    hs = b'\1' + struct.pack('>I', len(ch))[1:] + ch
    tl = (50020, 2443)
    c.connect(tl)
    c.send(tl, b'\x16\3\1' + struct.pack('>H', len(hs)) + hs, pieces=50)
    cert = b'\x0b' + struct.pack('>I', 60)[1:] + (wb('cert') + b' ' + wb('cert2')).ljust(60)
    c.send(tl, b'\x16\3\3' + struct.pack('>H', len(cert)) + cert, False, 50)


def streams(path):
    """What TCP carried, put together again by another program."""
    asked = [word for i in range(6) for word in ('-z', f'follow,tcp,raw,{i}')]
    text = subprocess.run(['tshark', '-r', path, '-q', *asked], capture_output=True, text=True, timeout=300, check=False).stdout
    return bytes.fromhex(''.join(re.findall(r'^\t?((?:[0-9a-f]{2})+)$', text, re.M)))


def forms(secret):
    """How it may look when it was not disguised, or only half."""
    if isinstance(secret, bytes):
        return [secret, secret.hex().encode()]
    if re.fullmatch(r'\d+\.\d+\.\d+\.\d+', secret):
        return [secret.encode(), ip4(secret)]
    return [secret.lower().encode(), secret[1:].lower().encode()]


def left_in(bytes_, secrets):
    low = bytes_.lower()
    return {where: s for s, where in secrets.items() if any(f in bytes_ or f in low for f in forms(s))}


def causes(text):
    """What the doctor finds, and in which packets."""
    return re.findall(r'\[[a-z-]+; [^]]*\]', text)


def test_no_secret_is_left_wherever_it_stood(tmp_path):
    c = Places()
    for place in (link, dhcp, dns, unknown, tftp, http, sip_words, sccp_words, tls):
        place(c)
    capture, out = tmp_path / 'in.pcap', tmp_path / 'out1.pcapng'
    c.write(capture)
    assert len(left_in(b''.join(c.frames) + streams(capture), c.secrets)) > 240  # they can be found

    def run(n):
        made = anonymise(capture, tmp_path / f'out{n}.pcapng')
        return left_in(made + b'\0\0' + streams(tmp_path / f'out{n}.pcapng'), c.secrets)

    assert left_each_time(run) == set()
    kept = out.read_bytes() + streams(out)
    for word in (b'SIP41.9-4-2', b'Cisco-CP7961G/9.4.2', b'Cisco IP Phone 7961', b'octet', b'a=rtpmap:0 PCMU/8000', b'403 Not'):
        assert word in kept, word
    assert causes(doctor(out)[1]) == causes(doctor(capture)[1]) != []


TRACE = """\
00000001.000 |12:00:00.000 |FileHead |UTC:+01:00,Date: 2026/11/21, AppName: CCM, AppId: 100, HostName: {host}, HostIPAddress: 10.20.30.1, FileNumber: 1
00000011.001 |12:00:01.101 |AppInfo  |AlarmClass: CallManager, AlarmName: EndPointTransientConnection, AlarmSeverity: Error, \
AlarmDescription: {text}, AlarmParameters:  ConnectingPort:2000, DeviceName:SEP001D45AABBCC, IPAddress:10.20.30.40, DeviceType:115, Reason:1, Protocol:SCCP
00000013.000 |12:00:02.000 |AppInfo  |Digits {dialled} cn={person} {person2}, userid={userid} password={password} mac=001d.45aa.bbcc
00000014.000 |12:00:05.000 |AppInfo  |SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from 10.20.30.40 on port 50002 index 5 with 380 bytes:
[17,NET]
REGISTER sip:{domain}.example.com SIP/2.0
Via: SIP/2.0/TCP 10.20.30.40:50002;branch=z9hG4bK{branch}
From: "{display}" <sip:{user}@10.20.30.1>;tag=001d45aabbcc0001
To: <sip:{user}@10.20.30.1>
Call-ID: {callid}@10.20.30.40
CSeq: 101 REGISTER
Authorization: Digest username="{account}",realm="{realm}",nonce="{nonce}",response="{response}",uri="sip:10.20.30.1"
Contact: <sip:{user}@10.20.30.40:50002>;+u.sip!devicename.ccm.cisco.com="SEP001D45AABBCC"
Expires: 3600
Content-Length: 0

"""


def a_trace(c):
    return TRACE.format(host=c.word('host'), text=c.word('text'), dialled=c.number('dialled'), person=c.word('person'), person2=c.word('person2'),
                        userid=c.word('userid'), password='cisco', domain=c.word('domain'), branch=c.word('branch'), display=c.word('display'),
                        user=c.number('user'), callid=c.word('callid'), account=c.word('account'), realm=c.word('realm'),
                        nonce=c.word('nonce'), response=c.number('response', 32))


def test_a_trace_loses_the_same_and_still_fits_its_capture(tmp_path):
    c = Places()
    capture, trace, out = tmp_path / 'in.pcap', tmp_path / 'SDL001_100_000001.txt', tmp_path / 'out'
    trace.write_text(a_trace(c))
    secrets = dict(c.secrets)
    link(c)
    dhcp(c)
    c.write(capture)

    def run(n):
        to = out / str(n)
        done = subprocess.run([DIALTONE, 'doctor', capture, trace, '--anonymise', to], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        text = (to / trace.name).read_text()
        return [*left_in(text.encode(), secrets), *(w for w in ('001D45AABBCC', '001d.45aa.bbcc', '10.20.30.40', 'password=cisco') if w in text)]

    out.mkdir()
    assert left_each_time(run) == set()
    text = (out / '1' / trace.name).read_text()
    for word in ('EndPointTransientConnection', 'Reason:1,', 'DeviceType:115', '12:00:01.101', 'REGISTER sip:', ':50002', 'Expires: 3600'):
        assert word in text, word
    before, after = doctor(capture, trace)[1], doctor(*(out / '1').iterdir())[1]
    assert causes(before) == causes(after) != []
    assert set(re.findall(r'SEP[0-9A-F]{12}', text)) <= set(re.findall(r'SEP[0-9A-F]{12}', after))
