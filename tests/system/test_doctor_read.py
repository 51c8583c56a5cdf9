"""What the doctor reads of a capture, beside what tshark reads of it."""
import collections
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import zipfile

import pytest

DIALTONE = pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve()
CAPTURE = DIALTONE.parent / 'bench' / 'bench_capture'
SIGHT = re.compile(r'^\d+ \S+ \S+ > \S+ (\w+)(?: #\d+[<>])?(?: (\S+))?')


@pytest.fixture(scope='module')
def capture(tmp_path_factory):
    path = tmp_path_factory.mktemp('doctor') / 'phones.pcap'
    with open(path, 'wb') as f:
        subprocess.run([CAPTURE, '--phones', '200', '--bytes', '3000000', '--silent'], stdout=f, check=True)
    return path


def sights(path, **more):
    r = subprocess.run([DIALTONE, 'doctor', path, '--sights'], capture_output=True, timeout=300, **more)
    return r.returncode, r.stdout.decode().splitlines(), r.stderr.decode()


def tshark(path, *filters):
    words = ['tshark', '-r', path, '-T', 'fields', '-e', 'frame.number', '-Y', *filters]
    return len(subprocess.run(words, capture_output=True, text=True, timeout=300, check=True).stdout.split())


@pytest.mark.skipif(not shutil.which('tshark'), reason='needs tshark')
def test_counts_are_those_of_tshark(capture):
    _, lines, _ = sights(capture)
    n = collections.Counter((m[1], m[2] if m[1] in ('SCCP', 'TCP', 'DHCP') else '') for m in map(SIGHT.match, lines))
    assert n['DHCP', 'DISCOVER'] == tshark(capture, 'dhcp.option.dhcp == 1') == 200
    assert n['TFTP', ''] == tshark(capture, 'tftp')
    assert n['FILE', ''] == 200
    assert n['SCCP', 'Register'] == tshark(capture, 'skinny.messageId == 1') == 200
    assert n['SCCP', 'KeepAliveAck'] == tshark(capture, 'skinny.messageId == 0x100')
    assert n['TCP', 'opening'] == tshark(capture, 'tcp.flags.syn == 1 && tcp.flags.ack == 0')
    assert n['TCP', 'again'] == tshark(capture, 'tcp.analysis.retransmission || tcp.analysis.fast_retransmission || '
                                                'tcp.analysis.spurious_retransmission') > 0
    assert n['LOST', ''] == 0


def test_compressed_files_and_a_pipe_give_the_same(capture, tmp_path):
    plain = sights(capture)
    packed = tmp_path / 'phones.pcap.gz'
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    assert sights(packed) == plain
    with open(capture, 'rb') as f:
        assert sights('-', stdin=f) == plain
    if shutil.which('zstd'):
        subprocess.run(['zstd', '-q', capture, '-o', tmp_path / 'phones.zst'], check=True)
        assert sights(tmp_path / 'phones.zst') == plain


def test_a_cut_file_is_read_as_far_as_it_goes(capture, tmp_path):
    _, plain, _ = sights(capture)
    cut = tmp_path / 'cut.pcap'
    cut.write_bytes(capture.read_bytes()[:100001])
    status, lines, said = sights(cut)
    assert status == 0 and 'the file is cut off, after packet' in said
    assert 0 < len(lines) < len(plain)
    assert lines[:100] == plain[:100]


