"""Files by TFTP and HTTP, asked for by clients that are not ours."""
import io
import json
import os
import pathlib
import random
import select
import selectors
import socket
import struct
import subprocess
import tarfile
import threading
import time
import zipfile

import pytest

from conftest import Capture
from node import Node, free_port

PHONE = 'SEP001122334455'
FILE = PHONE + '.cnf.xml'


class FileNode(Node):
    def __init__(self, folder, *settings):
        self.tftp_port = free_port()
        self.http_port = free_port()
        super().__init__(folder, f'tftp.port={self.tftp_port}', f'files.http_port={self.http_port}',
                         'node.address=127.0.0.1', *settings)
        self.files = pathlib.Path(folder) / 'files'

    def ask(self, *words, **more):
        control = self.control()
        answer = control.ask(*words, **more)
        control.close()
        return answer

    def curl(self, name, *options):
        return subprocess.run(['curl', '-s', '-i', '--path-as-is', '-m', '600', *options,
                               f'http://127.0.0.1:{self.http_port}/{name}'], capture_output=True)


@pytest.fixture
def node(tmp_path):
    n = FileNode(tmp_path / 'data')
    assert n.ask('phone', 'add', PHONE, fields={'model': '7960', 'lines': '7001'})['status'] == 0
    yield n
    assert n.stop() == 0, n.said
    assert 'Sanitizer' not in n.said and 'runtime error' not in n.said, n.said


def put_static(node, name, content):
    """A file that is at rest since long."""
    path = node.files / name
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.parent / ('.' + path.name)
    hidden.write_bytes(content)
    os.utime(hidden, (1000000000, 1000000000))
    hidden.rename(path)


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError('it did not happen')


def tftp_hpa(node, name, to, mode='binary'):
    done = subprocess.run(['tftp', '-m', mode, '127.0.0.1', str(node.tftp_port), '-c', 'get', name, str(to)],
                          capture_output=True, text=True, timeout=600)
    return done.stdout + done.stderr


def atftp(node, name, to, *options):
    done = subprocess.run(['atftp', *options, '-g', '-r', name, '-l', str(to), '127.0.0.1', str(node.tftp_port)],
                          capture_output=True, text=True, timeout=600)
    return done.stdout + done.stderr


def rrq(name):
    return b'\0\1' + name.encode() + b'\0octet\0'


