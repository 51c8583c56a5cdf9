"""Who may do what: every route with every method, by nobody, by each role, and by who no longer may. The table is said here again,
so that a row of the server's own that slips is noticed."""
import json
import socket

import pytest

from rest import BASE, Web, web_node

pytestmark = pytest.mark.xdist_group('web_roles')

ROLES = ['viewer', 'operator', 'administrator']
# Reading is for viewers, changing for administrators; else:
ALSO_OPERATORS = {
    'phone/reset', 'phone/{name}/reset', 'phone/restart', 'phone/{name}/restart', 'phone/apply', 'phone/{name}/apply', 'phone/rebuild', 'phone/{name}/rebuild',
    'lease/{name}/release', 'service/{name}/start', 'service/{name}/stop', 'service/{name}/restart', 'node/drain', 'node/resume', 'interface/{name}/probe',
    'simulated/boot', 'simulated/{name}/press', 'simulated/{name}/unplug',
}
NOT_VIEWERS = {'phone/{name}/file', 'phone/{name}/values', 'trace/collect'}
ONLY_ADMINISTRATORS = {'user', 'token', 'audit', 'export', 'backup', 'capture/{name}/fetch', 'user/{name}', 'token/{name}'}


def least(method, path):
    path = path.removeprefix(BASE)
    if method == 'GET':
        return 2 if path in ONLY_ADMINISTRATORS else 1 if path in NOT_VIEWERS else 0
    return 1 if path in ALSO_OPERATORS else 2


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('roles'), 'listen.address=127.0.0.1')
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def root(node):
    return node.web.log_in(user='root', password='correct horse')


@pytest.fixture(scope='module')
def routes(root):
    paths = root.ask('GET', 'openapi.json').json['paths']
    found = [(method.upper(), path, operation) for path, methods in paths.items() for method, operation in methods.items()
             if operation['tags'][0] != 'session' and not path.endswith(('/follow', '/live'))]
    assert len(found) > 200 and {method for method, _, _ in found} == {'GET', 'POST', 'PATCH', 'DELETE'}
    return found


def ask(web, method, path, **headers):
    """About what is not there, so that nothing is done."""
    body = b'{"nobody": 1}' if method in ('POST', 'PATCH') else None
    answer, text = web.patient(method, path.replace('{name}', 'nobody'), body, {'Content-Type': 'application/json', **headers})
    assert answer.status < 400 or answer.getheader('Content-Type') == 'application/problem+json'
    return answer.status


def token(node, root, name, role='administrator', **more):
    return Web(node.web.port, root.ask('POST', 'token', {'name': name, 'role': role, **more}, 201).json['token'])


def test_each_role_may_what_the_table_says_and_nothing_else(node, root, routes):
    for level, role in enumerate(ROLES):
        web, wrong = token(node, root, role, role), []
        for method, path, operation in routes:
            if level and path.endswith(('/node/token', '/phone/rebuild', '/certificate/renew', '/simulated/boot')):
                continue  # would be done, or is off
            status = ask(web, method, path)
            if (status == 403) != (level < least(method, path)) or status == 401 or status >= 500:
                wrong.append((role, method, path, status))
            if ['read', 'operate', 'administer'].index(operation['x-role']) != least(method, path):
                wrong.append(('described', method, path, operation['x-role']))
        assert not wrong


def test_who_is_nobody_any_more_may_nothing(node, root, routes):
    expired = token(node, root, 'expired', expires='2020-01-01')
    deleted = token(node, root, 'deleted')
    assert ask(deleted, 'GET', BASE + 'phone') == 200
    root.ask('POST', 'user', {'name': 'olga', 'role': 'administrator', 'password': 'correct horse'}, 201)
    olga = node.web.log_in(user='olga', password='correct horse')
    assert ask(olga, 'GET', BASE + 'phone') == 200
    out = node.web.log_in(user='root', password='correct horse')
    out.ask('DELETE', 'session')
    root.ask('DELETE', 'token/deleted')
    root.ask('DELETE', 'user/olga')
    forged, none = Web(node.web.port, 'f' * 64), Web(node.web.port)
    for web in expired, deleted, olga, out, forged, none:
        assert {ask(web, method, path) for method, path, _ in routes[::1 if web is none else 7]} == {401}, web.token
        assert web.raw('GET', BASE + 'live')[0].status == 401 and web.raw('GET', '/metrics')[0].status == 401


