"""Simulated SIP phones before a real server: every generation of loads boots, registers, is reset and comes back; refusals
have their words; phones that misbehave do not disturb the others; Wireshark reads what both sides say (SIP-1 to SIP-3,
SIM-1, SIM-4, REG-1)."""
import collections
import json
import shutil
import signal
import subprocess

import pytest

from conftest import Capture, judge, until
from node import DIALTONE, Node, dialtone
from sip_client import Client
from test_cluster import Here

SIP, SIPS, TFTP, HTTP = 27560, 27561, 27569, 27570
PORTS = ['--server', '127.0.0.1', '--sip-port', str(SIP), '--file-port', str(TFTP), '--http-port', str(HTTP)]
# A model of each generation that has SIP loads and files for them.
MODELS = '7940 7960 7906 7911 7931 7941 7961 7970 7975 6921 6961 8945 8961 9951 9971 7821 7841 8811 8821 8841 8851'.split()


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path / 'data', 'listen.address=127.0.0.1', 'node.address=127.0.0.1', f'sip.port={SIP}', f'sip.tls_port={SIPS}',
                f'tftp.port={TFTP}', f'files.http_port={HTTP}')
    yield node
    node.stop()


def fleet(*words):
    done = subprocess.run([DIALTONE, 'fleet', '--protocol', 'sip', *PORTS, '--json', *map(str, words)],
                          capture_output=True, text=True, timeout=300)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def fleet_until(truth, *words):
    """Phones that stay until something has become true."""
    process = subprocess.Popen([DIALTONE, 'fleet', '--protocol', 'sip', *PORTS, '--json', '--duration', '600', *map(str, words)],
                               stdout=subprocess.PIPE, text=True)
    try:
        until(truth)
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=300)
    return process.returncode, json.loads(said)


def statuses(node):
    return {row['name']: row for row in json.loads(dialtone(node.folder, 'phone', 'list', '--json').stdout)}


def add_phones(node, tmp_path, count, models, lines=1):
    rows = ['name,model,protocol,lines']
    for i in range(count):
        numbers = ';'.join(str(10000 + i * lines + j) for j in range(lines))
        rows.append(f'SEP{0x001122000001 + i:012X},{models[i % len(models)]},sip,{numbers}')
    (tmp_path / 'phones.csv').write_text('\n'.join(rows) + '\n')
    done = dialtone(node.folder, 'import', tmp_path / 'phones.csv')
    assert done.returncode == 0, done.stderr


def test_every_generation_registers_with_its_own_files(node, tmp_path):
    add_phones(node, tmp_path, len(MODELS), MODELS)
    status, report = fleet('--model', ','.join(MODELS), '--count', len(MODELS), '--wait', 60)
    assert status == 0, (report, [row for row in statuses(node).values() if row['status'] != 'registered'])
    assert report['registered'] == len(MODELS) and report['losses'] == 0


def test_loads_that_register_line_by_line_register_all_lines(node, tmp_path):
    add_phones(node, tmp_path, 4, ['7961'], lines=4)
    lines = lambda name: len(json.loads(dialtone(node.folder, 'phone', 'show', name, '--json').stdout).get('contacts', []))
    status, report = fleet_until(lambda: all(lines(name) == 4 for name in statuses(node)), '--model', '7961', '--load', 'SIP41.8-5-4S', '--count', 4)
    assert status == 0, report
    assert report['losses'] == 0


def test_an_unknown_phone_is_refused_with_words(node):
    status, report = fleet('--model', '8841', '--no-files', '--count', 3, '--wait', 60)
    assert status == 1 and report['registered'] == 0
    assert [r['text'] for r in report['refusals']] == ['404 Auto-registration failed']


def test_the_wrong_model_is_refused_with_words(node, tmp_path):
    add_phones(node, tmp_path, 1, ['8841'])
    status, report = fleet('--model', '8851', '--wait', 60)
    assert status == 1
    assert report['refusals'][0]['text'] == '485 Device type mismatch'


@pytest.mark.parametrize('transport', ['tcp', 'udp'])
def test_a_boot_storm_registers_everybody_once(node, tmp_path, transport):
    models = ['7961', '7975', '8841', '9971']
    add_phones(node, tmp_path, 300, models)
    status, report = fleet('--model', ','.join(models), '--transport', transport, '--count', 300)
    assert status == 0, report
    assert report['registered'] == 300 and report['refused'] == 0 and report['losses'] == 0


