"""Files by TFTP and HTTP, fetched by programs that are not ours."""
import os
import struct

import pytest

from conftest import SERVER, judge

NAME = 'SEP001D45AA0001'
BIG = bytes(range(256)) * 400  # 100 KB


@pytest.fixture
def office(lan, server):
    lan.address()
    files = server.data / 'files'
    files.mkdir(parents=True)
    (files / 'P00308000500.bin').write_bytes(BIG)
    (files / 'empty.txt').write_bytes(b'')
    (files / 'exact.bin').write_bytes(b'x' * 1024)
    for path in files.iterdir():
        os.utime(path, (1, 1))  # at rest: what was just written may still grow and is not served yet
    server.start()
    server.add_phone(NAME, '7960')
    return server


def tftp_hpa(lan, name, to, *words):
    return lan.client.run('tftp', '-m', 'binary', *words, SERVER, '-c', 'get', name, to)


def test_tftp_hpa_gets_a_phones_file(lan, office, tmp_path, capture):
    seen = capture()
    tftp_hpa(lan, f'{NAME}.cnf.xml', tmp_path / 'got')
    got = (tmp_path / 'got').read_text()
    assert '<device' in got and f'<processNodeName>{SERVER}' in got
    assert judge(seen.close(), 'tftp', ['udp.port==69,tftp']) >= 2


@pytest.mark.parametrize('name, size', [('P00308000500.bin', len(BIG)), ('empty.txt', 0), ('exact.bin', 1024)])
def test_tftp_hpa_gets_every_size_whole(lan, office, tmp_path, name, size):
    tftp_hpa(lan, name, tmp_path / 'got')
    assert (tmp_path / 'got').read_bytes() == (office.data / 'files' / name).read_bytes()
    assert (tmp_path / 'got').stat().st_size == size


@pytest.mark.parametrize('options', [(), ('--option', 'blksize 1428'), ('--option', 'blksize 8192'),
                                     ('--option', 'tsize 0'), ('--option', 'timeout 2')])
def test_atftp_gets_the_firmware_with_each_option(lan, office, tmp_path, options):
    lan.client.run('atftp', *options, '--get', '-r', 'P00308000500.bin', '-l', tmp_path / 'got', SERVER)
    assert (tmp_path / 'got').read_bytes() == BIG


@pytest.mark.parametrize('window', [1, 4, 16])
def test_curl_and_a_window_get_the_firmware(lan, office, tmp_path, window):
    lan.client.run('curl', '-sf', '--tftp-blksize', 1428, '-o', tmp_path / 'got', f'tftp://{SERVER}/P00308000500.bin')
    assert (tmp_path / 'got').read_bytes() == BIG
    s = lan.client.udp()
    s.sendto(b'\0\1P00308000500.bin\0octet\0windowsize\0%d\0blksize\0' b'1024\0' % window, (SERVER, 69))
    data, peer = s.recvfrom(2000)
    assert data.startswith(b'\0\6') and b'windowsize\0%d\0' % window in data
    s.sendto(b'\0\4\0\0', peer)
    got, block = b'', 0
    while True:
        data, _ = s.recvfrom(2000)
        number, = struct.unpack('>H', data[2:4])
        if data[1] == 6 or data[1] == 3 and block - window < number <= block:
            continue  # once more, as ours came late
        assert data[1] == 3 and number == block + 1
        block, got = number, got + data[4:]
        if block % window == 0 or len(data) < 1028:
            s.sendto(struct.pack('>HH', 4, block), peer)
        if len(data) < 1028:
            break
    assert got == BIG


def rrq(lan, name, mode=b'octet', opcode=1, options=b''):
    s = lan.client.udp()
    s.sendto(struct.pack('>H', opcode) + name + b'\0' + mode + b'\0' + options, (SERVER, 69))
    return s.recvfrom(2000)


@pytest.mark.parametrize('name', [b'CTLSEP001D45AA0001.tlv', b'nothing.bin', b'../../etc/passwd', b'/etc/passwd',
                                  b'files/../../data/dialtone.db', b'..\\..\\etc\\passwd', b'', b'a' * 400])
def test_what_is_not_served_is_file_not_found(lan, office, name):
    data, peer = rrq(lan, name)
    assert data[:2] == b'\0\5' and peer[1] != 69
    assert data[2:4] in (b'\0\1', b'\0\2')


def test_a_missing_file_is_answered_with_error_1_in_an_instant(lan, office, capture):
    seen = capture()
    data, _ = rrq(lan, b'CTLSEP001D45AA0001.tlv')
    assert data.startswith(b'\0\5\0\1') and data.endswith(b'\0')
    judge(seen.close(), 'tftp', ['udp.port==69,tftp'])


def test_writing_is_refused(lan, office):
    data, _ = rrq(lan, b'x', opcode=2)
    assert data.startswith(b'\0\5\0\2')


