"""Tokens of programs, and the log of who changed what: through the API and the command line, over restarts."""
import json
import socket

import pytest

from conftest import until
from node import Node
from rest import BASE, Web, web_node

pytestmark = pytest.mark.xdist_group('web_audit')


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('audit'))
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def root(node):
    return node.web.log_in(user='root', password='correct horse')


def test_a_token_is_told_once_and_opens_what_its_role_allows(node, root):
    made = root.ask('POST', 'token', {'name': 'ci', 'role': 'operator', 'expires': '2099-12-31'}, 201)
    token = made.json['token']
    assert token.startswith('dt_') and len(token) == 67
    for path in ('token', 'token/ci', 'export?format=json', 'audit'):
        answer, text = root.raw('GET', BASE + path)
        assert answer.status == 200 and token not in text.decode(), path
    program = Web(node.web.port, token)
    assert program.ask('GET', 'session').json['role'] == 1
    program.ask('GET', 'phone')
    program.ask('POST', 'phone/reset', {'all': True})
    program.ask('POST', 'phone', {'name': 'SEP001122334455', 'model': '7960'}, 403)
    for path in ('token', 'audit', 'user'):
        program.ask('GET', path, status=403)
    root.ask('PATCH', 'token/ci', {'role': 'viewer'})
    program.ask('POST', 'phone/reset', {'all': True}, 403)
    root.ask('PATCH', 'token/ci', {'expires': '2020-01-01'})
    program.ask('GET', 'phone', status=401)
    root.ask('PATCH', 'token/ci', {'expires': ''})
    program.ask('GET', 'phone')
    root.ask('DELETE', 'token/ci')
    program.ask('GET', 'phone', status=401)


@pytest.mark.parametrize('body', [{'name': 'x', 'expires': 'soon'}, {'name': 'x', 'hash': 'f' * 64}, {'name': 'x', 'role': 'king'}])
def test_bad_tokens_are_refused(root, body):
    root.ask('POST', 'token', body, 422)
    root.ask('GET', 'token/x', status=404)


def test_forged_tokens_open_nothing(node):
    for token in ('dt_' + 'f' * 64, 'dt_', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'):
        assert Web(node.web.port).raw('GET', BASE + 'phone', None, {'Authorization': f'Bearer {token}'})[0].status == 401


def test_what_is_changed_is_kept_with_old_and_new_but_no_secrets(node, root):
    root.ask('POST', 'phone', {'name': 'SEP001122334455', 'model': '7960', 'description': 'Lobby'}, 201)
    root.ask('PATCH', 'phone/SEP001122334455', {'description': 'Front desk'})
    root.ask('PATCH', 'phone/SEP001122334455', {'pool': 'Nowhere'}, 422)
    root.ask('PATCH', 'phone/SEP001122334455?plan=1', {'description': 'only asked'})
    root.ask('PATCH', 'user/root', {'digest_password': 'hidden words'})
    node.web.ask('POST', 'session', {'user': 'root', 'password': 'wrong'}, 401)
    control = node.control()
    control.ask('phone', 'set', 'SEP001122334455', {'description': 'By hand'})
    control.close()
    items = root.ask('GET', 'audit').json['items']
    by_hand, refused_log_in, secret, refused, changed = items[:5]
    assert (by_hand['who'], by_hand['from'], by_hand['result']) == ('uid 0', 'command line', 'done')
    assert by_hand['changes'][0]['fields'] == {'description': {'old': 'Front desk', 'new': 'By hand'}}
    assert (refused_log_in['noun'], refused_log_in['result']) == ('session', 'refused')
    assert 'hidden' not in json.dumps(secret)
    assert refused['result'].startswith('422 ') and 'Nowhere' in refused['result']
    assert (changed['who'], changed['from'], changed['noun'], changed['verb'], changed['name']) == ('root', '127.0.0.1', 'phone', 'set', 'SEP001122334455')
    assert changed['changes'][0]['fields'] == {'description': {'old': 'Lobby', 'new': 'Front desk'}}
    assert [item['verb'] for item in root.ask('GET', 'audit?noun=phone&who=root&limit=2').json['items']] == ['set', 'set']
    assert root.ask('GET', 'audit?search=only+asked').json['items'] == []
    assert root.ask('GET', 'audit?since=2099-01-01').json['items'] == []
    root.ask('GET', 'audit?colour=red', status=422)
    assert 'hidden' not in (node.folder / 'audit.log').read_text()


def test_the_log_outlives_the_server(tmp_path):
    n = web_node(tmp_path)
    n.web.log_in(user='root', password='correct horse').ask('POST', 'pool', {'name': 'Berlin'}, 201)
    n.kill()
    with open(tmp_path / 'audit.log', 'a') as log:
        log.write('{"time": "cut')
    again = Node(tmp_path, f'admin.port={n.web.port}')
    web = Web(n.web.port).log_in(user='root', password='correct horse')
    assert web.ask('GET', 'audit?noun=pool').json['items'][0]['name'] == 'Berlin'
    assert again.stop() == 0


def test_an_address_may_not_ask_without_end(node):
    """As the last: it uses up what this address may. All at once, as a slow machine asks no two hundred times a second."""
    def ask():
        with socket.create_connection(('127.0.0.1', node.web.port), 60) as s:
            s.sendall(f'GET {BASE}openapi.jso HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode() * 1500)
            said = b''
            while said.count(b'HTTP/1.1 ') < 1500 and b'HTTP/1.1 429 ' not in said and (more := s.recv(65536)):
                said += more
            return b'HTTP/1.1 429 ' in said
    until(ask)
