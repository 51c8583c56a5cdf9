"""What strangers send to 5060 and 5061: refused, counted, named once, never amplified; phones do not notice."""
import hashlib
import re
import time

import pytest

from conftest import CLIENT, SERVER, run, until
from sip_client import SUPPORTED, Client

MAC, PHONE, SOFT = '001122334455', 'SEP001122334455', 'SOFTPHONE1'


@pytest.fixture
def site(lan, server):
    lan.address()
    server.start('tftp.port=0', 'files.http_port=0', 'sccp.port=0')
    server.add_phone(PHONE, '7841', '7001', protocol='sip')
    server.ask('user', 'add', 'alice', 'digest_password=secret-1')
    server.ask('phone', 'add', SOFT, 'model=third-party-basic', 'protocol=sip', 'owner=alice', 'lines=7003')
    return server


def counted(server, name):
    return next(c['value'] for c in server.json('counter', 'list') if c['name'] == name)


def ended(client, seconds=60):
    """The end of the connection, by FIN or reset."""
    client.socket.settimeout(seconds)
    try:
        while client.socket.recv(65536):
            pass
    except ConnectionError:
        pass
    client.close()
    return True


def still_serves(lan, site):
    phone = Client(lan.client, 'tcp')
    phone.register('7001', MAC, 622)
    assert phone.final().status == 200
    phone.close()


def test_a_gigabyte_that_is_announced_is_not_waited_for(lan, site):
    before = site.memory_kb()
    client = Client(lan.client, 'tcp')
    head = client.request('REGISTER', '7001').replace('Content-Length: 0', 'Content-Length: 1073741824')
    client.send(head)
    answer = client.hear()
    assert answer is None or answer.status in (400, 413, 513)
    assert ended(client)
    assert site.memory_kb() - before < 4096
    still_serves(lan, site)


@pytest.mark.parametrize('transport', ['tcp', 'udp'])
def test_ten_thousand_header_lines_are_too_many(lan, site, transport):
    client = Client(lan.client, transport)
    lines = [f'X-{i}: {i}' for i in range(10000 if transport == 'tcp' else 3000)]
    client.send(client.request('REGISTER', '7001', lines))
    answer = client.hear(2)
    assert answer is None or 400 <= answer.status < 600
    client.close()
    still_serves(lan, site)


def nested(depth):
    body = 'x'
    for i in range(depth):
        body = f'--b{i}\r\nContent-Type: multipart/mixed;boundary=b{i - 1}\r\n\r\n{body}\r\n--b{i}--\r\n'
    return f'Content-Type: multipart/mixed;boundary=b{depth - 1}', body


@pytest.mark.parametrize('kind, body', [nested(300), ('Content-Type: multipart/mixed;boundary=a', '--a\r\n\r\nx\r\n' * 4000)],
                         ids=['one in the other', 'one after the other'])
def test_parts_without_end_are_not_followed(lan, site, kind, body):
    before = site.memory_kb()
    client = Client(lan.client, 'tcp')
    client.register('7001', MAC, 622, headers=[kind], body=body)
    answer = client.final()
    assert answer is None or answer.status == 200 or 400 <= answer.status < 600
    client.close()
    assert site.memory_kb() - before < 4096
    still_serves(lan, site)


def test_a_head_that_never_ends_ends_its_connection(lan, site):
    client = Client(lan.client, 'tcp')
    try:
        client.send('REGISTER sip:a SIP/2.0\r\n' + 'X: ' + 'y' * 200000)
    except ConnectionError:
        pass
    assert ended(client)


def test_who_sends_a_byte_at_a_time_is_let_go(lan, site):
    """Neither bytes that make no message nor silence keep a connection."""
    slow, silent = Client(lan.client, 'tcp'), Client(lan.client, 'tcp')
    until(lambda: not alive(slow), 90, 0.5)
    assert ended(silent)
    still_serves(lan, site)


def alive(client):
    try:
        client.send('R')
        client.socket.settimeout(0.01)
        return client.socket.recv(100) != b''
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def test_responses_that_nobody_asked_for_are_forgotten(lan, site):
    client = Client(lan.client, 'udp')
    for i in range(2000):
        client.send(f'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {SERVER}:5060;branch=z9hG4bK{i}\r\nFrom: <sip:a@b>;tag=1\r\n'
                    f'To: <sip:a@b>;tag=2\r\nCall-ID: {i}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n')
    assert client.hear(0.5) is None
    client.close()
    still_serves(lan, site)