def test_many_phones_share_a_socket(node, tmp_path):
    """One UDP port for all: each datagram finds its phone by the address that it came to."""
    add_phones(node, tmp_path, 200, ['8841', '7975'])
    events = tmp_path / 'events'
    status, report = fleet('--model', '8841,7975', '--transport', 'udp', '--count', 200, '--share-socket', '--events', events)
    assert status == 0 and report['registered'] == 200 and report['losses'] == 0, report
    ports = {row['address'] for row in statuses(node).values()}
    assert len(ports) == 200
    status, _ = subprocess.getstatusoutput(f'{DIALTONE} fleet --server 127.0.0.1 --source 10.0.0.1 --share-socket --protocol sip')
    assert status == 2


def test_phones_that_misbehave_do_not_disturb_others(node, tmp_path):
    """All faults at once, 20 phones each."""
    faults = ('silent half-message garbage long-message short-register dribble unknown-message deaf half-open abort flap '
              'duplicate lost-keepalives new-call-id').split()
    add_phones(node, tmp_path, 40 + 20 * len(faults), ['8841', '7975'])
    bad = [subprocess.Popen([DIALTONE, 'fleet', *PORTS, '--protocol', 'sip', '--model', '8841,7975', '--count', '20',
                             '--fault', fault, '--duration', '4', '--vanish', '--source', f'127.65.{i}.1',
                             '--first-mac', f'{0x001122000001 + 40 + 20 * i:012x}'], stdout=subprocess.DEVNULL)
           for i, fault in enumerate(faults)]
    status, report = fleet('--model', '8841,7975', '--count', 40, '--wait', 60)
    for fleet_of_one_fault in bad:
        fleet_of_one_fault.wait()
    assert status == 0, report
    assert report['losses'] == 0
    assert node.process.poll() is None


class Phone:
    """`dialtone handset --json`, and what it tells."""

    def __init__(self, *words):
        self.process = subprocess.Popen([DIALTONE, 'handset', *PORTS, '--json', *words], stdout=subprocess.PIPE, text=True)
        self.seen = []

    def until(self, what):
        for line in self.process.stdout:
            event = json.loads(line)
            self.seen.append(event)
            if event['event'] == 'phone' and event.get('what') == what:
                return event
        raise AssertionError(f'{what} did not come: {self.seen}')

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def test_a_phone_is_reset_and_restarted_by_the_server(node, tmp_path):
    name = 'SEP001122000001'
    add_phones(node, tmp_path, 1, ['8851'], lines=2)
    phone = Phone('--model', '8851', '--duration', '300')
    phone.until('registered')
    for order in 'restart', 'reset':
        assert dialtone(node.folder, 'phone', order, name).returncode == 0
        phone.until(order)
        phone.until('registered')
    assert sum(e['event'] == 'boot' for e in phone.seen) == 1  # by the reset only
    phone.end()
    until(lambda: statuses(node)[name]['status'] == 'unregistered')


def test_a_changed_phone_is_told_and_reads_its_file_again(node, tmp_path):
    name = 'SEP001122000001'
    add_phones(node, tmp_path, 1, ['8841'])
    phone = Phone('--model', '8841', '--duration', '300')
    phone.until('registered')
    assert dialtone(node.folder, 'phone', 'set', name, 'lines=10000;10077').returncode == 0
    assert dialtone(node.folder, 'phone', 'apply', name).returncode == 0
    phone.until('restart')
    phone.until('registered')
    phone.end()


def test_a_client_of_another_make_answers_the_challenge(node):
    assert dialtone(node.folder, 'user', 'add', 'alice', 'digest_password=secret').returncode == 0
    done = dialtone(node.folder, 'phone', 'add', 'softphone1', 'model=third-party-basic', 'protocol=sip', 'owner=alice',
                    'lines=7003')
    assert done.returncode == 0, done.stderr
    status, report = fleet('--model', 'third-party', '--user', 'alice', '--password', 'secret', '--wait', 60)
    assert status == 0, report
    status, report = fleet('--model', 'third-party', '--user', 'alice', '--password', 'wrong', '--wait', 60)
    assert status == 1 and report['refused'] == 1, report


def test_phones_register_over_tls(node, tmp_path):
    add_phones(node, tmp_path, 20, ['8841', '7975'])
    status, report = fleet('--model', '8841,7975', '--count', 20, '--transport', 'tls', '--sip-port', SIPS)
    assert status == 0, report
    assert report['losses'] == 0


