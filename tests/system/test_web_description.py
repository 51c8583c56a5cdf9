"""What the OpenAPI description says is so: a client made from it alone does what administrators do, and every answer of every
route, refusals, too, is as described."""
import json
import pathlib
import re
import socket

import jsonschema
import pytest

from conftest import until
from described import Described
from rest import web_node
from sccp_client import Phone

pytestmark = pytest.mark.xdist_group('web_description')

PHONE, OTHER = 'SEP001122334455', 'SEP001122334466'
STREAMS = {'live', 'event_follow', 'simulated_follow'}


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('description'), 'listen.address=127.0.0.1', 'simulated.phones=1')
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def api(node):
    return Described(node.web.log_in(user='root', password='correct horse'))


def registered(node, name=PHONE):
    connection = socket.create_connection(('127.0.0.1', node.sccp))
    phone = Phone(connection, name)
    phone.register()
    return connection


def test_the_description_holds_together(api):
    def references(part):
        if isinstance(part, dict):
            yield from ([part['$ref']] if '$ref' in part else [])
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    for reference in set(references(api.description)):
        part = api.description
        for word in reference.split('/')[1:]:
            part = part[word]
    for name, schema in api.root['components']['schemas'].items():
        jsonschema.Draft4Validator.check_schema(schema)
        assert not schema.get('additionalProperties', True), name
    ids = [operation['operationId'] for methods in api.description['paths'].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
    for _, path, operation in api.operations.values():
        names = [(p['in'], p['name']) for p in operation.get('parameters', [])]
        assert len(names) == len(set(names)) and ('{name}' in path) == (('path', 'name') in names), path


def test_a_phone_from_its_beginning_to_its_end(node, api):
    api.call('line_add', body={'number': '7001', 'description': 'Front'})
    api.call('phone_add', body={'name': PHONE, 'model': '7960', 'lines': '7001', 'description': 'Lobby'}, plan='1')
    assert api.call('phone_show', PHONE, status=404)
    added = api.call('phone_add', body={'name': PHONE, 'model': '7960', 'description': 'Lobby',
                                        'buttons': [{'feature': 'line', 'target': '7001', 'label': 'a;b,c\\d', 'max_calls': 3}]})
    assert added.json['record']['buttons'] == [{'feature': 'line', 'target': '7001', 'label': 'a;b,c\\d', 'max_calls': 3}]
    api.call('phone_add', body={'name': PHONE, 'model': '7960'}, status=422)
    assert api.call('phone_copy', PHONE, {'to': OTHER, 'lines': '7002', 'description': 'Desk'}).json['record']['name'] == OTHER
    seen = api.call('phone_show', PHONE)
    etag = seen.getheader('ETag')
    record = {**seen.json['record'], 'description': 'Hall'}
    for connection_word in set(record) - set(api.description['components']['schemas']['phone']['properties']):
        del record[connection_word]
    changed = api.call('phone_set', PHONE, record, headers={'If-Match': etag})  # what was told, sent back as it was
    assert changed.json['changes'][0]['fields'] == {'description': {'old': 'Lobby', 'new': 'Hall'}}
    conflict = api.call('phone_set', PHONE, {'description': 'other'}, status=412, headers={'If-Match': etag})
    assert conflict.json['current']['description'] == 'Hall'
    api.call('phone_delete', PHONE, status=412, headers={'If-Match': etag})
    connection = registered(node)
    until(lambda: api.call('phone_show', PHONE).json['record']['status'] == 'registered')
    for verb in 'reset', 'restart', 'apply':
        assert api.call(f'phone_{verb}_many', body={'names': [PHONE, OTHER]}, plan='1').json['reset'] == {'count': 1, 'names': [PHONE]}
        api.call(f'phone_{verb}_many', body={'description': 'Nobody'})
        api.call(f'phone_{verb}', OTHER, {}, status=422)
    shown = api.call('phone_show', PHONE).json['record']
    assert shown['status'] == 'registered' and shown['transport'] == 'TCP'
    for verb in 'apply', 'restart', 'reset':
        api.call(f'phone_{verb}', PHONE, {})
    connection.close()
    for operation in 'phone_file', 'phone_values', 'diagnosis_show':
        api.call(operation, PHONE)
    api.call('phone_rebuild', PHONE, {})
    api.call('phone_rebuild_many', body={})
    api.call('phone_bulk', body={'action': 'set', 'names': [PHONE, OTHER], 'set': {'description': 'Both'}}, plan='1')
    assert api.call('phone_bulk', body={'action': 'set', 'where': {'description': 'Desk'}, 'set': {'description': 'Both'}}).json['count'] == 1
    api.call('phone_bulk', body={'action': 'delete', 'names': [OTHER]})
    api.call('phone_delete', PHONE)
    api.call('phone_delete', PHONE, status=404)
    api.call('phone_add', body={'name': PHONE, 'model': '7960', 'lines': '7001'})


def test_lists_are_paged_narrowed_and_sorted(api):
    for i in range(5):
        api.call('pool_add', body={'name': f'Pool {i}', 'srst': '10.0.0.1' if i % 2 else ''})
    page = api.call('pool_list', sort='-name', offset=1, limit=2, search='Pool', srst='').json
    assert ([row['name'] for row in page['items']], page['total']) == (['Pool 2', 'Pool 0'], 3)
    walked, after = [], {}
    while True:
        page = api.call('pool_list', limit=2, columns='name', **after).json
        walked += [row['name'] for row in page['items']]
        if 'next' not in page:
            break
        after = {'after': page['next']}
    assert walked == ['Default'] + [f'Pool {i}' for i in range(5)]
    services = api.call('service_list', state='running', sort='-id', columns='id,state').json['items']
    assert {row['state'] for row in services} == {'running'} and all(set(row) == {'id', 'state'} for row in services)
    assert [row['id'] for row in services] == sorted((row['id'] for row in services), reverse=True)
    assert len(api.call('service_list', limit=2).json['items']) == 2
    assert {row['lines'] for row in api.call('model_list', lines='6', name='796*').json['items']} == {6}
    assert [row['name'] for row in api.call('parameter_list', needs_reset='true', name='station_keepalive_i*').json['items']] == ['station_keepalive_interval']
    for wrong in {'colour': 'red'}, {'columns': 'colour'}, {'sort': '-colour'}:
        for noun in 'service', 'model', 'device', 'parameter', 'counter', 'phone', 'audit':
            answer, text = api.web.patient('GET', f'/api/v1/{noun}?' + '&'.join(f'{k}={v}' for k, v in wrong.items()))
            assert answer.status == 422 and ('column' in json.loads(text)['detail'] or 'field' in json.loads(text)['detail']), (noun, wrong, text)
    api.call('pool_bulk', body={'action': 'delete', 'search': 'Pool', 'where': {'name': 'Pool*'}})


SAMPLES = {
    'line': {'number': '7009'}, 'phone': {'name': 'SEP0011223344AA', 'model': '7960'}, 'reservation': {'mac': '00:11:22:33:44:AA', 'address': '10.9.0.50'},
    'scope': {'name': 'there', 'subnet': '10.9.0.0/24', 'first': '10.9.0.10', 'last': '10.9.0.20'}, 'user': {'name': 'there', 'role': 'viewer', 'password': 'correct horse'},
    'callmanager': {'name': 'there', 'server': '10.0.0.1'}, 'defaults': {'name': '7960/sip'},
}
NAMES = {'line': '7009', 'phone': 'SEP0011223344AA', 'reservation': '00:11:22:33:44:aa', 'defaults': '7960/sip'}
COPIES = {'line': '7010', 'phone': 'SEP0011223344BB', 'reservation': '00:11:22:33:44:BB'}
NO_COPY = {'autoregistration', 'token', 'defaults', 'parameter', 'load'}


def test_every_entity_is_added_shown_changed_copied_and_deleted(api):
    schemas = api.description['components']['schemas']
    nouns = [name[:-4] for name in schemas if name.endswith('_new') and name[:-4] not in ('load', 'parameter', 'autoregistration')]
    assert len(nouns) > 15
    for noun in nouns:
        op, name = noun.replace('-', '_'), NAMES.get(noun, 'there')
        if noun != 'defaults':
            api.call(f'{op}_add', body=SAMPLES.get(noun, {'name': name}), plan='1')
            api.call(f'{op}_add', body=SAMPLES.get(noun, {'name': name}))
        shown = api.call(f'{op}_show', name)
        assert shown.getheader('ETag')
        record = shown.json['record']
        told = {word: value for word, value in record.items() if word in schemas[noun]['properties']}
        if noun not in ('phone', 'token'):
            assert not api.call(f'{op}_set', name, told).json['changes'], noun
        api.call(f'{op}_list', limit=1)
        if noun not in NO_COPY:
            api.call(f'{op}_copy', name, {'to': COPIES.get(noun, 'here')})
            api.call(f'{op}_bulk', body={'action': 'delete', 'names': [COPIES.get(noun, 'here')]})
        if noun != 'defaults':
            api.call(f'{op}_delete', name)
            api.call(f'{op}_delete', name, status=404)


def test_every_field_takes_every_word_of_its_choice_and_both_ends_of_its_range(api):
    """Also the words that are options elsewhere: a date/time group has a format."""
    schemas = api.description['components']['schemas']
    api.call('datetime_add', body={'name': 'there'})
    for word, schema in schemas['datetime']['properties'].items():
        for value in schema.get('enum', []):
            assert api.call('datetime_set', 'there', {word: value}).json['record'][word] == value
    api.call('datetime_delete', 'there')
    api.call('sip_profile_add', body={'name': 'there'})
    for word, schema in schemas['sip-profile']['properties'].items():
        for value in schema.get('enum', []) + [True, False] * (schema['type'] == 'boolean'):
            assert api.call('sip_profile_set', 'there', {word: value}).json['record'][word] == value, word
    api.call('sip_profile_delete', 'there')


def test_the_rest_of_the_routes(node, api):
    api.call('parameter_get', 'station_keepalive_interval')
    for value in '31', '':
        api.call('parameter_set', 'station_keepalive_interval', {'value': value})
    api.call('trace_set', 'callmanager', {'level': 'Error', 'files': 10, 'keepalives': False})
    api.call('config_set', 'cdp.voice_vlan', {'value': '7'})
    api.call('autoregistration_show', 'cm1')
    api.call('autoregistration_set', 'cm1', {'start': 8000, 'end': 8099})
    for verb in 'stop', 'start', 'restart':
        api.call(f'service_{verb}', 'ris', {})
    api.call('counter_show', 'Cisco TFTP')
    api.call('simulated_boot', body={'model': '7960'})
    name = api.call('simulated_list').json['items'][0]['name']
    api.call('simulated_show', name)
    api.call('simulated_press', name, {'key': 'settings'})
    api.call('simulated_unplug', name, {})
    api.call('node_token', body={})
    api.call('node_join', 'cm2', {'server': '127.0.0.2', 'sccp_port': 2001})
    api.call('node_leave', 'cm2', {})
    api.call('node_drain', body={'force': True})
    api.call('node_resume', body={})
    api.call('certificate_renew', body={})
    capture = api.call('capture_start', body={'messages': True, 'duration': '1m'}).json['record']['name']
    api.call('capture_fetch', capture)
    api.call('capture_stop', capture, {})
    api.call('trace_collect', since='1h')
    text = api.call('export_get', format='csv').text
    api.call('export_get', format='json')
    api.call('import_post', body=text, kind='text/csv', plan='1')
    api.call('import_post', body=b'name,model\nSEP00112233,7960\n', kind='text/csv', status=422)
    backup = api.call('backup_get').text
    api.call('restore_post', body=backup, kind='application/octet-stream', plan='1')
    api.call('restore_post', body=b'no database', kind='application/octet-stream', status=422)
    api.call('restore_post', body=backup, kind='application/octet-stream')
    token = api.call('token_add', body={'name': 'there', 'role': 'viewer'}).json['token']
    assert token.startswith('dt_')
    api.call('session_show')
    api.call('session_begin', body={'user': 'root', 'password': 'correct horse'})
    api.call('token_delete', 'there')


def test_refusals_of_every_route_are_as_described_and_none_is_left_out(node, api):
    for operation_id, (method, path, operation) in api.operations.items():
        if operation_id in STREAMS or operation['tags'][0] == 'session':
            continue
        body = json.dumps({'nobody': {'a': 1}}).encode() if method in ('POST', 'PATCH') else None
        answer, text = api.web.patient(method, path.replace('{name}', 'nobody'), body, {'Content-Type': 'application/json'} if body else {})
        api.seen.setdefault(operation_id, set()).add(answer.status)
        api.check_answer(method, path, operation, answer, text)
    never = {op for op in api.operations if not any(s < 300 for s in api.seen.get(op, ()))}
    wants = {  # what only another machine or another state of this one can give
        'unknown_adopt': 'test_web_live', 'lease_release': 'needs DHCP', 'interface_probe': 'needs an interface', 'load_check': 'needs firmware',
        'load_import': 'needs firmware', 'load_show': 'needs firmware', 'load_set': 'needs firmware', 'certificate_show': 'needs TLS', 'session_end': 'the end',
    }
    assert never - STREAMS - {op for op in never if op.split('_')[0] in ('load', 'parameter', 'autoregistration', 'defaults', 'token')} - set(wants) == set()


# Programs and rows that need no server (LOCAL) are no requests.
HERE_ONLY = {  # what else the command line does and no request can: why
    'counter watch': 'looks at counter list twice',
}
OPTIONS = {  # options of the command line that are no words of a request: what stands for them
    'follow': 'a client asks again', 'interval': 'a client asks again', 'dry-run': 'plan',
    'force': 'about a file of the client',
}
ANOTHER = {'phone set': 'phone_set', 'status ': 'status_get', 'import ': 'import_post', 'export ': 'export_get', 'backup ': 'backup_get', 'restore ': 'restore_post', 'status list': 'device_list'}


SOURCES = pathlib.Path(__file__).resolve().parents[2] / 'src'


def commands():
    """(noun, verb, its options) of every row that asks a server."""
    text = (SOURCES / 'cli/commands.def').read_text()
    rows = [(noun, verb, options.split()) for noun, verb, runs, _, options in re.findall(r'^COMMAND\("([^"]*)", *"([^"]*)", *(\w+), *"([^"]*)", *"([^"]*)"', text, re.M) if runs in ('SERVER', 'OFFLINE')]
    for noun, common in re.findall(r'^NOUN\("([^"]*)", *"([^"]*)"', text, re.M):
        own = {verb: options for n, verb, options in rows if n == noun}
        usual = {verb: options for n, verb, options in rows if n == '*' and verb in common.split()}
        yield from ((noun, verb, options) for verb, options in {**usual, **own}.items())


def fields():
    """{noun: its fields} of every entity."""
    text, found = (SOURCES / 'core/entities.def').read_text(), {}
    for noun, block in re.findall(r'^ENTITY\(\w+, "([^"]*)".*?\)\n(.*?)^END\(', text, re.M | re.S):
        found[noun] = set(re.findall(r'^ +(?:KEY|STR|SECRET|NUM|FLAG|ENUM|REF|LIST) *\((\w+),', block, re.M))
    return found


def taken_by(api, operation):
    """Words of the query and of the body."""
    _, _, described = api.operations[operation]
    words = {p['name'] for p in described.get('parameters', [])}
    schema = described.get('requestBody', {}).get('content', {}).get('application/json', {}).get('schema', {})
    if '$ref' in schema:
        schema = api.description['components']['schemas'][schema['$ref'].split('/')[-1]]
    return words | set(schema.get('properties', {}))


def test_what_the_command_line_does_requests_do_with_the_same_words(api):
    rows, of = list(commands()), fields()
    assert len(rows) > 150 and len(of) > 20 and 'format' in of['datetime']
    for noun, verb, options in rows:
        if f'{noun} {verb}' in HERE_ONLY:
            continue
        operation = ANOTHER.get(f'{noun} {verb}', f'{noun}_{verb}'.replace('-', '_'))
        operation = operation + '_many' if operation + '_many' in api.operations else operation
        assert operation in api.operations, (noun, verb)
        wanted = set(options) | (of[noun] if verb in ('add', 'set', 'copy') and noun in of and noun != 'parameter' else set())
        assert wanted - taken_by(api, operation) - set(OPTIONS) == set(), (noun, verb)
