"""From nothing to a phone: interfaces, what answers there, settings that are kept, phones that are simulated."""
import json
import signal
import subprocess

import pytest

from conftest import SERVER, until
from rest import web_node

NAME = 'SEP02D1A1000701'  # a simulated 7960


def interface(server, name):
    return next(i for i in server.json('interface', 'list') if i['name'] == name)


def test_what_is_set_while_the_server_runs_is_in_force_at_once_and_after_a_restart(lan, server):
    server.start()
    eth0 = interface(server, 'eth0')
    assert (eth0['state'], eth0['addresses'], eth0['dhcp'], eth0['scope']) == ('up', SERVER + '/16', False, '')
    server.ask('scope', 'add', 'test', f"subnet={eth0['subnet']}", f"first={eth0['first']}", f"last={eth0['last']}")
    before = {s['id']: s['since'] for s in server.json('service', 'list') if s['state'] == 'running'}
    said = server.ask('config', 'set', 'dhcp.interfaces=eth0').stdout
    assert 'dhcp.interfaces is eth0.' in said
    after = {s['id']: s for s in server.json('service', 'list')}
    assert after['dhcp']['state'] == 'running' and after['dhcp']['about'] == 'eth0'
    assert all(after[i]['since'] == since for i, since in before.items())  # nobody else was disturbed
    assert interface(server, 'eth0')['dhcp'] is True and interface(server, 'eth0')['scope'] == 'test'

    server.kill()
    server.start()
    assert {s['id']: s for s in server.json('service', 'list')}['dhcp']['about'] == 'eth0'
    row = next(r for r in server.json('config', 'list') if r['name'] == 'dhcp.interfaces')
    assert (row['value'], row['from'], row['live']) == ('eth0', 'kept', True)
    server.ask('config', 'set', 'dhcp.mode=sidecar')
    assert 'boot options only' in {s['id']: s for s in server.json('service', 'list')}['dhcp']['about']

    refused = server.ask('config', 'set', 'dhcp.mode=never', check=False)
    assert refused.returncode == 1 and 'full or sidecar' in refused.stderr
    refused = server.ask('config', 'set', 'sccp.port=2001', check=False)
    assert refused.returncode == 1 and 'start of the server only' in refused.stderr
    server.ask('config', 'set', 'dhcp.interfaces=')
    assert {s['id']: s for s in server.json('service', 'list')}['dhcp']['state'] == 'off'

    server.kill(signal.SIGTERM)
    server.start('dhcp.interfaces=lo')  # what is said at the start beats what was kept
    refused = server.ask('config', 'set', 'dhcp.interfaces=eth0', check=False)
    assert refused.returncode == 1 and 'command line' in refused.stderr


def test_a_stopped_service_stays_stopped_when_it_is_configured(lan, server):
    server.start()
    server.ask('service', 'stop', 'dhcp')
    assert 'DHCP is stopped' in server.ask('config', 'set', 'dhcp.interfaces=eth0').stdout
    assert {s['id']: s for s in server.json('service', 'list')}['dhcp']['state'] == 'stopped'
    server.ask('service', 'start', 'dhcp')
    assert {s['id']: s for s in server.json('service', 'list')}['dhcp']['state'] == 'running'


def test_a_probe_names_the_dhcp_servers_of_an_interface(lan, server, tmp_path):
    """The foreign one is Debian's dnsmasq, at the other end of the cable."""
    lan.address()
    server.start()
    assert server.json('interface', 'probe', 'eth0') == []
    lan.client.start('dnsmasq', '--no-daemon', '--conf-file=/dev/null', '--port=0', '--interface=eth0', '--bind-interfaces',
                     '--no-ping', '--dhcp-range=10.98.7.1,10.98.7.9,1h', '--dhcp-option=150,10.98.0.7',
                     f'--dhcp-leasefile={tmp_path}/leases')
    until(lambda: ':67 ' in lan.client.run('ss', '-Hlun').stdout)
    row, = until(lambda: server.json('interface', 'probe', 'eth0'))
    assert row['server'] == '10.98.0.2' and row['tftp'] == '10.98.0.7' and row['address'].startswith('10.98.7.')
    for name, why in ('lo', 'no Ethernet'), ('eth7', 'no such interface'):
        refused = server.ask('interface', 'probe', name, check=False)
        assert refused.returncode == 1 and why in refused.stderr


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('simulated'), 'tftp.port=6969', 'node.address=127.0.0.1', 'sip.port=5060')
    root = n.web.log_in(user='root', password='correct horse')
    root.ask('POST', 'user', {'name': 'olga', 'role': 'operator', 'password': 'battery staple'}, 201)
    n.root, n.olga = root, n.web.log_in(user='olga', password='battery staple')
    yield n
    assert n.stop() == 0, n.said


