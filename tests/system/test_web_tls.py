"""The administration on other addresses than the machine's own: HTTPS, with our certificate or a given one."""
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from conftest import until
from node import Node, free_port


def context(authority=None):
    made = ssl.create_default_context(cafile=str(authority) if authority else None)
    if not authority:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def ask(port, method, path, body=None, headers=None, tls=None):
    connection = http.client.HTTPSConnection('127.0.0.1', port, timeout=60, context=tls or context())
    connection.request(method, '/api/v1/' + path, json.dumps(body) if body else None, {'Content-Type': 'application/json', **(headers or {})})
    answer = connection.getresponse()
    text = answer.read()
    certificate = connection.sock.getpeercert(True) if connection.sock else None
    connection.close()
    return answer, text, certificate


def start(folder, *settings):
    port = free_port()
    node = Node(folder, f'admin.port={port}', 'admin.address=0.0.0.0', *settings)
    node.web_port = port
    return node


def web_state(node, wanted):
    """Once it is as wanted: it waits for the certificate that is made at the first start."""
    control, deadline = node.control(), time.monotonic() + 60
    while True:
        row = next(row for row in control.ask('service', 'list')['rows'] if row[0] == 'web')
        if row[2] == wanted or time.monotonic() > deadline:
            control.close()
            assert row[2] == wanted, row
            return row[4]
        time.sleep(0.05)


@pytest.fixture(scope='module')
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp('given')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=given',
                    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', folder / 'key.pem', '-out', folder / 'certificate.pem'],
                   check=True, capture_output=True)
    return folder


def test_our_own_certificate_carries_log_in_and_cookies_that_never_go_in_clear(tmp_path):
    node = start(tmp_path, 'sip.tls_port=0')
    try:
        answer, text, _ = ask(node.web_port, 'POST', 'session', {'key': re.search('key ([0-9a-f]{32})', web_state(node, 'running')).group(1)})
        assert answer.status == 201 and 'Secure' in answer.getheader('Set-Cookie')
        token = json.loads(text)['token']
        assert ask(node.web_port, 'GET', 'phone', headers={'Authorization': f'Bearer {token}', 'Host': 'dialtone.example'})[0].status == 200
        with socket.create_connection(('127.0.0.1', node.web_port), 60) as clear:
            clear.sendall(b'GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n')
            assert not clear.recv(4096).startswith(b'HTTP/1.1 200')
    finally:
        assert node.stop() == 0, node.said


def test_a_given_certificate_is_shown(tmp_path, given):
    node = start(tmp_path, f'tls.certificate={given}/certificate.pem', f'tls.key={given}/key.pem')
    try:
        web_state(node, 'running')
        answer, _, certificate = ask(node.web_port, 'GET', 'openapi.json', tls=context(given / 'certificate.pem'))
        assert answer.status == 200
        assert ssl.DER_cert_to_PEM_cert(certificate).split() == (given / 'certificate.pem').read_text().split()
    finally:
        assert node.stop() == 0, node.said


def make_pair(folder, name):
    """The key first: a pair that does not belong together is there for a moment, as of any tool that renews."""
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', f'/CN={name}',
                    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', folder / f'{name}.key', '-out', folder / f'{name}.pem'], check=True, capture_output=True)


def test_a_certificate_that_is_replaced_is_shown_without_a_restart_and_cuts_nobody_off(tmp_path):
    make_pair(tmp_path, 'first')
    make_pair(tmp_path, 'second')
    used = [tmp_path / 'used.pem', tmp_path / 'used.key']
    for file in used:
        shutil.copy(tmp_path / f'first{file.suffix}', file)
    node = start(tmp_path, f'tls.certificate={used[0]}', f'tls.key={used[1]}')
    shown = lambda: ssl.DER_cert_to_PEM_cert(ask(node.web_port, 'GET', 'openapi.json', tls=context())[2]).split()
    try:
        web_state(node, 'running')
        first, second = ((tmp_path / f'{name}.pem').read_text().split() for name in ('first', 'second'))
        assert shown() == first
        kept = http.client.HTTPSConnection('127.0.0.1', node.web_port, context=context(), timeout=60)
        kept.request('GET', '/api/v1/session')
        kept.getresponse().read()
        shutil.copy(tmp_path / 'second.key', used[1])
        time.sleep(2.5)
        assert shown() == first  # the new key alone is no pair
        shutil.copy(tmp_path / 'second.pem', used[0])

        def still_there():
            kept.request('GET', '/api/v1/session')
            answer = kept.getresponse()
            answer.read()
            return answer.status == 401
        until(lambda: still_there() and shown() == second, step=0.2)
        assert still_there()
    finally:
        assert node.stop() == 0, node.said


def test_old_protocols_are_refused(tmp_path, given):
    node = start(tmp_path, f'tls.certificate={given}/certificate.pem', f'tls.key={given}/key.pem')
    try:
        web_state(node, 'running')
        old = context()
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers('ALL:@SECLEVEL=0')
        with pytest.raises((ssl.SSLError, OSError)):
            ask(node.web_port, 'GET', 'openapi.json', tls=old)
    finally:
        assert node.stop() == 0, node.said


def test_a_certificate_that_cannot_be_used_is_told(tmp_path, given):
    node = start(tmp_path, f'tls.certificate={given}/certificate.pem', f'tls.key={given}/certificate.pem')
    try:
        assert web_state(node, 'failed')
    finally:
        assert node.stop() == 0, node.said
