"""What pages need of the REST API: lists in any order by number, the overview, and the stream of what happens."""
import socket
import time

import pytest

from conftest import until
from rest import web_node
from sccp_client import Phone

pytestmark = pytest.mark.xdist_group('web_live')


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('live'), 'listen.address=127.0.0.1')
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def root(node):
    web = node.web.log_in(user='root', password='correct horse')
    web.ask('POST', 'pool', {'name': 'Berlin'}, 201)
    for i in range(25):
        web.ask('POST', 'phone', {'name': f'SEP0011223344{i:02X}', 'model': '7960' if i % 2 else '7940', 'description': f'Room {i}',
                                  'pool': 'Berlin' if i < 5 else 'Default', 'lines': [str(7000 + i)]}, 201)
    return web


def rows(root, query):
    answer = root.ask('GET', 'phone?' + query).json
    return answer['total'], [item['description'] for item in answer['items']]


def test_a_list_is_sorted_by_any_column_and_cut_by_number(root):
    assert rows(root, 'sort=description&offset=0&limit=3') == (25, ['Room 0', 'Room 1', 'Room 2'])
    assert rows(root, 'sort=-description&limit=2') == (25, ['Room 24', 'Room 23'])
    assert rows(root, 'sort=description&offset=9&limit=3') == (25, ['Room 9', 'Room 10', 'Room 11'])
    assert rows(root, 'sort=-lines&offset=23&limit=5') == (25, ['Room 1', 'Room 0'])
    assert rows(root, 'sort=status&offset=25') == (25, [])
    assert 'no column' in root.ask('GET', 'phone?sort=colour', status=422).json['detail']


def test_filters_and_search_narrow_a_sorted_list(root):
    assert rows(root, 'sort=-name&pool=Berlin&limit=2') == (5, ['Room 4', 'Room 3'])
    assert rows(root, 'offset=0&description=*m+1*&model=7960&limit=2') == (6, ['Room 1', 'Room 11'])
    assert rows(root, 'offset=0&search=7013') == (1, ['Room 13'])
    root.ask('PATCH', 'phone/SEP00112233440D', {'description': 'moved'})
    assert rows(root, 'offset=0&search=7013') == (1, ['moved'])


def test_what_is_found_while_one_types_is_what_is_found_at_once(root):
    at_once = lambda text: rows(root, f'sort=description&search={text}&columns=name,description,lines')
    typed = [at_once('ROOM%20' + '1'[:n]) for n in (0, 1)]
    assert typed[0][0] >= 24 and typed[1][0] == 10
    assert at_once('room%2011') == (1, ['Room 11']) and at_once('room%20119')[0] == 0
    root.ask('PATCH', 'phone/SEP001122334401', {'description': 'Room 119'})
    assert at_once('room%20119') == (1, ['Room 119'])  # what was found before is no longer true
    root.ask('PATCH', 'phone/SEP001122334401', {'description': 'Room 1'})


def test_lists_that_are_no_records_are_sorted_too(root):
    answer = root.ask('GET', 'service?sort=-service&limit=2').json
    names = [item['service'] for item in root.ask('GET', 'service').json['items']]
    assert [item['service'] for item in answer['items']] == sorted(names, key=str.lower, reverse=True)[:2]
    assert answer['total'] == len(names)


def test_the_overview_counts(node, root):
    record = root.ask('GET', 'overview').json['record']
    assert record['counts']['phones'] == 25
    assert {row['name']: row['phones'] for row in record['pools']} == {'Berlin': 5, 'Default': 20}
    assert {row['name']: row['phones'] for row in record['models']} == {'7940': 13, '7960': 12}
    assert len(record['strip']['rows']) == 144
    assert record['nodes']


def next_of(stream, name, fits=lambda data: True):
    for event, data in stream:
        if event == name and fits(data):
            return data
    raise AssertionError(f'the stream ended without {name}')