def test_an_answer_goes_to_where_the_request_came_from(lan, site, capture):
    packets = capture()
    client = Client(lan.client, 'udp')
    client.send(client.request('OPTIONS', '7001', via='Via: SIP/2.0/UDP 10.98.7.7:7777;branch=z9hG4bKspoof;rport'))
    answer = client.hear()
    assert answer.status == 200 and f'received={CLIENT}' in answer.get('Via')
    assert f'rport={client.local[1]}' in answer.get('Via')
    client.close()
    other = run('tshark', '-n', '-r', packets.close(), '-Y', 'ip.dst == 10.98.7.7 or arp.dst.proto_ipv4 == 10.98.7.7').stdout
    assert not other


def test_a_scanner_gets_little_and_no_more_than_it_sends(lan, site):
    """The source may be forged: whoever owns it must not be hit by more than was sent."""
    client = Client(lan.client, 'udp')
    sent = got = answers = 0
    began = time.monotonic()
    for i in range(1000):
        text = client.request('REGISTER', f'{i}', [client.contact(f'{i}', f'00AABBCC{i:04X}', 622), 'Expires: 3600'],
                              call_id=f'{i}@scan')
        client.send(text)
        sent += len(text)
    client.socket.settimeout(1)
    try:
        while True:
            got += len(client.socket.recv(65536))
            answers += 1
    except TimeoutError:
        pass
    allowed = 400 + 200 * (time.monotonic() - began)  # at once, and each second (station/sip/guard.c)
    assert got < sent and answers <= allowed, (answers, allowed, got, sent)
    client.close()
    still_serves(lan, site)


@pytest.mark.parametrize('method', ['OPTIONS', 'REGISTER', 'NONSENSE'])
def test_short_questions_are_no_lever(lan, site, method):
    """Short forms, no header too many, from an address that may be forged."""
    client = Client(lan.client, 'udp')
    sent = got = 0
    began = time.monotonic()
    for i in range(1000):
        text = (f'{method} sip:a SIP/2.0\nv:SIP/2.0/UDP {CLIENT};branch=z9hG4bK{i};rport\nf:<sip:a@a>;tag=1\nt:<sip:a@a>\ni:{i}\n'
                f'CSeq:1 {method}\n\n')
        client.send(text)
        sent += len(text)
    client.socket.settimeout(0.5)
    try:
        while True:
            got += len(client.socket.recv(65536))
    except TimeoutError:
        pass
    assert 0 < got < sent + 4096 + 128 * (time.monotonic() - began), (got, sent)
    client.close()
    still_serves(lan, site)


def sweep(client, method, n, agent='friendly-scanner'):
    """What sipvicious and its kin send: one extension after the other, as fast as it goes."""
    for i in range(n):
        client.send(f'{method} sip:{100 + i}@{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.1.1:5060;branch=z9hG4bK-{i};rport\r\n'
                    f'Max-Forwards: 70\r\nFrom: "sipvicious"<sip:{100 + i}@1.1.1.1>;tag={i:x}\r\nTo: "sipvicious"<sip:{100 + i}@1.1.1.1>\r\n'
                    f'Contact: <sip:{100 + i}@127.0.1.1:5060>\r\nCall-ID: {method}{i}\r\nCSeq: 1 {method}\r\nUser-Agent: {agent}\r\n'
                    'Accept: application/sdp\r\nContent-Length: 0\r\n\r\n')


@pytest.mark.parametrize('method', ['OPTIONS', 'REGISTER', 'INVITE'])
def test_a_sweep_over_extensions_is_limited_and_named(lan, site, method):
    client = Client(lan.client, 'udp')
    began = time.monotonic()
    sweep(client, method, 3000)
    alarm = until(lambda: [e for e in site.json('event', 'list') if e['alarm'] == 'SourceThrottled'])
    assert len(alarm) == 1 and CLIENT in str(alarm[0])
    answers = 0
    while (m := client.hear(0.3)):
        answers += 1
        assert m.status in (200, 401, 503), m.start  # the same for numbers that exist and that do not
    assert answers <= 400 + 200 * (time.monotonic() - began)
    client.close()
    still_serves(lan, site)


def test_a_forged_source_gets_no_more_than_was_sent_in_its_name(lan, site):
    """A REGISTER by UDP of a phone that is really there, from an address that never answers anything."""
    client = Client(lan.client, 'udp')
    sent = got = 0
    seen = set()
    for i in range(8):
        text = client.request('REGISTER', '7001', [client.contact('7001', MAC, 622), 'Expires: 3600', f'Supported: {SUPPORTED}',
                                                   'User-Agent: Cisco-CP7841/12.5.1'], cseq=101 + i)
        client.send(text)
        sent += len(text)
        client.socket.settimeout(1)
        try:
            while True:
                data = client.socket.recv(65536)
                got += len(data)
                seen.add(data.split(b' ')[0])
        except TimeoutError:
            pass
    assert seen == {b'SIP/2.0', b'OPTIONS'} and got <= sent, (seen, got, sent)
    client.close()