def test_a_phone_that_nobody_added_gets_a_number_while_the_door_is_open(node):
    """It registers with built-in values, is told of another stamp, and comes back with its own file."""
    assert dialtone(node.folder, 'autoregistration', 'set', 'enabled=yes', 'start=8000', 'end=8099').returncode == 0
    def all_are_back():
        came = collections.Counter(e['device'] for e in json.loads(dialtone(node.folder, 'event', 'list', '--limit', '0', '--alarm', 'EndPointRegistered', '--json').stdout))
        return len(came) == 12 and min(came.values()) >= 2
    status, report = fleet_until(all_are_back, '--model', '8841,7961,9971', '--count', 12)
    assert status == 0 and report['registered'] == 12, report
    assert sorted(int(row['lines']) for row in statuses(node).values()) == list(range(8000, 8012))


def test_the_display_of_a_sip_phone_shows_its_number_and_settings(node, tmp_path):
    add_phones(node, tmp_path, 1, ['8841'])
    path = tmp_path / 'script'
    path.write_text('wait registered 60\nwait "10000" 60\nwait "NewCall" 60\npress settings\nwait "SETTINGS" 60\nquit\n')
    done = subprocess.run([DIALTONE, 'handset', *PORTS, '--model', '8841', '--script', str(path)], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize('transport', ['tcp', 'udp'])
def test_phones_register_are_reset_and_leave_over_ipv6(tmp_path, transport):
    """A client that is not ours, then one that is."""
    node = Node(tmp_path / 'data', 'listen.address=::1', 'node.address=::1', f'sip.port={SIP}', f'tftp.port={TFTP}', f'files.http_port={HTTP}')
    packets = Capture(None, tmp_path / 'six.pcap', 'lo')
    try:
        add_phones(node, tmp_path, 1, ['7841'])
        foreign = Client(Here, transport, SIP, '::1', host='::1')
        foreign.register('10000', '001122000001', 622)
        answer = foreign.final()
        assert answer.status == 200 and f'@{foreign.at};' in answer.get('Contact'), (answer.start, answer.headers)
        assert statuses(node)['SEP001122000001']['address'] == '::1'
        assert dialtone(node.folder, 'phone', 'reset', 'SEP001122000001').returncode == 0
        order = foreign.await_request('NOTIFY')
        assert 'action=reset' in order.body and order.start.startswith(f'NOTIFY sip:10000@{foreign.at};')
        assert f' [::1]:{SIP};' in order.get('Via') and order.get('Contact').startswith(f'<sip:[::1]:{SIP}')
        foreign.register('10000', '001122000001', 622, expires=0, cseq=102)
        assert foreign.final().status == 200
        until(lambda: statuses(node)['SEP001122000001']['status'] == 'unregistered')
        foreign.close()
        status, report = fleet('--server', '::1', '--model', '7841', '--transport', transport, '--wait', 60)
        assert status == 0 and report['registered'] == 1, report
        assert judge(packets.close(), 'sip', [f'{transport}.port=={SIP},sip']) >= 8
    finally:
        packets.close()
        node.stop()


@pytest.mark.skipif(not shutil.which('tshark'), reason='tshark is not here')
@pytest.mark.parametrize('transport', ['tcp', 'udp'])
def test_wireshark_reads_what_both_sides_say(node, tmp_path, transport):
    models = ['7961', '8841', '9971', '7821']
    add_phones(node, tmp_path, 8, models, lines=2)
    capture = Capture(None, tmp_path / 'sip.pcap', 'lo')
    status, report = fleet_until(lambda: all(row['status'] == 'registered' for row in statuses(node).values()),
                                 '--model', ','.join(models), '--transport', transport, '--count', 8)
    assert status == 0, report
    fields = ['sip.Method', 'sip.Status-Code', '_ws.malformed', '_ws.expert.message']
    lines = subprocess.run(['tshark', '-n', '-r', str(capture.close()), '-d', f'{transport}.port=={SIP},sip', '-Y', 'sip', '-T',
                            'fields'] + [w for f in fields for w in ('-e', f)], capture_output=True, text=True, check=True)
    rows = [line.split('\t') for line in lines.stdout.splitlines()]
    assert sum('REGISTER' in row[0] for row in rows) >= 16  # each registers and leaves
    wrong = [row for row in rows if row[2] or ('sip' in row[3].lower() and 'error' in row[3].lower())]
    assert not wrong, wrong