def test_a_role_that_shrinks_counts_at_once(node, root):
    root.ask('POST', 'user', {'name': 'max', 'role': 'administrator', 'password': 'correct horse'}, 201)
    web = node.web.log_in(user='max', password='correct horse')
    assert ask(web, 'POST', BASE + 'pool') == 422
    root.ask('PATCH', 'user/max', {'role': 'viewer'})
    assert ask(web, 'POST', BASE + 'pool') == 403
    root.ask('PATCH', 'user/max', {'password': 'another horse'})
    assert ask(web, 'GET', BASE + 'pool') == 401


def test_other_methods_are_none_of_any_route(root, routes):
    known = {}
    for method, path, _ in routes:
        known.setdefault(path, set()).add(method)
    for path, methods in sorted(known.items())[::5]:
        for method in {'GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS', 'TRACE', 'BREW'} - methods:
            assert ask(root, method, path) == 405 or method in ('GET', 'PATCH', 'DELETE') and ask(root, method, path) in (404, 405), (method, path)


def cookie_of(node, **headers):
    answer, text = node.web.raw('POST', BASE + 'session', {'user': 'root', 'password': 'correct horse'}, headers)
    assert answer.status == 201
    return answer.getheader('Set-Cookie'), json.loads(text)['csrf']


def test_every_change_needs_the_token_of_the_page_and_its_own_origin(node, routes):
    cookie, csrf = cookie_of(node)
    own = {'Cookie': cookie.split(';')[0]}
    here = f'127.0.0.1:{node.web.port}'
    forged = [{}, {'X-CSRF-Token': ''}, {'X-CSRF-Token': csrf[:-1]}, {'X-CSRF-Token': csrf, 'Origin': 'null'}, {'X-CSRF-Token': csrf, 'Origin': f'http://{here}.evil.example'},
              {'X-CSRF-Token': csrf, 'Origin': 'http://127.0.0.1:1'}]
    for i, (method, path, _) in enumerate(routes):
        if method == 'GET':
            continue
        assert ask(node.web, method, path, **own, **forged[i % len(forged)]) == 403, (method, path, forged[i % len(forged)])
    for headers in forged:
        assert ask(node.web, 'DELETE', BASE + 'pool/nobody', **own, **headers) == 403, headers
    assert ask(node.web, 'DELETE', BASE + 'session', **own) == 403
    assert ask(node.web, 'DELETE', BASE + 'pool/nobody', **own, **{'X-CSRF-Token': csrf, 'Origin': f'http://{here}'}) == 404
    for host in 'evil.example', f'evil.example:{node.web.port}', '127.0.0.1.evil.example', 'localhost.evil.example', '':
        assert ask(node.web, 'GET', BASE + 'phone', **own, Host=host) == 421, host


def test_a_session_that_somebody_else_chose_is_never_ours(node):
    chosen = 'dialtone_session=' + 'a' * 64
    cookie, _ = cookie_of(node, Cookie=chosen)
    assert chosen not in cookie and all(word in cookie for word in ('HttpOnly', 'SameSite=Strict', 'Path=/'))
    assert ask(node.web, 'GET', BASE + 'phone', Cookie=chosen) == 401
    again, csrf = cookie_of(node, Cookie=cookie.split(';')[0])
    assert again != cookie
    assert ask(node.web, 'DELETE', BASE + 'session', **{'Cookie': again.split(';')[0], 'X-CSRF-Token': csrf}) == 200
    assert ask(node.web, 'GET', BASE + 'phone', Cookie=again.split(';')[0]) == 401


def test_streams_end_when_their_token_is_taken_away_or_shrinks(node, root):
    for stream in 'live', 'event/follow':
        web = token(node, root, 'watcher', 'viewer')
        with socket.create_connection(('127.0.0.1', node.web.port), 60) as s:
            s.sendall(f'GET {BASE}{stream} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {web.token}\r\n\r\n'.encode())
            assert s.recv(100).startswith(b'HTTP/1.1 200')
            root.ask('DELETE', 'token/watcher')
            while s.recv(65536):
                pass
