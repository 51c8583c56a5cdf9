"""A client made from the OpenAPI description alone: what it sends and what comes back must be as described."""
import copy
import json
import urllib.parse

import jsonschema

from rest import BASE


def as_json_schema(schema):
    """nullable is a word of OpenAPI 3.0 that JSON Schema has not."""
    if isinstance(schema, list):
        return [as_json_schema(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: as_json_schema(value) for key, value in schema.items()}
    if made.pop('nullable', False) is True:
        made['type'] = [made['type'], 'null']
    return made


class Resolver(jsonschema.RefResolver):
    """All references are paths from the root: no need to look for others in half a megabyte."""

    def __init__(self, root):
        super().__init__('', root)
        self.root = root

    def resolve(self, ref):
        part = self.root
        for word in ref.split('/')[1:]:
            part = part[word]
        return ref, part


class Described:
    def __init__(self, web):
        self.web, self.seen = web, {}
        self.description = web.ask('GET', 'openapi.json').json
        self.operations = {operation['operationId']: (method.upper(), path, operation)
                           for path, methods in self.description['paths'].items() for method, operation in methods.items()}
        self.root = as_json_schema(copy.deepcopy(self.description))
        self.checker, self.resolver = jsonschema.FormatChecker(), Resolver(self.root)

    def check(self, value, schema, where):
        validator = jsonschema.Draft4Validator(as_json_schema(schema), resolver=self.resolver, format_checker=self.checker)
        faults = [f'{list(f.absolute_path)}: {f.message[:300]}' for f in validator.iter_errors(value)]
        assert not faults, (where, faults[:5])

    def check_answer(self, method, path, operation, answer, text):
        responses = operation['responses']
        response = responses.get(str(answer.status), responses['default'])
        if '$ref' in response:
            assert answer.status >= 400, (method, path, answer.status, text[:300])
            response = self.description['components']['responses'][response['$ref'].split('/')[-1]]
        kind = answer.getheader('Content-Type').split(';')[0]
        assert kind in response['content'], (method, path, answer.status, kind)
        if kind.endswith('json') and response['content'][kind]['schema'].get('format') != 'binary':
            self.check(json.loads(text), response['content'][kind]['schema'], (method, path, answer.status))

    def call(self, operation_id, name=None, body=None, status=None, web=None, kind='application/json', headers=None, **query):
        method, path, operation = self.operations[operation_id]
        if name and '{name}' not in path:
            query, name = {**query, 'name': name}, None
        known = {(p['in'], p['name']): p['schema'] for p in operation.get('parameters', [])}
        for word, value in query.items():
            self.check(value, known['query', word], (operation_id, word))
        for word in headers or {}:
            assert ('header', word) in known, (operation_id, word)
        assert ('{name}' in path) == (name is not None) == (('path', 'name') in known), operation_id
        if body is not None:
            content = operation['requestBody']['content'][kind]
            if kind == 'application/json' and content['schema'].get('format') != 'binary':
                self.check(body, content['schema'], (operation_id, 'request'))
        url = path.replace('{name}', urllib.parse.quote(name or '', safe='')) + ('?' + urllib.parse.urlencode(query) if query else '')
        answer, text = (web or self.web).patient(method, url, body, {**(headers or {}), **({'Content-Type': kind} if body is not None else {})})
        self.seen.setdefault(operation_id, set()).add(answer.status)
        assert status is None and answer.status < 400 or answer.status == status, (operation_id, answer.status, text[:600])
        self.check_answer(method, path, operation, answer, text)
        answer.text = text
        answer.json = json.loads(text) if 'json' in answer.getheader('Content-Type') else None
        return answer