def test_a_phone_of_any_case_and_separator_finds_its_file(lan, office):
    for name in NAME.encode() + b'.CNF.XML', b'/' + NAME.encode() + b'.cnf.xml', b'./' + NAME.lower().encode() + b'.cnf.xml':
        data, _ = rrq(lan, name)
        assert data.startswith(b'\0\3\0\1'), name


def test_default_files_exist_only_while_auto_registration_is_on(lan, office):
    assert rrq(lan, b'XMLDefault.cnf.xml')[0].startswith(b'\0\5\0\1')
    office.ask('autoregistration', 'set', 'enabled=yes', 'start=8000', 'end=8009')
    assert rrq(lan, b'XMLDefault.cnf.xml')[0].startswith(b'\0\3\0\1')
    office.ask('autoregistration', 'set', 'enabled=no')
    assert rrq(lan, b'XMLDefault.cnf.xml')[0].startswith(b'\0\5\0\1')


def test_a_change_is_in_the_file_at_once(lan, office):
    first = rrq(lan, NAME.encode() + b'.cnf.xml')[0]
    office.ask('phone', 'set', NAME, 'load=P00308000900')
    got = b''
    s = lan.client.udp()
    s.sendto(b'\0\1' + NAME.encode() + b'.cnf.xml\0octet\0blksize\0' b'8192\0', (SERVER, 69))
    data, peer = s.recvfrom(9000)
    s.sendto(b'\0\4\0\0', peer)
    while data[1] == 6:  # the options may come again
        data = s.recvfrom(9000)[0]
    got = data[4:]
    assert b'<loadInformation>P00308000900</loadInformation>' in got or b'P00308000900' in got
    assert first


@pytest.mark.parametrize('garbage', [b'', b'\0', b'\0\1', b'\0\1x', b'\0\1x\0', b'\0\1x\0octet', b'\0\3\0\1abc', b'\0\4\0\1',
                                     b'\0\5', b'\0\6', b'\0\7', b'\xff' * 1000, b'\0\1' + b'a' * 1400 + b'\0octet\0'],
                         ids=range(13))
def test_malformed_requests_harm_nobody(lan, office, garbage):
    s = lan.client.udp()
    s.sendto(garbage, (SERVER, 69))
    assert rrq(lan, b'exact.bin')[0].startswith(b'\0\3\0\1')


# -- HTTP ------------------------------------------------------------------------------------------------------------

def test_curl_gets_the_same_by_http(lan, office, tmp_path, capture):
    seen = capture()
    lan.client.run('curl', '-sf', '-o', tmp_path / 'http', f'http://{SERVER}:6970/{NAME}.cnf.xml')
    tftp_hpa(lan, f'{NAME}.cnf.xml', tmp_path / 'tftp')
    assert (tmp_path / 'http').read_bytes() == (tmp_path / 'tftp').read_bytes()
    lan.client.run('curl', '-sf', '-r', '1000-1999', '-o', tmp_path / 'part', f'http://{SERVER}:6970/P00308000500.bin')
    assert (tmp_path / 'part').read_bytes() == BIG[1000:2000]
    code = lan.client.run('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', f'http://{SERVER}:6970/none')
    assert code.stdout == '404'
    assert judge(seen.close(), 'http', ['tcp.port==6970,http']) >= 6


def http(lan, request):
    s = lan.client.connect(6970)
    s.sendall(request)
    answer = b''
    while b'\r\n\r\n' not in answer:
        more = s.recv(65536)
        if not more:
            break
        answer += more
    return answer


def test_the_bare_request_of_a_real_phone_is_answered(lan, office):
    answer = http(lan, f'GET /{NAME}.cnf.xml HTTP/1.1\r\nHost:{SERVER}:6970\r\n\r\n'.encode())
    head = answer.split(b'\r\n\r\n')[0].lower()
    assert head.startswith(b'http/1.1 200') and b'content-length: ' in head and b'chunked' not in head


@pytest.mark.parametrize('request_, status', [
    (b'GET /../../etc/passwd HTTP/1.1\r\n\r\n', b'40'), (b'GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n\r\n', b'40'),
    (b'GET /a%00b HTTP/1.1\r\n\r\n', b'40'), (b'PUT /x HTTP/1.1\r\nContent-Length: 1\r\n\r\nx', b'40'),
    (b'nonsense\r\n\r\n', b'400'), (b'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', b'400')])
def test_bad_requests_by_http_are_refused(lan, office, request_, status):
    assert http(lan, request_).startswith(b'HTTP/1.1 ' + status)
    assert http(lan, b'GET /exact.bin HTTP/1.1\r\n\r\n').startswith(b'HTTP/1.1 200')


def test_a_head_that_never_ends_is_cut_off(lan, office):
    s = lan.client.connect(6970)
    s.settimeout(60)
    try:
        s.sendall(b'GET / HTTP/1.1\r\n' + b'X: y\r\n' * 4000)
        while s.recv(65536):
            pass
    except (ConnectionResetError, BrokenPipeError):
        pass
    assert http(lan, b'GET /exact.bin HTTP/1.1\r\n\r\n').startswith(b'HTTP/1.1 200')
