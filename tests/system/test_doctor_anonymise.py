"""Captures made anonymous: no word of the original is left, wherever it was split, and the doctor says the same."""
import os
import pathlib
import re
import struct
import subprocess

import pytest

DIALTONE = pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve()
CORPUS = pathlib.Path(__file__).resolve().parents[2] / 'tests/fuzz/corpus/capture'

PHONE_MAC, SERVER_MAC = bytes.fromhex('001d45aabbcc'), bytes.fromhex('001b2b112233')
PHONE, SERVER = '10.20.30.40', '10.20.30.1'
PHONE6, SERVER6 = '2001:db8:77:1::4242', '2001:db8:77:1::1'


def ip4(text):
    return bytes(int(n) for n in text.split('.'))


def ip6(text):
    import ipaddress
    return ipaddress.ip_address(text).packed


class Capture:
    """Frames between one phone and one server, a hundredth of a second apart."""

    def __init__(self):
        self.frames, self.seq, self.ident = [], {}, 0

    def frame(self, payload, kind=0x0800, from_phone=True, to=None):
        a, b = (PHONE_MAC, SERVER_MAC) if from_phone else (SERVER_MAC, PHONE_MAC)
        self.frames.append((to or b) + a + struct.pack('>H', kind) + payload)

    def ip(self, protocol, body, from_phone=True, fragment=0):
        a, b = (PHONE, SERVER) if from_phone else (SERVER, PHONE)
        self.ident += not fragment
        head = struct.pack('>BBHHHBBH', 0x45, 0x60, 20 + len(body), self.ident, fragment, 64, protocol, 0) + ip4(a) + ip4(b)
        self.frame(head + body, from_phone=from_phone)

    def ip6(self, protocol, body, from_phone=True):
        a, b = (PHONE6, SERVER6) if from_phone else (SERVER6, PHONE6)
        self.frame(struct.pack('>IHBB', 0x60000000, len(body), protocol, 64) + ip6(a) + ip6(b) + body, 0x86dd, from_phone)

    def udp(self, phone_port, server_port, body, from_phone=True, v6=False):
        a, b = (phone_port, server_port) if from_phone else (server_port, phone_port)
        (self.ip6 if v6 else self.ip)(17, struct.pack('>HHHH', a, b, 8 + len(body), 0) + body, from_phone)

    def fragments(self, phone_port, server_port, body, size):
        whole = struct.pack('>HHHH', phone_port, server_port, 8 + len(body), 0) + body
        self.ident += 1
        for at in range(0, len(whole), size):
            more = 0x2000 if at + size < len(whole) else 0
            head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(whole[at:at + size]), self.ident, more | at // 8, 64, 17, 0)
            self.frame(head + ip4(PHONE) + ip4(SERVER) + whole[at:at + size])

    def tcp(self, ports, body, from_phone=True, flags=0x18, seq=None):
        key = (ports, from_phone)
        at = self.seq.setdefault(key, 1000) if seq is None else seq
        a, b = ports if from_phone else ports[::-1]
        head = struct.pack('>HHIIBBHHH', a, b, at, self.seq.get((ports, not from_phone), 0), 0x50, flags, 8192, 0, 0)
        self.ip(6, head + body, from_phone)
        if seq is None:
            self.seq[key] = at + len(body) + bool(flags & 3)
        return at

    def connect(self, ports):
        self.tcp(ports, b'', True, 2)
        self.tcp(ports, b'', False, 0x12)
        self.tcp(ports, b'', True, 0x10)

    def send(self, ports, body, from_phone=True, pieces=13):
        """In segments of that many bytes, one of them sent twice."""
        for i in range(0, len(body), pieces):
            at = self.tcp(ports, body[i:i + pieces], from_phone)
            if i // pieces == 2:
                self.tcp(ports, body[i:i + pieces], from_phone, seq=at)
        self.tcp(ports, b'', not from_phone, 0x10)

    def write(self, path):
        data = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
        for i, f in enumerate(self.frames):
            data += struct.pack('<IIII', 1700000000 + i // 100, i % 100 * 10000, len(f), len(f)) + f
        path.write_bytes(data)


def sccp(ident, body):
    return struct.pack('<III', len(body) + 4, 0, ident) + body


def fixed(word, n):
    return word.encode().ljust(n, b'\0')


def sip(start, *headers, body=''):
    return '\r\n'.join((start,) + headers + (f'Content-Length: {len(body)}', '', body)).encode()


WORDS = ['Quetzal', 'Zanzibar', 'Marmalade', 'Pumpernickel', 'Xylograph', 'Kaleidoscope', 'Flamingo', 'Ocelot', 'Wolverine', 'Armadillo',
         'Chinchilla', 'Barracuda', 'Salamander', 'Porcupine', 'Dromedary', 'Pangolin', 'Tarantula', 'Mongoose', '5558675309', '4242']


def planted():
    """A capture with each of WORDS somewhere, most of them over the end of a packet."""
    c = Capture()
    cdp = b'\xaa\xaa\x03\x00\x00\x0c\x20\x00\x02\xb4\x00\x00' + struct.pack('>HH', 1, 4 + 7) + b'Quetzal'
    cdp += struct.pack('>HH', 3, 4 + 6) + b'Port 1'
    c.frame(cdp, len(cdp), to=bytes.fromhex('01000ccccccc'))
    lldp = b''.join(struct.pack('>H', t << 9 | len(v)) + v for t, v in (
        (1, b'\x07Zanzibar'), (2, b'\x05Port 1'), (3, b'\0\x78'), (4, b'Marmalade'), (5, b'Zanzibar'), (0, b'')))
    c.frame(lldp, 0x88cc, to=bytes.fromhex('0180c200000e'))
    dhcp = struct.pack('>BBBBIHH', 1, 1, 6, 0, 7, 0, 0) + bytes(16) + PHONE_MAC.ljust(16, b'\0') + bytes(192) + b'c\x82Sc'
    dhcp += bytes((53, 1, 1, 12, 12)) + b'Pumpernickel' + bytes((60, 11)) + b'Cisco 7961G' + b'\xff'
    c.udp(68, 67, dhcp)
    config = ('<device><devicePool><callManagerGroup><members><member priority="0"><callManager><name>Xylograph</name><ports>'
              '<ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.20.30.1</processNodeName></callManager></member>'
              '</members></callManagerGroup></devicePool><loadInformation>SCCP41.9-4-2</loadInformation>'
              '<servicesURL>http://kaleidoscope.example.com/x</servicesURL><srstInfo name="Flamingo"/></device>').encode()
    assert len(config) > 340
    c.udp(50001, 69, b'\0\1SEP001D45AABBCC.cnf.xml\0octet\0blksize\0' + b'64\0')
    c.udp(50001, 40001, b'\0\6blksize\0' + b'64\0', False)
    c.udp(50001, 40001, struct.pack('>HH', 4, 0))
    for i in range(len(config) // 64 + 1):  # the words stand over the ends of blocks
        c.udp(50001, 40001, struct.pack('>HH', 3, i + 1) + config[i * 64:i * 64 + 64], False)
        if i == 1:
            c.udp(50001, 40001, struct.pack('>HH', 3, i + 1) + config[i * 64:i * 64 + 64], False)
        c.udp(50001, 40001, struct.pack('>HH', 4, i + 1))
    c.udp(50002, 69, b'\0\1CSFOcelot.cnf.xml\0octet\0')
    skinny = (50003, 2000)
    c.connect(skinny)
    c.send(skinny, sccp(1, fixed('SEP001D45AABBCC', 16) + struct.pack('<II', 0, 1) + ip4(PHONE) + struct.pack('<III', 30018, 0, 0) + b'\x0b\0\0\0'))
    c.send(skinny, sccp(0x81, struct.pack('<I', 30) + fixed('D/M/Y', 8) + struct.pack('<I', 30) + b'\x0b\0\0\0'), False)
    c.send(skinny, sccp(0x92, struct.pack('<I', 1) + fixed('5558675309', 24) + fixed('Wolverine', 40) + fixed('Wolverine', 40)
                        + struct.pack('<I', 0)), False)
    c.send(skinny, sccp(0x112, struct.pack('<I', 0) + fixed('Armadillo', 32) + struct.pack('<II', 1, 1)), False)
    c.send(skinny, sccp(0x8a, struct.pack('<II', 1, 1) + ip4('10.20.30.77') + struct.pack('<II', 20000, 20) + bytes(60)), False)
    talk = (50004, 5060)
    c.connect(talk)
    xml = '<?xml version="1.0"?><presence entity="sip:4242@barracuda.example.com"><tuple id="x"><note>Chinchilla</note></tuple></presence>'
    c.send(talk, sip('NOTIFY sip:4242@barracuda.example.com SIP/2.0', 'Via: SIP/2.0/TCP salamander.example.com:5060;branch=z9hG4bK1',
                     'From: Porcupine <sip:4242@barracuda.example.com>;tag=1', 'To: "Dromedary" <sip:1@10.20.30.1>',
                     'Call-ID: 1@pangolin.example.com', 'CSeq: 1 NOTIFY', 'Event: presence', 'Subject: Tarantula', body=xml), pieces=11)
    sdp = 'v=0\r\no=Mongoose 1 1 IN IP6 2001:db8:77:1::4242\r\ns=Mongoose\r\nc=IN IP6 2001:db8:77:1::4242\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n'
    invite = sip('INVITE sip:5558675309@10.20.30.1 SIP/2.0', 'Via: SIP/2.0/UDP [2001:db8:77:1::4242]:5060;branch=z9hG4bK2',
                 'From: <sip:4242@10.20.30.1>;tag=2', 'To: <sip:5558675309@10.20.30.1>', 'Call-ID: 2@10.20.30.40', 'CSeq: 2 INVITE', body=sdp)
    c.udp(5060, 5060, invite, v6=True)
    c.fragments(5060, 5060, invite, 64)
    return c


def doctor(path, *words):
    done = subprocess.run([DIALTONE, 'doctor', path, *words], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, done.stdout


def anonymise(path, out):
    done = subprocess.run([DIALTONE, 'doctor', path, '--anonymise', out], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


def left_each_time(run):
    """What every one of several runs left: each disguises by a key of its own, and what comes again by chance comes once."""
    left = set(run(1))
    for n in range(2, 6):
        left = left and left & set(run(n))
    return left


def nameless(text):
    """What the doctor says without what it says it of."""
    return re.sub(r'[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|\d+\.\d+\.\d+\.\d+|(CTL|ITL)?SEP[0-9A-F]{12}', '', text)


def test_no_word_is_left_however_it_was_split(tmp_path):
    capture = tmp_path / 'in.pcap'
    planted().write(capture)
    whole = b''.join(planted().frames)
    parts = [part for word in WORDS for part in (word, word[:5], word[-5:]) if len(part) > 5 or part.encode() in whole]  # halves as wholes
    addresses = (ip4(PHONE), ip6(PHONE6), ip6(PHONE6)[8:], PHONE_MAC, b'2001:db8:77', ip4('10.20.30.77'))

    def run(n):
        made = anonymise(capture, tmp_path / f'out{n}.pcapng')
        joined = subprocess.run(['tshark', '-r', tmp_path / f'out{n}.pcapng', '-q', '-z', 'follow,tcp,raw,0', '-z', 'follow,tcp,raw,1'],
                                capture_output=True, text=True, timeout=300, check=False).stdout
        streams = bytes.fromhex(''.join(re.findall(r'^\t?((?:[0-9a-f]{2})+)$', joined, re.M)))
        assert len(streams) > 500
        return [part for part in parts if part.lower().encode() in (made + b'\0' + streams).lower()] + [a for a in addresses if a in made + streams]

    assert left_each_time(run) == set()
    made = (tmp_path / 'out1.pcapng').read_bytes()
    assert b'SCCP41.9-4-2' in made and b'Cisco 7961G' in made


def test_what_was_split_is_still_understood(tmp_path):
    capture, out = tmp_path / 'in.pcap', tmp_path / 'out.pcapng'
    planted().write(capture)
    anonymise(capture, out)
    assert nameless(doctor(out)[1]) == nameless(doctor(capture)[1])
    for what in ('skinny', 'sip', 'tftp', 'dhcp', 'cdp', 'lldp'):
        counts = [subprocess.run(['tshark', '-r', f, '-Y', what], capture_output=True, text=True, timeout=300, check=False).stdout.count('\n')
                  for f in (capture, out)]
        assert counts[0] == counts[1] > 0, what


@pytest.mark.parametrize('name', sorted(f.name for f in CORPUS.glob('*.pcap*')))
def test_the_doctor_says_the_same_of_both(name, tmp_path):
    anonymise(CORPUS / name, tmp_path / 'out.pcapng')
    before, after = doctor(CORPUS / name, '--json'), doctor(tmp_path / 'out.pcapng', '--json')
    causes = [re.findall(r'"cause": "([a-z-]+)"', text) for _, text in (before, after)]
    assert before[0] == after[0] and causes[0] == causes[1]
