"""The REST API, by Python's own HTTP client: log-in, roles, forged requests, two writers, limits, its description."""
import http.client
import json
import threading

import pytest

from rest import BASE, Web, web_node

pytestmark = pytest.mark.xdist_group('web')


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('web'))
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def root(node):
    return node.web.log_in(user='root', password='correct horse')


def test_the_first_key_is_worth_nothing_once_there_is_an_administrator(node):
    node.web.ask('POST', 'session', {'key': node.key}, 401)


def test_nothing_is_told_without_a_log_in(node):
    for path in ('phone', 'status', 'user/root', 'event', 'session'):
        answer = node.web.ask('GET', path, status=401)
        assert answer.getheader('Content-Type') == 'application/problem+json'
    Web(node.web.port, 'f' * 64).ask('GET', 'phone', status=401)


def test_a_phone_is_added_seen_changed_and_deleted(root):
    answer = root.ask('POST', 'phone', {'name': 'SEP001122334401', 'model': '7960', 'lines': ['7001', '7002']}, 201)
    assert answer.getheader('Location') == BASE + 'phone/SEP001122334401'
    assert root.ask('GET', 'phone/SEP001122334401').json['record']['lines'] == '7001;7002'
    root.ask('PATCH', 'phone/SEP001122334401', {'description': 'Front <b>desk</b>'})
    assert root.ask('GET', 'phone?search=front&limit=5').json['items'][0]['description'] == 'Front <b>desk</b>'
    assert root.ask('GET', 'line/7001').json['record']['number'] == '7001'
    root.ask('DELETE', 'phone/SEP001122334401')
    assert 'Did you mean' not in root.ask('GET', 'phone/SEP001122334401', status=404).json['detail']


def test_the_second_of_two_writers_gets_a_conflict_with_what_the_first_wrote(root):
    tag = root.ask('POST', 'phone', {'name': 'SEP001122334402', 'model': '7960'}, 201).getheader('ETag')
    assert root.ask('GET', 'phone/SEP001122334402').getheader('ETag') == tag
    new = root.ask('PATCH', 'phone/SEP001122334402', {'description': 'first'}, If_Match=tag).getheader('ETag')
    assert new != tag
    answer = root.ask('PATCH', 'phone/SEP001122334402', {'description': 'second'}, 412, If_Match=tag)
    assert answer.json['current']['description'] == 'first'
    root.ask('DELETE', 'phone/SEP001122334402', status=412, If_Match=tag)
    root.ask('DELETE', 'phone/SEP001122334402', If_Match=new)
    door = root.ask('GET', 'autoregistration').json['items'][0]['name']
    for at, values in (('parameter/station_keepalive_interval', ('31', '32', '30')), (f'autoregistration/{door}', ('4000', '4001', '1000'))):
        field = 'value' if 'parameter' in at else 'end'
        tag = root.ask('GET', at).getheader('ETag')  # of a default, too
        new = root.ask('PATCH', at, {field: values[0]}, If_Match=tag).getheader('ETag')
        root.ask('PATCH', at, {field: values[1]}, 412, If_Match=tag)
        assert str(root.ask('GET', at).json['record'][field]) == values[0]
        root.ask('PATCH', at, {field: values[2]}, If_Match=new)


def test_of_many_writers_at_once_one_wins(root):
    tag = root.ask('POST', 'phone', {'name': 'SEP001122334403', 'model': '7960'}, 201).getheader('ETag')
    seen = []

    def write(i):
        answer, _ = root.raw('PATCH', BASE + 'phone/SEP001122334403', {'description': f'writer {i}'}, {'If-Match': tag})
        seen.append(answer.status)

    writers = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(seen) == [200] + [412] * 7


def test_roles_decide_what_may_be_done(node, root):
    for role in ('viewer', 'operator'):
        root.ask('POST', 'user', {'name': role, 'role': role, 'password': 'pass word 1'}, 201)
    viewer, operator = (node.web.log_in(user=role, password='pass word 1') for role in ('viewer', 'operator'))
    viewer.ask('GET', 'phone')
    viewer.ask('POST', 'phone/reset', {'all': True}, 403)
    operator.ask('POST', 'phone/reset', {'all': True})
    operator.ask('POST', 'phone', {'name': 'SEP001122334404', 'model': '7960'}, 403)
    operator.ask('GET', 'user', status=403)
    root.ask('PATCH', 'user/viewer', {'role': 'none'})
    viewer.ask('GET', 'phone', status=401)
    root.ask('PATCH', 'user/operator', {'password': 'pass word 2'})
    operator.ask('GET', 'phone', status=401)


