"""CDP and LLDP-MED, with lldpd as the foreign neighbour and tshark as the judge."""
import json
import pathlib
import struct
import tempfile

import pytest

from conftest import Capture, judge, run, tree, until

VLAN = 110
MAC = bytes.fromhex('001d45aa0001')


@pytest.fixture
def office(lan, server):
    lan.address()
    return server.start('cdp.interfaces=eth0', f'cdp.voice_vlan={VLAN}', 'tftp.port=0', 'files.http_port=0')


def lldpd(lan, tmp_path, *words):
    """lldpd in the client's namespace, with a socket of its own: its unprivileged half must reach it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='dt-lldpd-'))
    folder.chmod(0o755)
    lan.folders.append(folder)
    lan.client.start('lldpd', '-d', '-u', folder / 'lldpd.sock', '-O', '/dev/null', '-I', 'eth0', '-S', 'a phone',
                     *words, stdout=open(tmp_path / 'lldpd.log', 'w', encoding='utf-8'))

    def neighbours():
        done = lan.client.run('lldpcli', '-u', folder / 'lldpd.sock', '-f', 'json', 'show', 'neighbors', 'details', check=False)
        return done.stdout if done.returncode == 0 else ''
    return neighbours


def test_lldpd_reads_our_lldp_with_the_voice_vlan(lan, office, tmp_path):
    neighbours = lldpd(lan, tmp_path, '-M', '3')  # a communication device
    text = until(lambda: t if 'policy' in (t := neighbours()) else '', 120)
    policy = json.dumps(json.loads(text))
    assert f'"vid": {VLAN}' in policy or f'"vid": "{VLAN}"' in policy or f'"value": "{VLAN}"' in policy, text
    assert '"pri"' in policy or 'priority' in policy


def test_lldpd_reads_our_cdp(lan, office, tmp_path):
    neighbours = lldpd(lan, tmp_path, '-ll', '-cc')  # no LLDP, CDPv2 enforced
    text = until(lambda: t if 'CDPv2' in (t := neighbours()) else '', 120)
    assert 'eth0' in text


def test_we_read_lldpd(lan, office, tmp_path):
    lldpd(lan, tmp_path, '-M', '3')
    row = until(lambda: office.json('port', 'list'), 120)
    assert 'eth0' in json.dumps(row)


# -- a phone by hand -------------------------------------------------------------------------------------------------

def checksum(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data[:len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] if data[-1] < 0x80 else 0xff00 | (data[-1] - 1)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def cdp_of_a_phone(version=b'SCCP41.8-2-1S', name=b'SEP001D45AA0001', platform=b'Cisco IP Phone 7961'):
    def tlv(kind, value):
        return struct.pack('>HH', kind, len(value) + 4) + value
    body = b'\2\xb4\0\0' + tlv(1, name) + tlv(3, b'Port 1') + tlv(4, b'\0\0\4\x90') + tlv(5, version) + \
        tlv(6, platform) + tlv(15, b'\x20\2\0\1') + tlv(11, b'\1') + tlv(16, b'\x18\x9c')
    body = body[:2] + struct.pack('>H', checksum(body)) + body[4:]
    payload = bytes.fromhex('aaaa0300000c2000') + body
    return bytes.fromhex('01000ccccccc') + MAC + struct.pack('>H', len(payload)) + payload


def raw(lan):
    return lan.client.inside(Capture.open)


@pytest.mark.parametrize('version', [b'SCCP41.8-2-1S', b'SCCP41.8-2-1SX'])
def test_a_phone_that_asks_is_told_its_vlan_at_once(lan, office, capture, version):
    seen = capture()
    s = raw(lan)
    s.settimeout(45)
    s.send(cdp_of_a_phone(version))
    while True:  # at once: within the time-out, not at the next minute
        frame = s.recv(2000)
        if frame[:6] == bytes.fromhex('01000ccccccc') and frame[6:12] != MAC:
            break
    assert struct.pack('>HHBH', 0x0e, 7, 1, VLAN) in frame
    assert checksum(frame[22:14 + struct.unpack('>H', frame[12:14])[0]]) in (0, 0xffff)
    row = until(lambda: office.json('port', 'list'))
    assert 'SEP001D45AA0001' in json.dumps(row)
    judge(seen.close(), 'cdp or lldp')
    text = tree(seen.path, 'cdp')
    assert f'Voice VLAN: {VLAN}' in text or f'VLAN: {VLAN}' in text
    assert 'Unknown' not in text.replace('Unknown: 0x01', '')
    assert 'incorrect' not in text.lower() and '[Bad' not in text


def test_garbage_frames_harm_nobody(lan, office):
    s = raw(lan)
    good = cdp_of_a_phone()
    for n in range(14, len(good)):
        s.send(good[:n].ljust(60, b'\0'))
    for n in range(1, 60):
        s.send(bytes.fromhex('0180c200000e') + MAC + b'\x88\xcc' + bytes(n * 7 % 256 for _ in range(n)) + b'\xff' * 30)
    s.send(good)
    until(lambda: 'SEP001D45AA0001' in json.dumps(office.json('port', 'list')))


def test_nothing_is_said_on_an_interface_that_nobody_named(lan, server, capture):
    seen = capture('client')
    lan.address()
    server.start('tftp.port=0', 'files.http_port=0')
    s = raw(lan)
    s.send(cdp_of_a_phone())
    server.ask('status')  # the server has had its chance
    server.kill(15)
    assert run('tshark', '-n', '-r', seen.close(), '-Y', '(cdp or lldp) and eth.src != 00:1d:45:aa:00:01').stdout == ''