def test_the_stream_tells_the_whole_state_then_each_change(node, root):
    stream = root.stream('live')
    first = next_of(stream, 'phones')
    assert first['phones'] == 25 and not first['complete']
    assert any(item['id'] == 'tftp' for item in next_of(stream, 'services')['items'])
    assert 'items' in next_of(stream, 'findings')
    version = next_of(stream, 'directory')['version']
    connection = socket.create_connection(('127.0.0.1', node.sccp))
    Phone(connection, 'SEP001122334401').register()
    told = next_of(stream, 'phones', lambda data: data['changed'])
    assert told['complete'] and told['registered'] == 1
    assert [(row['name'], row['status']) for row in told['changed']] == [('SEP001122334401', 'registered')]
    connection.close()
    next_of(stream, 'events', lambda data: any(item['alarm'] == 'EndPointUnregistered' for item in data['items']))
    root.ask('PATCH', 'phone/SEP001122334402', {'description': 'x'})
    assert next_of(stream, 'directory')['version'] > version
    root.ask('POST', 'service/tftp/stop', {})
    next_of(stream, 'services', lambda data: {'id': 'tftp', 'state': 'stopped'}.items() <= next(i for i in data['items'] if i['id'] == 'tftp').items())
    strip = root.ask('GET', 'overview').json['record']['strip']['rows']
    assert sum(row[1] for row in strip) == 1


def test_a_stream_ends_with_its_session(node, root):
    other = node.web.log_in(user='root', password='correct horse')
    live, follow = other.stream('live'), other.stream('event/follow')
    next_of(live, 'phones')
    other.ask('DELETE', 'session')
    deadline = time.monotonic() + 60
    for _ in live:
        assert time.monotonic() < deadline
    assert list(follow) == []


def test_a_session_has_not_too_many_streams(node, root):
    other = node.web.log_in(user='root', password='correct horse')
    streams = [other.stream('live') for _ in range(12)]
    for stream in streams:
        next(stream)
    assert other.ask('GET', 'live', status=429).getheader('Retry-After')
    for stream in streams:
        stream.close()


def test_a_plan_tells_what_would_happen_and_changes_nothing(node, root):
    before = root.ask('GET', 'phone/SEP001122334405').json['record']
    plan = root.ask('PATCH', 'phone/SEP001122334405?plan=1', {'description': 'planned', 'pool': 'Berlin'}).json
    assert plan['plan'] and plan['total'] == 1 and plan['reset'] == {'count': 0, 'names': []}
    assert plan['changes'] == [{'noun': 'phone', 'name': 'SEP001122334405', 'action': 'set', 'fields': {
        'description': {'old': 'Room 5', 'new': 'planned'}, 'pool': {'old': 'Default', 'new': 'Berlin'}}}]
    refused = root.ask('PATCH', 'phone/SEP001122334405?plan=1', {'pool': 'Nowhere'}, 422).json
    assert refused['faults'][0]['field'] == 'pool'
    assert root.ask('POST', 'phone?plan=1', {'name': 'SEP0011223344F0', 'model': '7960'}).json['changes'][0]['action'] == 'add'
    assert root.ask('DELETE', 'phone/SEP001122334405?plan=1').json['changes'][0]['action'] == 'delete'
    assert root.ask('POST', 'phone/reset?plan=1', {'all': True}).json['reset']['count'] == 0
    assert 'cannot be planned' in root.ask('POST', 'service/tftp/stop?plan=1', {}, 422).json['detail']
    root.ask('GET', 'phone/SEP0011223344F0', status=404)
    assert root.ask('GET', 'phone/SEP001122334405').json['record'] == before


def test_a_change_tells_old_and_new_and_who_must_be_reset(node, root):
    connection = socket.create_connection(('127.0.0.1', node.sccp))
    Phone(connection, 'SEP001122334406', 8).register()
    until(lambda: root.ask('GET', 'phone/SEP001122334406').json['record']['status'] == 'registered')
    for method, path, body in (('PATCH', 'line/7006', {'alerting_name': 'six'}), ('PATCH', 'phone/SEP001122334406', {'description': 'six'}),
                               ('PATCH', 'pool/Default', {'srst': '10.0.0.9'})):
        answer = root.ask(method, path, body).json
        assert answer['reset'] == {'count': 1, 'names': ['SEP001122334406']}, path
        assert [row['action'] for row in answer['changes']] == ['set']
    assert root.ask('PATCH', 'pool/Berlin', {'srst': '10.0.0.9'}).json['reset']['count'] == 0
    secret = root.ask('PATCH', 'user/root', {'digest_password': 'hidden words'})
    assert 'hidden' not in str(secret.json) and 'digest_password' in secret.json['changes'][0]['fields']
    connection.close()