def test_a_forged_request_of_a_page_changes_nothing(node):
    answer, text = node.web.raw('POST', BASE + 'session', {'user': 'root', 'password': 'correct horse'})
    cookie, csrf = answer.getheader('Set-Cookie'), json.loads(text)['csrf']
    assert 'HttpOnly' in cookie and 'SameSite=Strict' in cookie
    sent = {'Cookie': cookie.split(';')[0]}
    assert node.web.raw('GET', BASE + 'phone', None, sent)[0].status == 200
    for headers in ({}, {'X-CSRF-Token': 'f' * 64}, {'X-CSRF-Token': csrf, 'Origin': 'http://evil.example'},
                    {'X-CSRF-Token': csrf, 'Origin': 'null'}):
        assert node.web.raw('POST', BASE + 'phone/reset', {'all': True}, sent | headers)[0].status == 403
    own = {'X-CSRF-Token': csrf, 'Origin': f'http://127.0.0.1:{node.web.port}'}
    assert node.web.raw('POST', BASE + 'phone/reset', {'all': True}, sent | own)[0].status == 200
    assert node.web.raw('DELETE', BASE + 'session', None, sent | own)[0].status == 200
    assert node.web.raw('GET', BASE + 'phone', None, sent)[0].status == 401


def test_a_foreign_name_for_this_address_is_refused(node, root):
    assert root.raw('GET', BASE + 'phone', None, {'Host': 'rebound.example'})[0].status == 421


@pytest.mark.parametrize('body, headers, status', [
    (b'{', {'Content-Type': 'application/json'}, 400), (b'[1]', {'Content-Type': 'application/json'}, 400),
    (b'name=x', {'Content-Type': 'application/x-www-form-urlencoded'}, 415),
    (b'{"name":"SEP001122334409","model":{"a":1}}', {'Content-Type': 'application/json'}, 422),
    (b'{"name":"SEP001122334409","model":"9999"}', {'Content-Type': 'application/json'}, 422),
    (b'{"a":' * 3000, {'Content-Type': 'application/json'}, 400), (b'x' * (2 << 20), {'Content-Type': 'application/json'}, 413)])
def test_bad_bodies_are_refused_with_a_reason(root, body, headers, status):
    answer, text = root.raw('POST', BASE + 'phone', body, headers)
    assert answer.status == status, text


@pytest.mark.parametrize('path', ['/../etc/passwd', '/api/v1/phone/..%2f..%2fetc%2fpasswd', '/api/v1/phone/%00',
                                  '/api/v1/' + 'a' * 5000, '/api/v1/phone/' + '%41' * 3000])
def test_tricks_with_paths_find_nothing(root, path):
    answer, text = root.raw('GET', path)
    assert b'root:' not in text and (answer.status in (404, 414) or text.lower().startswith(b'<!doctype html>'))


def test_events_are_followed_as_they_happen(root):
    connection = http.client.HTTPConnection('127.0.0.1', root.port, timeout=60)
    connection.request('GET', BASE + 'event/follow', headers={'Authorization': f'Bearer {root.token}'})
    answer = connection.getresponse()
    assert answer.getheader('Content-Type') == 'text/event-stream'
    for verb in ('stop', 'start'):
        root.ask('POST', f'service/Cisco%20CallManager/{verb}', {})
    line = answer.readline()
    assert line.startswith(b'data: {'), line
    assert json.loads(line[6:])['alarm'].startswith('ServicePort')
    connection.close()


def test_every_operation_of_the_description_exists(root):
    description = root.ask('GET', 'openapi.json').json
    operations = [(path, method, operation) for path, methods in description['paths'].items()
                  for method, operation in methods.items()]
    assert len({operation['operationId'] for _, _, operation in operations}) == len(operations) > 150

    def resolve(part):
        if isinstance(part, dict):
            if '$ref' in part:
                at = description
                for word in part['$ref'].lstrip('#/').split('/'):
                    at = at[word]
            for value in part.values():
                resolve(value)
        elif isinstance(part, list):
            for value in part:
                resolve(value)

    resolve(description)
    for path, method, operation in operations:
        assert ('{name}' in path) == any(p['name'] == 'name' and p['in'] == 'path' for p in operation.get('parameters', []))
        if method != 'get' or path.endswith(('/session', '/follow', '/live')):
            continue
        answer, text = root.patient('GET', path.replace('{name}', 'nobody'))
        assert answer.status in (200, 404, 422), (path, text)


def test_who_guesses_passwords_must_wait(node):
    node.web.log_in(user='root', password='correct horse')  # what was wrong before is forgotten
    seen = [node.web.raw('POST', BASE + 'session', {'user': 'mallory', 'password': 'x'})[0] for _ in range(6)]
    assert [answer.status for answer in seen] == [401] * 5 + [429]
    assert int(seen[-1].getheader('Retry-After')) > 0
