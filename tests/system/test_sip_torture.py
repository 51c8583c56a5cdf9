"""The torture messages of RFC 4475 and RFC 5118, and worse, sent to a running server: answered as those say, or not at all."""
import pathlib
import re
import select
import socket

import pytest

from conftest import CLIENT, SERVER, Server

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / 'golden/sip'


def expand(text, one_line=False):
    """The notation of RFC 4475 2, as in tests/golden/sip.c."""
    out = b''
    while text:
        if m := re.match(r'<allOneLine>\n(.*?)</allOneLine>', text, re.S):
            out += expand(m[1], True)
        elif m := re.match(r'<hex>(.*?)</hex>', text, re.S):
            out += bytes.fromhex(m[1].replace('\n', ''))
        elif m := re.match(r'<repeat count=(\d+)>(.*?)</repeat>', text, re.S):
            out += expand(m[2], one_line) * int(m[1])
        else:
            m = re.match(r'\n|[^\n<]+|<', text)
            out += (b'' if one_line else b'\r\n') if m[0] == '\n' else m[0].encode()
        text = text[m.end():]
    return out


def read(path):
    head, text = path.read_text().split('\n', 1)
    return head, expand(text)


@pytest.fixture
def server(lan, tmp_path):
    lan.address()
    server = Server(lan, tmp_path).start()
    yield server
    assert server.process.poll() is None


# What the server, to which all of them are strangers, answers to what can be understood.
ANSWERS = {b'OPTIONS': '200', b'REGISTER': '401', b'INVITE': '503', b'BYE': '481', b'SIP/2.0': None}
OTHERS = {'rfc4475-bext01': '420', 'rfc4475-novelsc': '416', 'rfc4475-unkscm': '416', 'rfc4475-unksm2': '404',
          'rfc4475-mpart01': '405', 'rfc4475-esc02': '501', 'rfc4475-intmeth': '501'}


def expected(name, head, data):
    verdict = re.match(r'# RFC .*?: (\w+)', head)[1]
    if verdict == 'drop':
        return None
    return verdict if verdict != 'accept' else OTHERS.get(name) or ANSWERS[data.split()[0]]


def options(number, transport='UDP'):
    return (f'OPTIONS sip:{SERVER} SIP/2.0\r\nVia: SIP/2.0/{transport} {CLIENT};branch=z9hG4bKmark{number}\r\n'
            f'From: <sip:x@{CLIENT}>;tag=1\r\nTo: <sip:{SERVER}>\r\nCall-ID: mark{number}\r\nCSeq: 1 OPTIONS\r\n'
            'Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n').encode()


def header(message, name):
    m = re.search(rb'\r\n' + name + rb': *([^\r]*)', message)
    return m[1] if m else b''


def sockets(lan, address):
    """Answers go to the port in the Via (RFC 3261 18.2.2): all that the messages name."""
    def make(port):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((address, port))
        return s
    return [lan.client.inside(make, port) for port in (5060, 5050, 5070, 6050, 19823)]


def ask(own, data, number):
    """Statuses that come back before the answer to an OPTIONS sent behind it, whichever port they come to."""
    answers, waits = set(), 30
    own[0].sendto(data, (SERVER, 5060))
    own[0].sendto(options(number), (SERVER, 5060))
    while ready := select.select(own, [], [], waits)[0]:
        for s in ready:
            answer = s.recv(65536)
            call = header(answer, b'Call-ID')
            if call == b'mark%d' % number:
                waits = 0
            elif call in data:  # else sent again to an INVITE before
                answers.add(answer.split(b' ')[1].decode())
    assert waits == 0, 'the server is silent'
    return answers


def test_every_torture_message_is_answered_as_the_standards_say(server, lan):
    wrong, paths = [], sorted(GOLDEN.glob('rfc*.sip'))
    assert len(paths) > 60
    for number, path in enumerate(paths):
        if number % 15 == 0:  # strangers are answered 40 times in a row: from then on as another one
            address = f'10.98.1.{1 + number // 15}'
            lan.client.run('ip', 'address', 'add', address + '/16', 'dev', 'eth0')
            own = sockets(lan, address)
        head, data = read(path)
        want, got = expected(path.stem, head, data), ask(own, data, number)
        if got != ({want} if want else set()):
            wrong.append((path.stem, want, got))
    assert not wrong


def talk(lan, data):
    """What comes back over TCP until the server closes or has answered the OPTIONS behind it."""
    got = b''
    with lan.client.connect(5060) as s:
        s.settimeout(30)
        try:
            s.sendall(data + options(999, 'TCP'))
            while b'Call-ID: mark999' not in got:
                more = s.recv(65536)
                if not more:
                    return got, True
                got += more
        except ConnectionError:
            return got, True
    return got, False


def request(*lines, body=b''):
    head = [b'OPTIONS sip:a SIP/2.0', b'Via: SIP/2.0/TCP 10.98.0.2;branch=z9hG4bKx', b'From: <sip:a>;tag=1',
            b'To: <sip:a>', b'Call-ID: bad', b'CSeq: 1 OPTIONS', *lines]
    return b'\r\n'.join(head) + b'\r\n\r\n' + body


def test_a_stream_of_rubbish_is_closed_and_others_are_served(server, lan):
    for data, status, closed in [
            (request(b'Content-Length: 0', b'bad name: x'), b'400', False),
            (request(b'Content-Length: 1000000000'), b'513', True),
            (request(b'Content-Length: -1'), b'400', True),
            (request(b'Content-Length: 99999999999999999999999999'), b'400', True),
            (request(b'Content-Length: 0', b'Content-Length: 5'), b'400', True),
            (request(*[b'a:b'] * 10000), b'400', True),
            (request(*[b'a:b'] * 200, b'Content-Length: 0'), b'400', None),
            (b'x' * 20000, b'', True),
            (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'', True),
            (bytes(range(256)) * 10, b'', True),
            (b'\r\n\r\n' * 3, b'', False)]:
        got, was_closed = talk(lan, data)
        first = got.lstrip(b'\r\n').split(b'\r\n')[0]
        assert closed is None or was_closed == closed, (data[-60:], got[:60])
        assert first.startswith(b'SIP/2.0 ' + status) if status else not first or b'200 OK' in first, (data[-60:], got[:60])
    assert talk(lan, b'')[0].startswith(b'SIP/2.0 200')