def md5(*parts):
    return hashlib.md5(':'.join(parts).encode()).hexdigest()


def credentials(challenge, count=1, uri=f'sip:{SERVER}', password='secret-1'):
    field = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    nc = f'{count:08x}'
    response = md5(md5('alice', field['realm'], password), field['nonce'], nc, 'abc', 'auth', md5('REGISTER', uri))
    return (f'Authorization: Digest username="alice",realm="{field["realm"]}",nonce="{field["nonce"]}",uri="{uri}",'
            f'response="{response}",algorithm=MD5,qop=auth,nc={nc},cnonce="abc"')


def test_credentials_that_were_overheard_are_of_no_use(lan, site):
    alice, eve = Client(lan.client, 'udp'), Client(lan.client, 'udp')
    alice.register('7003')
    challenge = alice.final().get('WWW-Authenticate')
    heard = credentials(challenge)
    alice.register('7003', headers=[heard], cseq=102)
    assert alice.final().status == 200
    # The same once more, with another contact: the count is spent.
    eve.register('7003', headers=[heard], cseq=103)
    answer = eve.final()
    assert answer.status == 401 and 'stale=true' in answer.get('WWW-Authenticate').lower()
    # A higher count wants the password.
    eve.register('7003', headers=[heard.replace('nc=00000001', 'nc=00000002')], cseq=104)
    answer = eve.final()
    assert answer.status == 401 and 'stale=true' not in answer.get('WWW-Authenticate').lower()
    # A nonce of one's own making, and one of this server with a digit changed.
    nonce = re.search('nonce="([^"]+)"', challenge)[1]
    for nonce in ('00' * 16, nonce[:-1] + ('1' if nonce[-1] == '0' else '0')):
        forged = credentials(re.sub('nonce="[^"]+"', f'nonce="{nonce}"', challenge))
        eve.register('7003', headers=[forged], cseq=105)
        assert eve.final().status == 401
    # Hashed for another server: somebody relays what a client said elsewhere.
    eve.register('7003', headers=[credentials(challenge, 2, 'sip:elsewhere.example.com')], cseq=106)
    assert eve.final().status == 400
    # The owner goes on counting.
    alice.register('7003', headers=[credentials(challenge, 2)], cseq=107)
    assert alice.final().status == 200
    until(lambda: site.status(SOFT) == 'registered')
    contacts = str(site.json('phone', 'show', SOFT))
    assert str(alice.local[1]) in contacts and str(eve.local[1]) not in contacts
    alice.close()
    eve.close()


def test_wrong_passwords_are_an_alarm_once_and_then_silence(lan, site):
    client = Client(lan.client, 'udp')
    for i in range(100):
        client.register('7003', headers=[f'Authorization: Digest username="alice",realm="ccmsipline",nonce="x",uri="sip:{SERVER}",'
                                         f'response="{i:032x}",algorithm=MD5'], cseq=101 + i, call_id=f'{i}@guess')
    n = 0
    while (m := client.hear(0.5)):
        assert m.status in (401, 403)
        n += 1
    assert n < 100
    client.close()
    assert site.status(SOFT) != 'registered'


def test_somebody_elses_line_is_refused(lan, site, tmp_path):
    folder = tmp_path / 'baresip'
    folder.mkdir()
    (folder / 'config').write_text('poll_method epoll\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\n'
                                   'module_tmp account.so\nmodule_app menu.so\n')
    (folder / 'accounts').write_text(f'<sip:7001@{SERVER}>;auth_user=alice;auth_pass=secret-1;regint=60\n')
    log = tmp_path / 'baresip.log'
    client = lan.client.start('baresip', '-f', folder, '-v', stdout=open(log, 'w', encoding='utf-8'))
    until(lambda: re.search(r'7001@.*\b40[34]\b', log.read_text()))
    client.kill()
    assert site.status(SOFT) != 'registered' and site.status(PHONE) != 'registered'


def test_half_open_handshakes_end_and_the_oldest_first(lan, server):
    lan.address()
    server.start('tftp.port=0', 'files.http_port=0', 'sccp.port=0', 'sip.tls_port=5061')
    began = time.monotonic()
    half = lan.client.connect(5061)
    half.sendall(b'\x16\x03\x01')
    silent = lan.client.connect(5061)
    garbage = lan.client.connect(5061)
    garbage.sendall(b'REGISTER sip:a SIP/2.0\r\n\r\n')
    for s in (garbage, half, silent):
        s.settimeout(60)
        try:
            while s.recv(100):
                pass
        except ConnectionError:
            pass
        s.close()
    assert time.monotonic() - began > 5
    assert counted(server, 'TLSConnectionsFailed') == 3
    assert len(until(lambda: server.json('event', 'list', '--alarm', 'ConnectionFailure'))) == 1