def pids_of_phones(node):
    return subprocess.run(['pgrep', '-P', str(node.process.pid)], capture_output=True, text=True).stdout.split()


def display(web, name):
    return web.ask('GET', 'simulated/' + name).json['record']


def test_simulated_phones_are_off_until_an_administrator_wants_them(node):
    refused = node.olga.ask('POST', 'simulated/boot', {}, 403).json
    assert 'an administrator' in refused['detail']
    node.olga.ask('PATCH', 'config/simulated.phones', {'value': '2'}, 403)
    node.root.ask('PATCH', 'config/simulated.phones', {'value': '2'})
    assert node.root.ask('GET', 'simulated').json['most'] == 2


def test_an_operator_boots_a_phone_presses_its_keys_and_unplugs_it(node):
    node.root.ask('PATCH', 'config/simulated.phones', {'value': '2'})
    events = node.olga.stream('simulated/follow')
    node.root.ask('POST', 'phone', {'name': NAME, 'model': '7960', 'lines': ['7001']}, 201)
    assert node.olga.ask('POST', 'simulated/boot', {'model': '7960'}).json['record']['name'] == NAME
    picture = next(e['picture'] for _, e in events if e['picture'] and e['picture']['registered'])
    assert '7001' in json.dumps(picture['rows']) and picture['softkeys'] and picture['keys'][0]['line']
    until(lambda: node.root.ask('GET', 'phone/' + NAME).json['record']['status'] == 'registered')

    node.olga.ask('POST', f'simulated/{NAME}/press', {'key': 'settings'})
    next(e for _, e in events if 'Settings' in json.dumps(e['picture']['rows']).title())
    node.olga.ask('POST', f'simulated/{NAME}/press', {'key': 'back'})
    next(e for _, e in events if '7001' in json.dumps(e['picture']['rows']))
    node.olga.ask('POST', f'simulated/{NAME}/press', {'key': 'hook'})
    next(e for _, e in events if e['picture']['off_hook'])
    node.olga.ask('POST', f'simulated/{NAME}/press', {'key': 'plug'})
    next(e for _, e in events if not e['picture']['powered'])
    node.olga.ask('POST', f'simulated/{NAME}/press', {}, 422)
    assert len(pids_of_phones(node)) == 1
    node.olga.ask('POST', f'simulated/{NAME}/unplug', {})
    assert next(e for _, e in events if not e['picture'])['name'] == NAME
    assert pids_of_phones(node) == []
    node.olga.ask('GET', 'simulated/' + NAME, status=404)


def test_a_simulated_phone_that_nobody_added_is_adopted_like_any_other(node):
    node.root.ask('PATCH', 'config/simulated.phones', {'value': '2'})
    name = node.olga.ask('POST', 'simulated/boot', {'model': '8841'}).json['record']['name']
    until(lambda: any(u['name'] == name for u in node.root.ask('GET', 'unknown').json['items']))
    node.root.ask('POST', f'unknown/{name}/adopt', {'model': '8841', 'protocol': 'sip', 'lines': ['7002']})
    until(lambda: display(node.olga, name)['state'] == 'registered')
    node.olga.ask('POST', 'simulated/boot', {'model': '7975'})
    node.olga.ask('POST', 'simulated/boot', {'model': '7940'}, 422)  # two are all that may
    node.olga.ask('POST', 'simulated/boot', {'model': 'Trabant'}, 422)


def test_simulated_phones_end_with_the_server_even_when_it_is_killed(tmp_path):
    for end in 'stop', 'kill':
        n = web_node(tmp_path / end, 'tftp.port=6970', 'simulated.phones=3')
        root = n.web.log_in(user='root', password='correct horse')
        for _ in range(3):
            root.ask('POST', 'simulated/boot', {})
        pids = pids_of_phones(n)
        assert len(pids) == 3
        getattr(n, end)()
        until(lambda: not any(subprocess.run(['kill', '-0', p], capture_output=True).returncode == 0 for p in pids))