def ask_tftp(port, name, timeout=60.0):
    """First answer to a bare request, and how long it took."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        start = time.monotonic()
        s.sendto(rrq(name), ('127.0.0.1', port))
        answer, sender = s.recvfrom(2000)
        if answer[:2] == b'\0\3':
            s.sendto(b'\0\5\0\0enough\0', sender)
        return answer, time.monotonic() - start


class BadNetwork(threading.Thread):
    """Stands between clients and the server's port and its transfers; loses, doubles and delays blocks and their
    acknowledgements. (Requests and offers pass: clients wait five seconds for those.)"""

    def __init__(self, port, seed):
        super().__init__(daemon=True)
        self.server, self.random = ('127.0.0.1', port), random.Random(seed)
        self.front = self.socket()
        self.port = self.front.getsockname()[1]
        self.upstream = {}  # client -> socket towards the server
        self.faces = {}     # (client, server's transfer port) -> socket towards the client
        self.poll = selectors.DefaultSelector()
        self.poll.register(self.front, selectors.EVENT_READ, None)
        self.late, self.ends, self.spoilt = [], False, 0
        self.start()

    @staticmethod
    def socket():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(('127.0.0.1', 0))
        return s

    def send(self, s, data, to):
        fate = self.random.random() if data[1] in (3, 4) else 1
        self.spoilt += fate < 0.11
        if fate < 0.03:
            return
        if fate < 0.07:
            s.sendto(data, to)
        if fate < 0.11:
            self.late.append((time.monotonic() + 0.02, s, data, to))
        else:
            s.sendto(data, to)

    def from_client(self, data, client, to):
        if client not in self.upstream:
            self.upstream[client] = self.socket()
            self.poll.register(self.upstream[client], selectors.EVENT_READ, client)
        self.send(self.upstream[client], data, to)

    def from_server(self, data, client, sender):
        if (client, sender) not in self.faces:
            self.faces[client, sender] = self.socket()
            self.poll.register(self.faces[client, sender], selectors.EVENT_READ, sender)
        self.send(self.faces[client, sender], data, client)

    def run(self):
        while not self.ends:
            for key, _ in self.poll.select(0.01):
                data, sender = key.fileobj.recvfrom(70000)
                if key.data is None:
                    self.from_client(data, sender, self.server)
                elif key.fileobj in self.faces.values():
                    self.from_client(data, sender, key.data)
                else:
                    self.from_server(data, key.data, sender)
            now = time.monotonic()
            for row in [row for row in self.late if row[0] <= now]:
                self.late.remove(row)
                row[1].sendto(row[2], row[3])


def test_a_bad_network_delays_but_does_not_spoil_a_file(node, tmp_path):
    content = random.Random(3).randbytes(60000)
    put_static(node, 'x.sbn', content)
    until(lambda: node.curl('x.sbn', '-I').stdout.startswith(b'HTTP/1.1 200'))
    network = BadNetwork(node.tftp_port, 7)
    for options in (['--option', 'blksize 8192'], ['--option', 'blksize 1428', '--option', 'windowsize 8'],
                    ['--option', 'blksize 1428', '--option', 'timeout 1']):
        done = subprocess.run(['atftp', *options, '-g', '-r', 'x.sbn', '-l', str(tmp_path / 'a'), '127.0.0.1',
                               str(network.port)], capture_output=True, text=True, timeout=120)
        assert (tmp_path / 'a').read_bytes() == content, (options, done.stdout + done.stderr)
        (tmp_path / 'a').unlink()
    network.ends = True
    assert network.spoilt > 5


def test_every_client_gets_the_same_file(node, tmp_path):
    expected = node.ask('phone', 'file', PHONE)['text'].encode()
    assert subprocess.run(['xmllint', '--noout', '-'], input=expected).returncode == 0
    tftp_hpa(node, FILE, tmp_path / 'a')
    assert (tmp_path / 'a').read_bytes() == expected
    for options in ([], ['--option', 'blksize 1428'], ['--option', 'blksize 8192', '--option', 'tsize 0'],
                    ['--option', 'windowsize 4'], ['--option', 'timeout 2', '--option', 'blksize 512']):
        to = tmp_path / 'b'
        to.unlink(missing_ok=True)
        said = atftp(node, FILE, to, *options)
        assert to.read_bytes() == expected, (options, said)
    head, body = node.curl(FILE).stdout.split(b'\r\n\r\n', 1)
    assert head.startswith(b'HTTP/1.1 200') and body == expected
    tftp_url = subprocess.run(['curl', '-s', f'tftp://127.0.0.1:{node.tftp_port}/{FILE}'], capture_output=True)
    assert tftp_url.stdout == expected


def test_names_do_not_depend_on_case_and_netascii_turns_line_ends(node, tmp_path):
    expected = node.ask('phone', 'file', PHONE)['text'].encode()
    atftp(node, FILE.lower(), tmp_path / 'a')
    assert (tmp_path / 'a').read_bytes() == expected
    tftp_hpa(node, FILE, tmp_path / 'b', 'ascii')
    assert (tmp_path / 'b').read_bytes() == expected  # the client turns them back


def test_a_missing_file_is_answered_at_once_by_both(node):
    for name in ('CTLSEP001122334455.tlv', 'nothing', 'XMLDefault.cnf.xml', '../dialtone.db', 'a/../../dialtone.db'):
        at_once(lambda: not_found(node, name), 0.5)
        assert node.curl(name).stdout.startswith(b'HTTP/1.1 404')
    assert node.curl('%2e%2e/dialtone.db').stdout.startswith(b'HTTP/1.1 404')
    assert node.curl('..%2fdialtone.db').stdout.startswith(b'HTTP/1.1 404')


def not_found(node, name):
    """How long it took to say so."""
    answer, seconds = ask_tftp(node.tftp_port, name)
    assert answer == b'\0\5\0\1File not found\0'
    return seconds


def at_once(ask, seconds):
    """One of many is answered so quickly: a busy machine makes answers late, nothing makes them early."""
    until(lambda: ask() < seconds)


def test_writing_is_refused(node, tmp_path):
    (tmp_path / 'x').write_text('x')
    done = subprocess.run(['tftp', '127.0.0.1', str(node.tftp_port), '-c', 'put', str(tmp_path / 'x'), 'x'],
                          capture_output=True, text=True)
    assert 'Access violation' in done.stdout + done.stderr
    assert node.curl('x', '-T', str(tmp_path / 'x')).stdout.startswith(b'HTTP/1.1 405')
    assert not (node.files / 'x').exists()


def test_a_change_is_in_the_file_at_once(node):
    for load in ('P0030801SR01', 'P0030801SR02', ''):
        assert node.ask('phone', 'set', PHONE, fields={'load': load})['status'] == 0
        assert f'<loadInformation>{load}</loadInformation>'.encode() in node.curl(FILE).stdout
    assert node.ask('phone', 'delete', names=[PHONE])['status'] == 0
    assert node.curl(FILE).stdout.startswith(b'HTTP/1.1 404')


def test_the_default_file_exists_only_while_phones_may_add_themselves(node):
    assert node.curl('XMLDefault.cnf.xml').stdout.startswith(b'HTTP/1.1 404')
    answer = node.ask('autoregistration', 'set', fields={'enabled': 'true', 'start': '5000', 'end': '5099'})
    assert answer['status'] == 0, answer
    assert b'<Default>' in node.curl('XMLDefault.cnf.xml').stdout
    assert ask_tftp(node.tftp_port, 'SEPDEFAULT.cnf')[0][:4] == b'\0\3\0\1'
    assert node.ask('autoregistration', 'set', fields={'enabled': 'false'})['status'] == 0
    assert node.curl('XMLDefault.cnf.xml').stdout.startswith(b'HTTP/1.1 404')


def test_large_files_arrive_whole_by_every_way(node, tmp_path):
    content = random.Random(1).randbytes(41943380)  # as large as the largest part of a 78xx load: block numbers wrap
    put_static(node, 'rootfs2.78xx.11-0-1-11.sbn', content)
    until(lambda: node.curl('rootfs2.78xx.11-0-1-11.sbn', '-I').stdout.startswith(b'HTTP/1.1 200'))
    for options in ([], ['--option', 'blksize 8192'], ['--option', 'blksize 1428', '--option', 'windowsize 8']):
        atftp(node, 'rootfs2.78xx.11-0-1-11.sbn', tmp_path / 'a', *options)
        assert (tmp_path / 'a').read_bytes() == content, options
        (tmp_path / 'a').unlink()
    assert node.curl('rootfs2.78xx.11-0-1-11.sbn').stdout.split(b'\r\n\r\n', 1)[1] == content
    part = node.curl('rootfs2.78xx.11-0-1-11.sbn', '-r', '41000000-41000099').stdout
    assert part.startswith(b'HTTP/1.1 206') and part.endswith(content[41000000:41000100])


def test_a_file_that_is_being_copied_is_never_served_in_part(node):
    old, new = b'old' * 100000, b'new' * 200000
    put_static(node, 'P0030801SR02.sbn', old)
    until(lambda: node.curl('P0030801SR02.sbn').stdout.endswith(old))
    with open(node.files / 'P0030801SR02.sbn', 'wb') as f:  # in place, as cp does
        for i in range(0, len(new), 60000):
            f.write(new[i:i + 60000])
            f.flush()
            answer = node.curl('P0030801SR02.sbn').stdout
            body = answer.split(b'\r\n\r\n', 1)[1]
            assert body in (old, new) or answer.startswith(b'HTTP/1.1 503'), len(body)
            time.sleep(0.15)
    until(lambda: node.curl('P0030801SR02.sbn').stdout.endswith(new))


def test_who_guesses_names_is_slowed_and_named(node):
    assert node.ask('parameter', 'set', fields={'device_names_limit': '20'})['status'] == 0
    took = [not_found(node, f'SEP00000000{i:04X}.cnf.xml') for i in range(20)]
    assert 'DeviceNamesGuessed' not in json.dumps(node.ask('event', 'list'))
    at_once(lambda: min(took + [not_found(node, 'nothing')]), 0.5)
    for i in range(20, 40):  # names are counted by hash: a few share one, to the client's good
        seconds = not_found(node, f'SEP00000000{i:04X}.cnf.xml')
        if 'DeviceNamesGuessed' in json.dumps(node.ask('event', 'list')):
            break
    assert seconds > 0.9
    until(lambda: 'DeviceNamesGuessed' in json.dumps(node.ask('event', 'list')))


def test_strict_gives_files_only_to_their_owners(node):
    assert node.ask('parameter', 'set', fields={'device_file_policy': 'Strict'})['status'] == 0
    mine, other = [], []  # nothing ties the phone to this address

    def difference():
        mine.append(not_found(node, FILE))
        other.append(not_found(node, 'SEP0011223344FF.cnf.xml'))
        return abs(min(mine) - min(other))
    at_once(difference, 0.2)


def test_services_stop_and_start_alone(node):
    assert node.ask('service', 'stop', 'Cisco TFTP')['status'] == 0
    with pytest.raises((socket.timeout, ConnectionRefusedError)):
        ask_tftp(node.tftp_port, FILE, 1)
    assert node.curl(FILE).stdout.startswith(b'HTTP/1.1 200')
    assert node.ask('service', 'start', 'Cisco TFTP')['status'] == 0
    assert ask_tftp(node.tftp_port, FILE)[0][:4] == b'\0\3\0\1'
    assert node.ask('service', 'stop', 'Cisco TFTP (HTTP)')['status'] == 0
    assert node.curl(FILE).returncode == 7
    assert node.ask('service', 'start', 'Cisco TFTP (HTTP)')['status'] == 0
    assert node.curl(FILE).stdout.startswith(b'HTTP/1.1 200')


def test_a_port_that_is_taken_stops_that_service_alone(node, tmp_path):
    n = FileNode(tmp_path / 'other', f'tftp.port={node.tftp_port}')
    try:
        services = json.dumps(n.ask('service', 'list'))
        assert 'is in use by' in services, services
        assert n.curl('nothing').stdout.startswith(b'HTTP/1.1 404')
    finally:
        n.stop()


def test_half_open_and_sleeping_clients_stop_nobody(node):
    links = []

    def served_before_they_are_given_up():
        links[:] = [socket.create_connection(('127.0.0.1', node.http_port)) for _ in range(300)]
        for i, link in enumerate(links):
            link.sendall(b'GET /x HTTP/1.1\r\nHo' if i % 2 else b'')
        assert node.curl(FILE).stdout.startswith(b'HTTP/1.1 200')
        return not select.select(links, [], [], 0)[0]
    until(served_before_they_are_given_up)
    links[0].settimeout(60)
    assert links[0].recv(10) == b''  # given up after five seconds
    for link in links:
        link.close()


def test_a_reader_that_stops_reading_stops_nobody(node):
    put_static(node, 'big.sbn', b'x' * 8000000)
    until(lambda: node.curl('big.sbn', '-I').stdout.startswith(b'HTTP/1.1 200'))
    links = []
    for _ in range(5):
        link = socket.create_connection(('127.0.0.1', node.http_port))
        link.sendall(b'GET /big.sbn HTTP/1.1\r\nHost: a\r\n\r\n')
        links.append(link)
    assert node.curl('big.sbn').stdout.endswith(b'x' * 100)
    got = 0
    while got < 8000000:  # a slow reader still gets all of it
        got += len(links[0].recv(65536))
    for link in links:
        link.close()


def test_nonsense_on_both_ports_is_survived(node):
    noise = random.Random(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(3000):
            s.sendto(struct.pack('>H', noise.choice([1, 1, 1, 2, 3, 4, 5, 6, 9])) + noise.randbytes(noise.randrange(0, 90)),
                     ('127.0.0.1', node.tftp_port))
    for _ in range(100):
        with socket.create_connection(('127.0.0.1', node.http_port)) as link:
            link.sendall(noise.randbytes(noise.randrange(1, 3000)))
    assert node.curl(FILE).stdout.startswith(b'HTTP/1.1 200')
    assert ask_tftp(node.tftp_port, FILE)[0][:4] == b'\0\3\0\1'


def loads_file(*parts):
    return b'\1\2\0\x30' + b'\0'.join(p.encode() for p in parts) + b'\0\xff'


def test_a_load_is_imported_checked_and_its_missing_part_named(node, tmp_path):
    parts = ['apps45.9-4-2.sbn', 'cnu45.9-4-2.sbn', 'jar45sccp.9-4-2.sbn']
    with zipfile.ZipFile(tmp_path / 'fw.zip', 'w') as z:
        z.writestr('cmterm/SCCP45.9-4-2SR3-1S.loads', loads_file(*parts))
        z.writestr('cmterm/' + parts[0], b'a' * 1000)
        z.writestr('cmterm/' + parts[1], b'b' * 1000)
        z.writestr('readme.html', b'x')
    answer = node.ask('load', 'import', options={'file': str(tmp_path / 'fw.zip')})
    assert answer['status'] == 0, answer
    assert sorted(row[0] for row in answer['rows']) == ['SCCP45.9-4-2SR3-1S.loads', parts[0], parts[1]]
    until(lambda: [row[2] for row in node.ask('load', 'check', 'SCCP45.9-4-2SR3-1S').get('rows', [])] ==
          ['present', 'present', 'present', 'missing'])
    rows = {row[0]: row[2] for row in node.ask('load', 'check', 'SCCP45.9-4-2SR3-1S')['rows']}
    assert rows[parts[0]] == 'present' and rows[parts[2]] == 'missing'
    row = [row for row in node.ask('load', 'list')['rows'] if row[0] == 'SCCP45.9-4-2SR3-1S'][0]
    assert row[1] == '7945, 7965' and row[3] == parts[2]
    with tarfile.open(tmp_path / 'fw.cop', 'w:gz') as t:
        info = tarfile.TarInfo('tftp/' + parts[2])
        info.size = 10
        t.addfile(info, io.BytesIO(b'0123456789'))
    signed = tmp_path / 'fw.cop.sgn'
    signed.write_bytes(b'\1\2signature in front' + (tmp_path / 'fw.cop').read_bytes())
    assert node.ask('load', 'import', options={'file': str(signed)})['status'] == 0
    until(lambda: [row[2] for row in node.ask('load', 'check', 'SCCP45.9-4-2SR3-1S')['rows']] == ['present'] * 4)
    (tmp_path / 'bad.zip').write_bytes((tmp_path / 'fw.zip').read_bytes()[:300])
    assert node.ask('load', 'import', options={'file': str(tmp_path / 'bad.zip')})['status'] == 1


def test_a_load_that_is_wanted_and_not_there_is_told_before_any_phone_asks(node):
    assert node.ask('defaults', 'set', '7960/sccp', fields={'load': 'P0030801SR02'})['status'] == 0
    row = [row for row in node.ask('load', 'list')['rows'] if row[0] == 'P0030801SR02'][0]
    assert row[3] == 'all of it' and row[4] == 1


def test_files_of_the_static_tree_appear_and_the_ring_list_with_them(node):
    assert node.curl('Ringlist.xml').stdout.startswith(b'HTTP/1.1 404')
    (node.files / 'Chime.raw').write_bytes(b'\xff' * 240)
    until(lambda: b'<FileName>Chime.raw</FileName>' in node.curl('RINGLIST.XML').stdout)
    put_static(node, 'Ringlist.xml', b'<own/>')
    until(lambda: node.curl('Ringlist.xml').stdout.endswith(b'<own/>'))


def test_all_files_are_rebuilt_with_a_count(node):
    for i in range(20):
        node.ask('phone', 'add', f'SEP00000000{i:04X}', fields={'model': '7961'})
    answer = node.ask('phone', 'rebuild')
    assert answer['status'] == 0 and answer['record']['built'] == 21, answer


@pytest.mark.skipif(os.geteuid() != 0, reason='captures need root')
def test_tshark_finds_nothing_wrong(node, tmp_path):
    put_static(node, 'x.sbn', b'y' * 20000)
    until(lambda: node.curl('x.sbn', '-I').stdout.startswith(b'HTTP/1.1 200'))
    capture = Capture(None, tmp_path / 'c.pcap', 'lo')
    atftp(node, 'x.sbn', tmp_path / 'a', '--option', 'blksize 1428', '--option', 'windowsize 4', '--option', 'tsize 0')
    tftp_hpa(node, FILE, tmp_path / 'b')
    tftp_hpa(node, 'missing', tmp_path / 'c')
    node.curl(FILE)
    node.curl('missing')
    capture = capture.close()
    read = subprocess.run(['tshark', '-r', str(capture), '-d', f'udp.port=={node.tftp_port},tftp', '-d',
                           f'tcp.port=={node.http_port},http', '-Y', '_ws.malformed or _ws.expert.severity >= error'],
                          capture_output=True, text=True)
    assert read.stdout == ''
    read = subprocess.run(['tshark', '-r', str(capture), '-d', f'udp.port=={node.tftp_port},tftp', '-Y', 'tftp'],
                          capture_output=True, text=True)
    for word in ('Read Request', 'Option Acknowledgement', 'Data Packet', 'Acknowledgement', 'Error Code'):
        assert word in read.stdout, word


# --- IPv6, and how many fetch a load at once ---

def test_files_are_fetched_over_ipv6(node):
    put_static(node, 'big.bin', bytes(range(256)) * 300)
    until(lambda: b'200' in node.curl('big.bin', '-I').stdout)
    for url in f'tftp://[::1]:{node.tftp_port}/big.bin', f'http://[::1]:{node.http_port}/big.bin':
        got = subprocess.run(['curl', '-sfg', '-m', '600', url], capture_output=True)
        assert got.returncode == 0 and got.stdout == bytes(range(256)) * 300, (url, got.returncode)
    got = subprocess.run(['curl', '-sfg', '-m', '600', f'tftp://[::1]:{node.tftp_port}/{FILE}'], capture_output=True)
    assert b'<device' in got.stdout, got.returncode


class Fetching:
    """A phone at an address of its own that has asked for a file by TFTP and got the first block."""

    def __init__(self, node, address, name):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(60)
        self.socket.sendto(rrq(name), ('127.0.0.1', node.tftp_port))
        self.first, self.peer = self.socket.recvfrom(2000)

    def finish(self):
        block = self.first
        while True:
            self.socket.sendto(b'\0\4' + block[2:4], self.peer)
            if len(block) < 516:
                self.socket.close()
                return
            block = self.socket.recv(2000)


def test_no_more_phones_than_the_limit_fetch_a_load_at_once(node):
    name = 'P00308000500'
    put_static(node, f'{name}.bin', b'x' * 2000)
    until(lambda: b'200' in node.curl(f'{name}.bin', '-I').stdout)
    assert node.ask('load', 'set', name, fields={'max_downloads': '1'})['status'] == 0
    first = Fetching(node, '127.0.0.2', f'{name}.bin')
    assert first.first[:2] == b'\0\3'
    second = Fetching(node, '127.0.0.3', f'{name}.bin')
    assert second.first[:2] == b'\0\5' and b'busy' in second.first.lower()
    assert b' 503 ' in node.curl(f'{name}.bin').stdout
    assert Fetching(node, '127.0.0.3', FILE).first[:2] == b'\0\3'  # what is no firmware has no limit
    first.finish()
    again = Fetching(node, '127.0.0.2', f'{name}.bin')  # its place is kept between two parts
    assert again.first[:2] == b'\0\3'
    assert node.ask('load', 'set', name, fields={'max_downloads': '0'})['status'] == 0
    assert Fetching(node, '127.0.0.3', f'{name}.bin').first[:2] == b'\0\3'
