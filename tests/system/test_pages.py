"""The web page in Debian's Chromium: files and headers, each page in three languages and two sizes, actions, axe."""
import gzip
import http.client
import pathlib
import re
import socket
import subprocess

import pytest

from node import Node

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.xdist_group('pages')


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    with socket.socket() as one, socket.socket() as other:
        one.bind(('127.0.0.1', 0))
        other.bind(('127.0.0.1', 0))
        port, sccp = (s.getsockname()[1] for s in (one, other))
    n = Node(tmp_path_factory.mktemp('pages'), f'admin.port={port}', f'sccp.port={sccp}')
    n.port = port
    n.key = re.search('key ([0-9a-f]{32})', n.said).group(1)
    yield n
    assert n.stop() == 0, n.said


def fetch(node, path, method='GET', **headers):
    connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=60)
    connection.request(method, path, headers={k.replace('_', '-'): v for k, v in headers.items()})
    answer = connection.getresponse()
    answer.body = answer.read()
    connection.close()
    return answer


def test_the_page_is_read_at_every_address_and_lets_nothing_foreign_in(node):
    for path in ('/', '/phone/SEP001122334455', '/server/10.1.2.3', '/no/such/page'):
        answer = fetch(node, path)
        assert answer.status == 200 and answer.getheader('Content-Type') == 'text/html; charset=utf-8'
        policy = answer.getheader('Content-Security-Policy')
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and 'unsafe' not in policy
        assert answer.getheader('Cache-Control') == 'no-cache'
        assert fetch(node, path, If_None_Match=answer.getheader('ETag')).status == 304
    assert not re.search(rb'<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|https?://', fetch(node, '/').body)
    assert fetch(node, '/', method='POST').status == 405


def test_files_of_the_page_never_change_and_are_sent_compressed(node):
    shell = fetch(node, '/').body.decode()
    paths = re.findall('(?:src|href)="(/v/[^"]+)"', shell)
    assert len(paths) > 5
    for path in paths:
        answer, packed = fetch(node, path), fetch(node, path, Accept_Encoding='gzip, br')
        assert answer.status == 200 and 'immutable' in answer.getheader('Cache-Control'), path
        assert packed.getheader('Content-Encoding') == 'gzip' and gzip.decompress(packed.body) == answer.body
        assert packed.getheader('ETag') != answer.getheader('ETag')
        assert answer.getheader('X-Content-Type-Options') == 'nosniff'
    version = paths[0].split('/')[2]
    for path in ('/v/', '/v/x', f'/v/{version}/', f'/v/{version}/../app.js', f'/v/{version}/%2e%2e/app.js', f'/v/{version}/README.md',
                 '/v/000000000000/app.js', f'/v/{version}//app.js', f'/v/{version}/lib'):
        assert fetch(node, path).status == 404, path


def test_types_of_the_page_hold():
    checked = subprocess.run([TOP / 'tests/web/check'], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_vendored_files_are_what_their_makers_published():
    for folder in ('web/vendor', 'tests/web'):
        subprocess.run(['sha256sum', '--quiet', '-c', 'SHA256SUMS'], cwd=TOP / folder, check=True)