def test_parts_in_any_order_packed_or_not_are_one_capture(capture, tmp_path):
    """Parts as a ring buffer leaves them, whose names say nothing of their order; one within an archive."""
    whole, at, parts = capture.read_bytes(), 24, [[], [], []]
    while at < len(whole):
        size = 16 + int.from_bytes(whole[at + 8:at + 12], 'little')
        parts[at * 3 // len(whole)].append(whole[at:at + size])
        at += size
    names = [tmp_path / name for name in ('x9', 'x1', 'x2.pcap')]
    for name, records in zip(names, parts):
        name.write_bytes(whole[:24] + b''.join(records))
    with zipfile.ZipFile(tmp_path / 'all.zip', 'w') as z:
        z.write(names[2], 'logs/x2.pcap')
        z.writestr('logs/photo.jpg', bytes(range(256)))

    r = subprocess.run([DIALTONE, 'doctor', '--sights', names[1], tmp_path / 'all.zip', names[0]], capture_output=True, timeout=300)
    unnumbered = [[line.split(' ', 1)[1] for line in lines] for lines in (r.stdout.decode().splitlines(), sights(capture)[1])]
    assert unnumbered[0] == unnumbered[1]


TRACE = '''12:00:00.000 CCM|FileHead UTC:+00:00, Date: 2026/11/21, HostIPAddress: 10.0.0.%d, |
12:00:%02d.000 CCM|StationInit - Processing StationReg. regCount: 1 DeviceName=SEP00112233AA01, TCPHandle=0x1, IPAddr=10.0.0.9, Port=1
12:00:%02d.100 CCM|StationD - stationOutputRegisterAck tcpHandle=0x1, keepAliveInterval=30
12:00:%02d.000 CCM|StationInit - InboundStim - UnregisterMessageID tcpHandle=0x1
'''


def test_texts_are_merged_by_their_time_and_come_by_a_pipe(tmp_path):
    """A phone goes to and fro between two nodes; each writes its own trace."""
    texts = [TRACE % (1, 1, 1, 2) + ''.join((TRACE % (1, s, s, s + 1)).split('\n', 1)[1] for s in (10, 20)),
             TRACE % (2, 5, 5, 6) + ''.join((TRACE % (2, s, s, s + 1)).split('\n', 1)[1] for s in (15, 25))]
    for name, text in zip(('a.txt', 'b.txt'), reversed(texts)):
        (tmp_path / name).write_text(text)

    def order(*files, **more):
        r = subprocess.run([DIALTONE, 'doctor', '--sights', *files], capture_output=True, timeout=300, **more)
        return re.findall(r'> 10\.0\.0\.(\d):2000 SCCP #\d+> Register', r.stdout.decode())

    assert order(tmp_path / 'a.txt', tmp_path / 'b.txt') == list('121212')
    assert order('-', input=gzip.compress(texts[0].encode())) == list('111')
    assert order('-', input=texts[1].encode('utf-16')) == list('222')


def test_what_is_no_capture_is_told_so(tmp_path):
    path = tmp_path / 'x'
    path.write_bytes(b'no capture at all')
    status, lines, said = sights(path)
    assert status != 0 and not lines and 'neither a capture' in said
    (tmp_path / 'empty').touch()
    for name, words in (('empty', 'the file is empty'), ('', 'a folder: give the files'), ('none', 'no such file')):
        status, lines, said = sights(tmp_path / name)
        assert status == 3 and not lines and words in said


@pytest.mark.parametrize('name', ('/dev/zero', '/dev/urandom'))
def test_what_has_no_end_and_is_no_capture_is_left_alone(name):
    status, lines, said = sights(name)
    assert status == 3 and not lines and 'neither a capture' in said


@pytest.mark.skipif(not shutil.which('zstd'), reason='needs zstd')
def test_an_archive_that_holds_too_much_is_read_as_far_as_it_may(tmp_path):
    path = tmp_path / 'bomb.zst'  # 256 MB, and a hundred times the packed file, may be unpacked
    subprocess.run(['zstd', '-q', '-1', '-o', path], input=b'\1\1\0' * (100 << 20), check=True, timeout=300)
    status, lines, said = sights(path)
    assert status == 3 and not lines and 'more in it than is unpacked' in said


def causes(path):
    r = subprocess.run([DIALTONE, 'doctor', path], capture_output=True, text=True, timeout=300)
    return r.returncode, re.findall(r'\[([a-z-]+)|^(\d+ phones.*)', r.stdout, re.M)


def without_names(lines):
    return [re.sub(r'[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|\d+\.\d+\.\d+\.\d+|SEP[0-9A-F]{12}', '', line) for line in lines]


@pytest.mark.skipif(not shutil.which('tshark'), reason='needs tshark')
def test_an_anonymised_capture_tells_the_same(capture, tmp_path):
    out = tmp_path / 'out.pcapng'
    r = subprocess.run([DIALTONE, 'doctor', capture, '--anonymise', out], capture_output=True, text=True, timeout=300)
    assert r.returncode == 0, r.stderr
    assert causes(out) == causes(capture) == (0, [('', '200 phones: 200 well.')])
    assert without_names(sights(out)[1]) == without_names(sights(capture)[1])
    assert b'SEP001122010000' not in out.read_bytes()
    bad = subprocess.run(['tshark', '-r', out, '-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE', '-Y',
                          'ip.checksum.status == 0 || udp.checksum.status == 0'], capture_output=True, text=True, timeout=300)
    assert not bad.stdout
