"""Every SCCP message in every layout, judged by Wireshark's dissector."""
import os
import pathlib
import struct
import subprocess

import pytest

VERSIONS = [0, 3, 6, 8, 11, 15, 17, 18, 20, 22]
FRAMES = pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve().parent / 'tests/system/sccp_frames'

# Where the dissector of Wireshark 4.0 is wrong or cannot know: message -> (versions, reason).
# The header carries no version below 10, so it reads all of those by one layout, that of 5 to 9.
LIMITS = {
    'RegisterAck': (range(0, 3), 'CallManager 2 sends 12 bytes; it expects 20'),
    'LineStat': (range(0, 6), 'CallManager 2 to 3.3 cut the fields at the end'),
    'CallInfo': (range(0, 5), 'CallManager 2 sends 128 bytes, 3 and 4 send 372; it expects 384'),
    'CallState': (range(0, 5), 'three words up to version 4'),
    'StartTone': (range(0, 5), 'one word up to version 4'),
    'StopTone': (range(0, 5), 'empty up to version 4'),
    'SetRinger': (range(0, 5), 'one word up to version 4'),
    'Stimulus': (range(0, 9), 'two or three words up to version 8'),
    'RegisterTokenReq': (range(0, 11), 'no IPv6 address up to version 10'),
    'CloseReceiveChannel': (range(0, 5), 'two words up to version 4'),
    'StopMediaTransmission': (range(0, 5), 'shorter up to version 4'),
    'MulticastMediaReceptionAck': (range(0, 5), 'two words up to version 4'),
    'OpenReceiveChannel': (range(0, 15), 'mixing mode and source come with version 15: a Unified CM 7 sends '
                           '92 bytes to version 11; it expects them from 11 on'),
    'StartMediaTransmission': (range(0, 11), 'no mixing mode up to version 10; the encryption block of version 6'
                               ' has 40 bytes'),
    'ConnectionStatisticsRes': (range(18, 21), 'it reads the processing word as a byte before version 21'),
    'LocationInfo': (range(0, 23), 'it insists on the full 2401 bytes'),
    'AddOnDeviceCapabilities': (range(0, 23), 'its text begins 24 bytes early, in the zeroes before ours'),
}
# Ids that it has no name for.
UNNAMED = {0x0011, 0x008c, 0x008d, 0x009c, 0xff00, 0xff02, 0xff03, 0xff04}


def pcap(path, frames):
    """Raw IPv4 packets of one TCP connection, a frame each."""
    seq = {'phone': 1, 'server': 1}
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for i, (who, data) in enumerate(frames):
            other = 'server' if who == 'phone' else 'phone'
            ports = (50000, 2000) if who == 'phone' else (2000, 50000)
            ends = (b'\x0a\0\0\2', b'\x0a\0\0\1') if who == 'phone' else (b'\x0a\0\0\1', b'\x0a\0\0\2')
            tcp = struct.pack('>HHIIBBHHH', *ports, seq[who], seq[other], 0x50, 0x18, 65535, 0, 0) + data
            ip = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(tcp), i, 0, 64, 6, 0) + ends[0] + ends[1]
            seq[who] += len(data)
            f.write(struct.pack('<IIII', i, 0, len(ip + tcp), len(ip + tcp)) + ip + tcp)


def dissect(path):
    fields = ['skinny.messageId', '_ws.malformed', '_ws.expert.message']
    command = ['tshark', '-n', '-r', str(path), '-T', 'fields'] + [w for f in fields for w in ('-e', f)]
    return [line.split('\t') for line in
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()]


@pytest.mark.parametrize('version', VERSIONS)
def test_wireshark_reads_every_message(version, tmp_path):
    lines = [line.split() for line in
             subprocess.run([FRAMES, str(version)], capture_output=True, text=True, check=True).stdout.splitlines()]
    pcap(tmp_path / 'all.pcap', [(who, bytes.fromhex(data)) for _, _, who, data in lines])
    verdicts = dissect(tmp_path / 'all.pcap')
    assert len(lines) > 170 and len(verdicts) == len(lines)
    wrong = []
    for (number, name, _, _), (seen, malformed, expert) in zip(lines, verdicts):
        limited = version in LIMITS.get(name, ((), ''))[0]
        if int(seen) != int(number, 16) or ((malformed or expert) and not limited):
            wrong.append((number, name, seen, malformed, expert))
    assert not wrong


def test_wireshark_names_every_message(tmp_path):
    lines = [line.split() for line in
             subprocess.run([FRAMES, '22'], capture_output=True, text=True, check=True).stdout.splitlines()]
    pcap(tmp_path / 'all.pcap', [(who, bytes.fromhex(data)) for _, _, who, data in lines])
    text = subprocess.run(['tshark', '-n', '-r', tmp_path / 'all.pcap', '-V'], capture_output=True, text=True,
                          check=True).stdout
    unnamed = {int(line.split('(')[1].rstrip(')')) for line in text.splitlines() if 'Message ID: Unknown' in line}
    assert unnamed == UNNAMED
