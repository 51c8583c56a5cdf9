"""Imports, exports, backups, traces and captures over HTTP: files go in and out, and name nothing on the server."""
import csv
import io
import json
import os
import sqlite3
import socket
import struct
import tarfile

import pytest

from conftest import until
from rest import BASE, Web, web_node

pytestmark = pytest.mark.xdist_group('web_files')

@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('files'), 'listen.address=127.0.0.1')
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def root(node):
    return node.web.log_in(user='root', password='correct horse')


@pytest.fixture(autouse=True)
def nothing_stays(node):
    yield
    until(lambda: not [name for name in os.listdir(node.folder) if name.startswith(('upload', 'download'))])


def send(web, path, body, kind='text/csv', status=200):
    answer, text = web.raw('POST', BASE + path, body, {'Content-Type': kind})
    assert answer.status == status, text
    return json.loads(text)


def phones(n):
    return b'name,model,lines,description\n' + b''.join(
        b'SEP0011%08X,7960,%d,Import %d\n' % (i, 20000 + i, i) for i in range(n))


def test_a_list_is_looked_at_then_imported(node, root):
    plan = send(root, 'import?plan=1', phones(3))
    assert plan['plan'] and plan['record']['added'] == 6 and 'path' not in plan['record']
    assert {row['name'] for row in plan['changes'] if row['action'] == 'add' and row['noun'] == 'phone'} == {f'SEP00110000000{i}' for i in range(3)}
    assert root.ask('GET', 'overview').json['record']['counts']['phones'] == 0
    assert send(root, 'import', phones(3))['record']['added'] == 6
    assert root.ask('GET', 'phone/SEP001100000002').json['record']['description'] == 'Import 2'


def test_a_list_larger_than_a_usual_body_is_taken(node, root):
    body = phones(40000)
    assert len(body) > 1 << 20
    assert send(root, 'import?plan=1', body)['record']['added'] == 79994


def test_faults_of_a_list_are_told_without_the_name_of_a_file(node, root):
    refused = send(root, 'import', b'name,model\nSEP001122334455,nothing\n', status=422)
    assert 'upload' not in json.dumps(refused) and str(node.folder) not in json.dumps(refused)
    send(root, 'import', b'{', 'application/json', 422)
    send(root, 'restore', b'no database', 'application/octet-stream', 422)
    send(root, 'import', b'name,model\n', 'text/plain', 415)
    assert send(root, 'import?file=/etc/passwd', b'name,model\n', 'application/x-nothing')['record']['read'] == 0


def test_what_is_exported_can_be_imported(node, root):
    answer, text = root.raw('GET', BASE + 'export?format=csv')
    assert answer.getheader('Content-Type').startswith('text/csv') and 'attachment' in answer.getheader('Content-Disposition')
    assert text.count(b'\n') == 4 and b'SEP001100000001' in text
    assert send(root, 'import', text)['record'] == {'read': 3, 'added': 0, 'changed': 0, 'refused': 0}
    answer, text = root.raw('GET', BASE + 'export?format=json')
    assert len(json.loads(text)['phone']) == 3
    send(root, 'import', text, 'application/json')
    answer, text = root.raw('GET', BASE + f'export?file={node.folder}/stolen.csv')
    assert not (node.folder / 'stolen.csv').exists()


def test_a_backup_takes_the_place_of_what_is_there(node, root, tmp_path):
    answer, backup = root.raw('GET', BASE + 'backup')
    assert answer.status == 200
    (tmp_path / 'backup.db').write_bytes(backup)
    assert sqlite3.connect(tmp_path / 'backup.db').execute('select count(*) from phone').fetchone() == (3,)
    root.ask('DELETE', 'phone/SEP001100000001')
    plan = send(root, 'restore?plan=1', backup, 'application/octet-stream')
    assert plan['record']['phones'] == 3 and plan['plan']
    root.ask('GET', 'phone/SEP001100000001', status=404)
    done = send(root, 'restore', backup, 'application/octet-stream')
    assert done['record']['phones'] == 3 and 'kept in' in done['notes'][0]
    root.ask('GET', 'phone/SEP001100000001')


def test_traces_and_captures_are_downloads(node, root):
    answer, text = root.raw('GET', BASE + 'trace/collect?since=1h')
    assert answer.getheader('Content-Type') == 'application/gzip'
    assert tarfile.open(fileobj=io.BytesIO(text)).getnames()
    started = root.ask('POST', 'capture/start', {'phone': 'SEP001100000001', 'messages': 'yes', 'duration': '60s'}).json
    name = started['record']['name']
    root.ask('POST', f'capture/{name}/stop', {})
    answer, text = root.raw('GET', BASE + f'capture/{name}/fetch')
    assert answer.status == 200 and text[:4] == b'\x0a\x0d\x0d\x0a', text[:200]
    root.ask('GET', 'capture/..%2f..%2fetc%2fpasswd/fetch', status=404)


def test_others_than_administrators_may_not(node, root):
    root.ask('POST', 'user', {'name': 'op', 'role': 'operator', 'password': 'pass word 1'}, 201)
    operator = node.web.log_in(user='op', password='pass word 1')
    for path in ('import', 'restore'):
        send(operator, path, b'x', status=403)
        send(Web(node.web.port), path, b'x', status=401)
    for path in ('export', 'backup', 'capture/x/fetch'):
        operator.ask('GET', path, status=403)
    answer, _ = operator.raw('POST', BASE + 'import', b'x' * (2 << 20), {'Content-Type': 'text/csv'})
    assert answer.status == 413


def test_what_a_spreadsheet_would_compute_is_text_in_an_export_and_comes_back_as_it_was(root):
    said = {'SEP0011223355A0': '=cmd|calc!A0', 'SEP0011223355A1': '@SUM(1, 2)', 'SEP0011223355A2': "'=1", 'SEP0011223355A3': '+4930'}
    for name, description in said.items():
        root.ask('POST', 'phone', {'name': name, 'model': '7960', 'description': description}, 201)
    _, text = root.raw('GET', BASE + 'export?format=csv')
    cells = {row[0]: row[3] for row in csv.reader(io.StringIO(text.decode()))}
    assert [cells[name] for name in said] == ["'=cmd|calc!A0", "'@SUM(1, 2)", "''=1", '+4930']
    for name in said:
        root.ask('PATCH', f'phone/{name}', {'description': ''})
    answer, _ = root.raw('POST', BASE + 'import', text, {'Content-Type': 'text/csv'})
    assert answer.status == 200
    assert [root.ask('GET', f'phone/{name}').json['record']['description'] for name in said] == list(said.values())
    for name in said:
        root.ask('DELETE', f'phone/{name}')


def test_a_client_that_goes_away_leaves_nothing(node, root):
    s = socket.create_connection(('127.0.0.1', root.port))
    s.sendall(f'POST {BASE}restore HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {root.token}\r\n'
              f'Content-Type: application/octet-stream\r\nContent-Length: 5000000\r\n\r\n'.encode() + b'x' * 100000)
    until(lambda: any(name.startswith('upload') for name in os.listdir(node.folder)))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()
