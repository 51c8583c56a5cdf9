"""Clients that are slow, many, or large: refused or cut off, and nobody else waits for them."""
import gzip
import io
import json
import socket
import tarfile
import zipfile

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


def answers(port, sent):
    """Statuses of all that is answered to these bytes, until the server ends the connection."""
    with socket.create_connection(('127.0.0.1', port), 60) as s:
        s.sendall(sent)
        said = b''
        try:
            while part := s.recv(65536):
                said += part
        except ConnectionError:
            pass
    return [int(line.split()[1]) for line in said.split(b'\r\n') if line.startswith(b'HTTP/1.1 ')]


@pytest.mark.parametrize('framing, body', [('Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'), ('Content-Length: 2\r\nContent-Length: 15', '{"name":"smug"}'),
                                           ('Transfer-Encoding: xchunked', '{}'), ('Transfer-Encoding: chunked, identity', '0\r\n\r\n'),
                                           ('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'), ('Host: evil.example\r\nContent-Length: 2', '{}')])
def test_a_request_that_could_be_two_is_refused_and_ends_the_connection(node, root, framing, body):
    head = f'Host: localhost\r\nAuthorization: Bearer {root.token}\r\n'
    hidden = f'GET {BASE}user HTTP/1.1\r\n{head}\r\n'
    assert answers(node.web.port, f'POST {BASE}pool HTTP/1.1\r\n{head}Content-Type: application/json\r\n{framing}\r\n\r\n{body}{hidden}'.encode()) == [400]


@pytest.mark.parametrize('body, words', [(b'{"name":"a","name":"b"}', 'duplicate'), (b'[' * 100000, 'depth'), (b'{"name":"a\xff"}', '0xff'), (b'{"name":"a\\u0000"}', 'u0000'),
                                         (b'{"name":"x","connection_monitor":' + b'9' * 400 + b'}', 'too big'), (b'{"name":1e999}', 'overflow')])
def test_bodies_that_are_no_json_are_refused_with_what_is_wrong(root, body, words):
    answer, text = root.raw('POST', BASE + 'pool', body, {'Content-Type': 'application/json'})
    assert answer.status == 400 and words in json.loads(text)['detail'], text


def packed(make, *members):
    """An archive of (name, bytes, kind, link)."""
    to = io.BytesIO()
    with make(to) as archive:
        for name, content, kind, link in members:
            if isinstance(archive, zipfile.ZipFile):
                archive.writestr(name, content)
            else:
                info = tarfile.TarInfo(name)
                info.size, info.type, info.linkname = len(content), kind, link
                archive.addfile(info, io.BytesIO(content))
    return to.getvalue()


def tar(*members):
    return packed(lambda to: tarfile.open(fileobj=to, mode='w:gz'), *members)


def test_archives_that_are_bombs_or_traps_leave_nothing(node, root):
    file = tarfile.REGTYPE
    bomb = packed(lambda to: zipfile.ZipFile(to, 'w', zipfile.ZIP_DEFLATED), ('bomb.sbn', bytes(70 << 20), None, None))
    links = tar(('l.sbn', b'', tarfile.SYMTYPE, '/etc/passwd'), ('h.sbn', b'', tarfile.LNKTYPE, '/etc/passwd'), ('f.sbn', b'', tarfile.FIFOTYPE, ''), ('d.sbn', b'', tarfile.DIRTYPE, ''))
    hidden = tar(('.hidden', b'x', file, ''), ('SEP001122334455.cnf.xml', b'<x/>', file, ''), ('a\nb.sbn', b'x', file, ''))
    for archive, why in (bomb, 'more than is allowed'), (links, 'no firmware'), (hidden, 'no firmware'), (gzip.compress(bytes(1 << 20)), 'no'), (b'PK\3\4' + bytes(500), 'archive'):
        answer, text = root.raw('POST', BASE + 'load/import', archive, {'Content-Type': 'application/octet-stream'})
        assert answer.status == 422 and why in json.loads(text)['detail'], text[:300]
    inside = tar(('../../../evil.sbn', b'x', file, ''), ('/tmp/evil2.sbn', b'x', file, ''))
    answer, text = root.raw('POST', BASE + 'load/import', inside, {'Content-Type': 'application/octet-stream'})
    assert sorted(item['file'] for item in json.loads(text)['items']) == ['evil.sbn', 'evil2.sbn']
    assert sorted(path.name for path in (node.folder / 'files').iterdir()) == ['evil.sbn', 'evil2.sbn']
    assert root.raw('POST', BASE + 'load/import?plan=1', inside, {'Content-Type': 'application/octet-stream'})[0].status == 422


@pytest.mark.parametrize('kind, body, why', [('text/csv', bytes(100000), 'column'), ('text/csv', gzip.compress(b'name,model\n'), 'line 1'), ('text/csv', b'a,' * 100000, 'cells'),
                                             ('text/csv', b'name,model\n"' + b'x,\n' * 100000, 'wrong'), ('application/json', b'[' * 100000, 'line 1'),
                                             ('application/json', b'{"phone": [{"name": "\xff"}]}', '0xff')])
def test_lists_that_are_none_are_refused_with_a_reason(root, kind, body, why):
    answer, text = root.raw('POST', BASE + 'import', body, {'Content-Type': kind})
    assert answer.status == 422 and why in json.loads(text)['detail'], text[:300]


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
