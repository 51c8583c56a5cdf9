"""Every kind of SIP message that we write, judged by Wireshark's dissector."""
import os
import pathlib
import struct
import subprocess

import pytest

FRAMES = pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve().parent / 'tests/system/sip_frames'
FIELDS = ['sip.Method', 'sip.Status-Code', 'sip.CSeq.seq', 'sip.Call-ID', '_ws.malformed', '_ws.expert.message']
# RFC 8262; Wireshark 4.0 does not know it yet.
HARMLESS = ('Unrecognised SIP header (content-id)',)


def pcap(path, transport, frames):
    """Raw IPv4 packets of one flow, a message each."""
    seq = {'phone': 1, 'server': 1}
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for i, (who, data) in enumerate(frames):
            other = 'server' if who == 'phone' else 'phone'
            ends = (b'\x0a\0\0\2', b'\x0a\0\0\1') if who == 'phone' else (b'\x0a\0\0\1', b'\x0a\0\0\2')
            if transport == 'udp':
                payload = struct.pack('>HHHH', 5060, 5060, 8 + len(data), 0) + data
            else:
                payload = struct.pack('>HHIIBBHHH', 5060, 5060, seq[who], seq[other], 0x50, 0x18, 65535, 0, 0) + data
            protocol = 17 if transport == 'udp' else 6
            ip = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(payload), i, 0, 64, protocol, 0) + ends[0] + ends[1]
            seq[who] += len(data)
            f.write(struct.pack('<IIII', i, 0, len(ip + payload), len(ip + payload)) + ip + payload)


def messages(transport):
    lines = [line.split() for line in
             subprocess.run([FRAMES], capture_output=True, text=True, check=True).stdout.splitlines()]
    return [line[1:] for line in lines if line[0] == transport]


def dissect(path, *more):
    command = ['tshark', '-n', '-r', str(path), '-T', 'fields', '-E', 'aggregator=|']
    command += [w for f in FIELDS for w in ('-e', f)] + list(more)
    return [line.split('\t') for line in
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()]


@pytest.mark.parametrize('transport', ['udp', 'tcp'])
def test_wireshark_reads_every_message(transport, tmp_path):
    ours = messages(transport)
    pcap(tmp_path / 'all.pcap', transport, [(who, bytes.fromhex(data)) for who, _, _, data in ours])
    verdicts = dissect(tmp_path / 'all.pcap')
    assert len(ours) > 80 and len(verdicts) == len(ours)
    wrong = []
    for (_, what, cseq, _), (method, status, seen, call_id, malformed, experts) in zip(ours, verdicts):
        bad = [e for e in experts.split('|') if e and not e.startswith(HARMLESS)]
        if (method or status) != what or seen != cseq or malformed or bad or not call_id.startswith('00112233-'):
            wrong.append((what, method, status, seen, call_id, malformed, bad))
    assert not wrong


def test_wireshark_finds_the_parts_of_bodies(tmp_path):
    ours = messages('tcp')
    pcap(tmp_path / 'all.pcap', 'tcp', [(who, bytes.fromhex(data)) for who, _, _, data in ours])
    text = subprocess.run(['tshark', '-n', '-r', tmp_path / 'all.pcap', '-V', '-Y', 'mime_multipart'],
                          capture_output=True, text=True, check=True).stdout
    assert 'x-cisco-remotecc-request+xml (' in text and 'action=check-version' in text and 'Last boundary' in text
