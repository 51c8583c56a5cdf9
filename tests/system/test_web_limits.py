"""Clients that are slow, many, or large: refused or cut off, and nobody else waits for them."""
import json
import socket

import pytest

from conftest import until
from rest import BASE, web_node

pytestmark = pytest.mark.xdist_group('web_limits')


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('limits'), 'listen.address=127.0.0.1')
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def root(node):
    return node.web.log_in(user='root', password='correct horse')


def status(port, source='127.0.0.1'):
    try:
        with socket.create_connection(('127.0.0.1', port), 60, (source, 0)) as s:
            s.sendall(b'GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
            return s.recv(4096).split(b' ', 2)[1:2]
    except ConnectionError:
        return []


def test_an_address_holds_not_all_connections(node):
    slow = []
    for _ in range(140):
        s = socket.create_connection(('127.0.0.1', node.web.port), 60)
        slow.append(s)
        try:
            s.sendall(b'POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{')
        except ConnectionError:
            pass  # it is over the limit, and closed already
    assert status(node.web.port, '127.0.0.2') == [b'401']
    for s in slow:
        s.close()
    until(lambda: status(node.web.port) == [b'401'])


def test_a_body_that_never_ends_is_refused_with_a_reason(root):
    answer, text = root.raw('POST', BASE + 'phone', b' ' * (2 << 20), {'Content-Type': 'application/json'})
    assert answer.status == 413 and json.loads(text)['status'] == 413


def test_a_stream_that_nobody_reads_holds_up_nobody(node, root):
    s = socket.create_connection(('127.0.0.1', node.web.port), 60)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.sendall(f'GET {BASE}live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {root.token}\r\n\r\n'.encode())
    for i in range(50):
        root.ask('POST', 'pool', {'name': f'Pool {i}'}, 201)
    root.ask('POST', 'pool/bulk', {'action': 'delete', 'where': {'name': 'Pool*'}})
    s.close()


@pytest.mark.parametrize('head', [b'GET /api/v1/phone HTTP/1.1\r\n' + b'X-A: ' + b'y' * 40000 + b'\r\n\r\n', b'GET ' + b'/' * 40000 + b' HTTP/1.1\r\n\r\n',
                                  b'POST /api/v1/phone HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n', b'\x16\x03\x01\x00\xa5' * 20 + b'\r\n\r\n',
                                  b'POST /api/v1/phone HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n'])
def test_heads_that_are_no_requests_end_the_connection(node, head):
    with socket.create_connection(('127.0.0.1', node.web.port), 60) as s:
        try:
            s.sendall(head)
            said = s.recv(4096)
        except ConnectionError:
            said = b''
        assert not said.startswith(b'HTTP/1.1 2')
    assert status(node.web.port) == [b'401']