def test_many_are_changed_at_once_or_none(root):
    answer = root.ask('POST', 'phone/bulk', {'action': 'set', 'where': {'pool': 'Berlin'}, 'set': {'user_locale': 'French_France'}}).json
    assert answer['count'] == 5 and len(answer['changes']) == 5
    assert rows(root, 'offset=0&user_locale=French_France')[0] == 5
    for body in ({'action': 'set', 'names': ['SEP001122334401', 'SEP0011223344EE'], 'set': {'description': 'y'}},
                 {'action': 'set', 'all': True, 'set': {'pool': 'Nowhere'}}, {'action': 'set', 'all': True, 'set': {}},
                 {'action': 'burn', 'all': True}, {'action': 'delete'}, {'action': 'delete', 'where': {'colour': 'red'}},
                 {'action': 'delete', 'where': [], 'all': True, 'names': ['SEP001122334401']}, {'action': 'set', 'all': True, 'set': {'pool': {}}}):
        assert root.raw('POST', '/api/v1/phone/bulk', body)[0].status in (404, 422), body
    assert rows(root, 'offset=0&description=y') == (0, [])
    plan = root.ask('POST', 'phone/bulk?plan=1', {'action': 'delete', 'where': {'lines': '702*'}}).json
    assert [row['name'] for row in plan['changes']] == [f'SEP0011223344{i:02X}' for i in range(20, 25)]
    assert root.ask('POST', 'phone/bulk', {'action': 'delete', 'names': [row['name'] for row in plan['changes']]}).json['count'] == 5
    assert rows(root, 'offset=0')[0] == 20


def test_a_phone_tells_its_boot_its_files_and_where_each_value_comes_from(node, root):
    root.ask('PATCH', 'phone/SEP001122334401', {'vendor_config': 'webAccess=0'})
    root.ask('PATCH', 'pool/Berlin', {'user_locale': 'German_Germany'})
    root.ask('PATCH', 'phone/SEP001122334401', {'user_locale': ''})
    root.ask('PATCH', 'parameter/url_services', {'url_services': 'http://10.0.0.1/menu'})
    values = {row['element'].removeprefix('device/'): row for row in root.ask('GET', 'phone/SEP001122334401/values').json['items']}
    locale = values['userLocale/name']
    assert (locale['value'], locale['from'], locale['name'], locale['field']) == ('German_Germany', 'pool', 'Berlin', 'user_locale')
    assert (values['vendorConfig/webAccess']['from'], values['vendorConfig/webAccess']['name']) == ('phone', 'SEP001122334401')
    assert values['vendorConfig/sshAccess']['from'] == 'built in'
    assert values['servicesURL']['from'] == 'parameter' and values['idleURL']['from'] == 'default'
    assert values['devicePool/srstInfo/ipAddr1']['from'] == 'pool' if 'devicePool/srstInfo/ipAddr1' in values else True
    answer = root.ask('GET', 'phone/SEP001122334401').json
    sections = {section['name']: section['items'] for section in answer['sections']}
    assert {'boot', 'files', 'boots', 'history'} <= set(sections)
    assert 'registered' in [row['stage'] for row in sections['boot']] and all(isinstance(row['ms'], int) for row in sections['boot'])


def test_what_suffering_phones_have_in_common_is_told(node, root):
    def refused(*names):
        for name in names:
            with socket.create_connection(('127.0.0.1', node.sccp)) as connection:
                Phone(connection, name, device_type=30018).ask()

    def cohort(n):
        found = [f for f in root.ask('GET', 'overview').json['record']['findings'] if f['id'] == 'rejected-type' and f['count'] == n]
        return found and found[0]

    refused('SEP001122334402', 'SEP001122334404')
    two = until(lambda: cohort(2))
    assert sorted(two['names']) == ['SEP001122334402', 'SEP001122334404']
    assert two['common']['pool'] == 'Berlin' and two['common']['network'] == '127.0.0.0/24'
    refused('SEP001122334408')
    three = until(lambda: cohort(3))
    assert 'pool' not in three['common'] and three['common']['network'] == '127.0.0.0/24'
