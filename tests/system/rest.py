"""A client of the REST API as programs are, and a node with an administrator."""
import http.client
import json
import re
import time

from node import Node, free_port

BASE = '/api/v1/'


class Web:
    """A client as a program is: a connection for each request, a bearer token."""

    def __init__(self, port, token=None):
        self.port, self.token = port, token

    def raw(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        headers = dict(headers or {})
        if self.token:
            headers.setdefault('Authorization', f'Bearer {self.token}')
        if body is not None and not isinstance(body, bytes):
            headers.setdefault('Content-Type', 'application/json')
            body = json.dumps(body).encode()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, text

    def patient(self, method, path, body=None, headers=None):
        """Asks again when it was too fast: for tests of other things than limits."""
        while True:
            answer, text = self.raw(method, path, body, headers)
            if answer.status != 429:
                return answer, text
            time.sleep(0.1)

    def ask(self, method, path, body=None, status=200, **headers):
        answer, text = (self.raw if status == 429 or body and 'password' in body else self.patient)(method, BASE + path, body, {k.replace('_', '-'): v for k, v in headers.items()})
        assert answer.status == status, text[:1000]
        answer.json = json.loads(text)
        return answer

    def log_in(self, **who):
        return Web(self.port, self.ask('POST', 'session', who, 201).json['token'])

    def stream(self, path):
        """Server-sent events: pairs of name and value, until the server ends."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        connection.request('GET', BASE + path, headers={'Authorization': f'Bearer {self.token}'})
        answer = connection.getresponse()
        assert answer.getheader('Content-Type') == 'text/event-stream', answer.status

        def events():
            name = 'message'
            for line in answer:
                if line.startswith(b'event: '):
                    name = line[7:].decode().strip()
                elif line.startswith(b'data: '):
                    yield name, json.loads(line[6:])
                    name = 'message'
            connection.close()

        return events()


def web_node(folder, *settings):
    """A node with the administrator root; n.web has no log-in, n.key is that of the first start."""
    port, sccp = free_port(), free_port()
    n = Node(folder, f'admin.port={port}', f'sccp.port={sccp}', *settings)
    n.web, n.sccp = Web(port), sccp
    n.key = re.search('key ([0-9a-f]{32})', n.said).group(1)
    n.web.log_in(key=n.key).ask('POST', 'user', {'name': 'root', 'role': 'administrator', 'password': 'correct horse'}, 201)
    return n
