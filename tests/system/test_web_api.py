"""Every operation of the description, with good and bad input, without a log-in, with too small a role, and forged."""
import json
import random

import pytest

from rest import BASE, Web, web_node

pytestmark = pytest.mark.xdist_group('web_api')

STREAMS = ('/follow', '/live')
NASTY = ['<script>alert(1)</script>', '"; DROP TABLE phone; --', '../../etc/passwd', '\u202e\u0000x', '%s%n', 'x' * 5000, '{{7*7}}', '=cmd|1', ' ', '-1']


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('api'), 'listen.address=127.0.0.1')
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def root(node):
    """By a cookie, too: what a page has."""
    web = node.web.log_in(user='root', password='correct horse')
    answer, text = node.web.raw('POST', BASE + 'session', {'user': 'root', 'password': 'correct horse'})
    web.cookie, web.csrf = answer.getheader('Set-Cookie').split(';')[0], json.loads(text)['csrf']
    return web


@pytest.fixture(scope='module')
def operations(root):
    description = root.ask('GET', 'openapi.json').json
    found = [(method.upper(), path, operation) for path, methods in description['paths'].items()
             for method, operation in methods.items() if operation['tags'][0] not in ('session', 'live')]
    assert len(found) > 200
    return found


def fields_of(root, noun):
    schema = root.ask('GET', 'openapi.json').json['components']['schemas'].get(noun)
    return schema['properties'] if schema else {}


def url(path, name='nobody'):
    return path.replace('{name}', name)


def ask(web, *request):
    return web.patient(*request)


def body_for(operation, value):
    content = operation.get('requestBody', {}).get('content', {})
    kind = next(iter(content), 'application/json')
    return (json.dumps(value).encode() if kind == 'application/json' else b'no file'), {'Content-Type': kind}


def test_none_answers_without_a_log_in(node, operations):
    for method, path, operation in operations:
        body, headers = body_for(operation, {}) if method in ('POST', 'PATCH') else (None, {})
        answer, text = ask(node.web, method, url(path), body, headers)
        assert answer.status == 401 and answer.getheader('Content-Type') == 'application/problem+json', (method, path)
        assert json.loads(text)['status'] == 401


def test_a_role_that_is_too_small_is_refused(node, root, operations):
    tokens = {role: Web(node.web.port, root.ask('POST', 'token', {'name': role, 'role': role}, 201).json['token']) for role in ('viewer', 'operator')}
    needs = {'read': 0, 'operate': 1, 'administer': 2}
    for method, path, operation in operations:
        for has, web in enumerate(tokens.values()):
            if has < needs[operation['x-role']]:
                body, headers = body_for(operation, {}) if method in ('POST', 'PATCH') else (None, {})
                assert ask(web, method, url(path), body, headers)[0].status == 403, (has, method, path)


def test_a_forged_change_is_refused(node, root, operations):
    for method, path, operation in operations:
        if method == 'GET':
            continue
        body, headers = body_for(operation, {})
        for forged in ({}, {'X-CSRF-Token': 'f' * 64}, {'X-CSRF-Token': root.csrf, 'Origin': 'http://evil.example'}):
            assert ask(node.web, method, url(path), body, {**headers, 'Cookie': root.cookie, **forged})[0].status == 403, (method, path, forged)


def test_bad_bodies_are_refused_by_all(root, operations):
    for method, path, operation in operations:
        if method not in ('POST', 'PATCH'):
            continue
        upload = 'application/json' not in operation['requestBody']['content']
        for body, kind in ((b'{', 'application/json'), (b'[1]', 'application/json'), (b'a=b', 'application/x-www-form-urlencoded'),
                           (b'{"name": {"a": [{}]}}', 'application/json')):
            answer, text = ask(root, method, url(path), body, {'Content-Type': kind})
            assert upload or answer.status in (400, 415, 422), (method, path, body, text[:200])
            assert answer.status < 500, (method, path, text[:200])


def test_nasty_texts_are_refused_or_come_back_as_they_were(root, operations):
    rng = random.Random(6)
    for method, path, operation in operations:
        if path.endswith(STREAMS):
            continue
        noun = path.split('/')[3]
        name = rng.choice(NASTY[:4] + NASTY[6:])
        if method in ('POST', 'PATCH'):
            value = {field: rng.choice(NASTY) for field in rng.sample(sorted(fields_of(root, noun)), min(3, len(fields_of(root, noun))))}
            body, headers = body_for(operation, {**value, 'name': name} if '{name}' not in path else value)
        else:
            body, headers = None, {}
        quoted = ''.join(f'%{byte:02X}' for byte in name.encode())
        answer, text = ask(root, method, url(path, quoted) + ('' if method != 'GET' else '?search=' + quoted), body, headers)
        assert answer.status < 500, (method, path, name, text[:300])
        assert answer.getheader('X-Content-Type-Options') == 'nosniff' and 'text/html' not in answer.getheader('Content-Type')
    for text in NASTY[:3] + NASTY[4:5] + NASTY[6:8]:
        root.ask('POST', 'pool', {'name': 'nasty'}, 201)
        root.ask('POST', 'phone', {'name': 'SEP001122334455', 'model': '7960', 'pool': 'nasty', 'description': text[:50]}, 201)
        assert root.ask('GET', 'phone?offset=0').json['items'][0]['description'] == text[:50]
        root.ask('DELETE', 'phone/SEP001122334455')
        root.ask('DELETE', 'pool/nasty')


@pytest.mark.parametrize('language, words', [('fr-CH, en;q=0.5', "n'existe pas"), ('zh-CN', '没有'), ('de', 'There is no')])
def test_what_the_server_says_is_in_the_language_of_who_asks(root, language, words):
    answer = root.ask('GET', 'phone/SEP0011223344FF', status=404, Accept_Language=language)
    assert words in answer.json['detail'] and answer.getheader('Content-Language') == words_tag(language)
    assert words in root.ask('GET', f'phone/SEP0011223344FF?lang={words_tag(language)}', status=404).json['detail']
    help = {row['name']: row['help'] for row in root.ask('GET', 'parameter?limit=200', Accept_Language=language).json['items']}
    assert help['trace_days'].startswith({'fr': 'Les fichiers', 'zh': '更旧', 'en': 'Older'}[words_tag(language)])
    wrong = root.ask('PATCH', 'parameter/trace_days', {'value': 'x'}, 422, Accept_Language=language).json['detail']
    assert {'fr': 'est un nombre de', 'zh': '之间的数字', 'en': 'is a number from'}[words_tag(language)] in wrong


def words_tag(language):
    return language[:2] if language[:2] in ('fr', 'zh') else 'en'
