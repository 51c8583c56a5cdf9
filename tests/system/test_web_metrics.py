"""Counters under the names of the original's performance monitor, and as Prometheus reads them."""
import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import until
from rest import Web, web_node
from sccp_client import Phone

pytestmark = pytest.mark.xdist_group('web_metrics')


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('metrics'), 'listen.address=127.0.0.1')
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def root(node):
    return node.web.log_in(user='root', password='correct horse')


def value(root, object, name):
    items = root.ask('GET', f'counter?object={object}&name={name}'.replace(' ', '+')).json['items']
    assert len(items) == 1, items
    return items[0]['value']


def test_counters_change_while_a_phone_registers(node, root):
    root.ask('POST', 'phone', {'name': 'SEP001122334455', 'model': '7960', 'lines': ['7001']}, 201)
    assert value(root, 'Cisco CallManager', 'RegisteredHardwarePhones') == 0
    assert value(root, 'Cisco CallManager', 'InitializationState') == 100
    assert root.ask('GET', 'counter/Cisco%20Phones').json['items'] == []
    with socket.create_connection(('127.0.0.1', node.sccp)) as connection:
        Phone(connection, 'SEP001122334455').register()
        until(lambda: value(root, 'Cisco CallManager', 'RegisteredHardwarePhones') == 1)
        items = until(lambda: root.ask('GET', 'counter/Cisco%20Phones').json['items'])
        assert [(item['object'], item['name']) for item in items] == [('Cisco Phones(SEP001122334455)', 'CallsAttempted')]
        assert root.ask('GET', 'counter?object=Cisco+Lines*').json['items'][0]['object'] == 'Cisco Lines(7001)'
    names = {item['object'] for item in root.ask('GET', 'counter').json['items']}
    assert {'Cisco CallManager', 'Cisco TFTP', 'Cisco SIP Stack', 'Cisco SIP Station', 'Memory', 'Process(dialtone)'} <= names
    root.ask('GET', 'counter/Nothing', status=404)


def test_prometheus_reads_all_of_them(node, root):
    token = root.ask('POST', 'token', {'name': 'prometheus', 'role': 'viewer'}, 201).json['token']
    assert Web(node.web.port).raw('GET', '/metrics')[0].status == 401
    answer, text = Web(node.web.port, token).raw('GET', '/metrics')
    assert answer.status == 200 and answer.getheader('Content-Type').startswith('text/plain; version=0.0.4')
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    samples = [sample for family in families.values() for sample in family.samples]
    assert len(samples) == len({(sample.name, tuple(sample.labels.items())) for sample in samples})
    assert all(family.documentation and family.type in ('gauge', 'counter', 'histogram') for family in families.values())
    assert families['cisco_tftp_requests_processed'].type == 'counter'
    assert families['cisco_call_manager_registered_hardware_phones'].samples[0].value in (0, 1)
    commits = families['dialtone_database_commit_seconds']
    buckets = [sample.value for sample in commits.samples if sample.name.endswith('_bucket')]
    assert buckets == sorted(buckets) and buckets[-1] == next(s.value for s in commits.samples if s.name.endswith('_count')) >= 2
