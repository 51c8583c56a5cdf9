"""Simulated phones before a real server: every model registers, keys and resets work, and phones that
misbehave do not disturb the others (SIM-1, SIM-2, SIM-4, SEC-3)."""
import json
import subprocess
import time

import pytest

from node import DIALTONE, Node, dialtone

SCCP, TFTP, HTTP = 27400, 27469, 27470
PORTS = ['--server', '127.0.0.1', '--sccp-port', str(SCCP), '--file-port', str(TFTP), '--http-port', str(HTTP)]
# All that speak SCCP, but for the ones whose names are not SEP and a MAC address.
MODELS = ('12SP+ 30VIP 7902 7905 7906 7910 7911 7912 7920 7921 7925 7931 7935 7936 7937 7940 7941 7941G-GE '
          '7942 7945 7960 7961 7961G-GE 7962 7965 7970 7971 7975 6901 6911 6921 6941 6945 6961 8941 8945').split()


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path / 'data', 'listen.address=127.0.0.1', 'node.address=127.0.0.1', f'sccp.port={SCCP}',
                f'tftp.port={TFTP}', f'files.http_port={HTTP}')
    yield node
    node.stop()


def fleet(*words, **options):
    done = subprocess.run([DIALTONE, 'fleet', *PORTS, '--json', *map(str, words)], capture_output=True, text=True,
                          timeout=300, **options)
    return done.returncode, json.loads(done.stdout)


def open_door(node):
    done = dialtone(node.folder, 'autoregistration', 'set', 'enabled=yes', 'start=1000', 'end=99999')
    assert done.returncode == 0, done.stderr


def script(tmp_path, *words, text):
    path = tmp_path / 'script'
    path.write_text(text)
    done = subprocess.run([DIALTONE, 'handset', *PORTS, '--json', '--script', str(path), *words],
                          capture_output=True, text=True, timeout=300)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def statuses(node):
    done = dialtone(node.folder, 'phone', 'list', '--json')
    return {row['name']: row for row in json.loads(done.stdout)}


def test_every_model_registers_with_its_own_files(node, tmp_path):
    rows = ['name,model,lines'] + [f'SEP{0x001122000001 + i:012X},{model},{7000 + i}' for i, model in enumerate(MODELS)]
    (tmp_path / 'phones.csv').write_text('\n'.join(rows) + '\n')
    assert dialtone(node.folder, 'import', tmp_path / 'phones.csv').returncode == 0
    status, report = fleet('--model', ','.join(MODELS), '--count', len(MODELS), '--wait', 60)
    assert status == 0, (report, [row for row in statuses(node).values() if row['status'] != 'registered'])
    assert report['registered'] == len(MODELS) and report['losses'] == 0


def test_an_unknown_phone_is_refused_with_words(node):
    status, report = fleet('--model', '7960,7975,12SP+', '--count', 3, '--wait', 60)
    assert status == 1
    assert report['registered'] == 0
    assert report['refusals'] == [{'text': 'Error: DB Config', 'n': 3}]


def test_the_wrong_model_is_refused_with_words(node):
    assert dialtone(node.folder, 'phone', 'add', 'SEP001122000001', 'model=7961', 'lines=7001').returncode == 0
    status, report = fleet('--model', '7961G-GE', '--wait', 60)
    assert status == 1
    assert report['refusals'][0]['text'] == 'Error: Mismatch'


def test_a_boot_storm_registers_everybody_once(node):
    open_door(node)
    status, report = fleet('--model', '7960,7975,7912,12SP+', '--count', 400)
    assert status == 0, report
    assert report['registered'] == 400 and report['refused'] == 0
    lines = {row['lines'] for row in statuses(node).values()}
    assert len(lines) == 400  # each phone has a number of its own


@pytest.mark.parametrize('fault', ['silent', 'half-message', 'garbage', 'long-message', 'short-register', 'dribble',
                                   'unknown-message', 'no-capabilities', 'deaf', 'half-open', 'abort', 'flap',
                                   'duplicate', 'lost-keepalives'])
def test_phones_that_misbehave_do_not_disturb_others(node, fault):
    open_door(node)
    bad = subprocess.Popen([DIALTONE, 'fleet', *PORTS, '--count', '60', '--fault', fault, '--duration', '4',
                            '--first-mac', '00aabb000000', '--vanish'], stdout=subprocess.DEVNULL)
    time.sleep(1)
    status, report = fleet('--count', 50, '--model', '7960,7975', '--wait', 60)
    bad.wait()
    assert status == 0, report
    assert report['losses'] == 0
    assert node.process.poll() is None


def test_a_fault_that_does_not_exist_is_named():
    done = subprocess.run([DIALTONE, 'fleet', *PORTS, '--fault', 'nonsense'], capture_output=True, text=True)
    assert done.returncode == 2
    assert 'half-open' in done.stderr


def test_a_phone_is_reset_and_restarted_by_the_server(node, tmp_path):
    name = 'SEP001122000001'
    assert dialtone(node.folder, 'phone', 'add', name, 'model=7961', 'lines=7001').returncode == 0
    phone = subprocess.Popen([DIALTONE, 'handset', *PORTS, '--json', '--model', '7961', '--duration', '300'],
                             stdout=subprocess.PIPE, text=True)
    seen = []

    def until(what):
        for line in phone.stdout:
            event = json.loads(line)
            seen.append(event)
            if event['event'] == 'phone' and event.get('what') == what:
                return
        raise AssertionError(f'{what} did not come: {seen}')

    until('registered')
    assert dialtone(node.folder, 'phone', 'restart', name).returncode == 0
    until('restart')
    until('registered')
    assert dialtone(node.folder, 'phone', 'reset', name).returncode == 0
    until('reset')
    until('registered')
    assert {'event': 'boot'}.items() <= next(e for e in seen if e['event'] == 'boot').items()
    phone.terminate()
    phone.wait()
    phone.stdout.close()
    assert statuses(node)[name]['status'] == 'unregistered'


def test_settings_and_the_display(node, tmp_path):
    name = 'SEP001122000001'
    assert dialtone(node.folder, 'phone', 'add', name, 'model=7960', 'lines=7001').returncode == 0
    status, events = script(tmp_path, '--model', '7960', text="""
        wait registered 60
        wait "7001" 60
        press settings
        wait "SETTINGS" 60
        keys 3
        wait "NETWORK CONFIGURATION" 60
        wait "SEP001122000001" 60
        keys **#
        wait "(unlocked)" 60
        # With the keys before these make **#**: the phone restarts.
        keys **
        wait loading 60
        wait registered 60
        press line 1
        press hook
        keys 123
        quit
    """)
    assert status == 0, events
    alarms = dialtone(node.folder, 'event', 'list', '--json').stdout
    assert 'Phone-Keypad' in alarms or name in alarms


def test_keypad_programming_makes_the_phone_boot_again(node, tmp_path):
    name = 'SEP001122000001'
    assert dialtone(node.folder, 'phone', 'add', name, 'model=12SP+', 'lines=7001').returncode == 0
    state = tmp_path / 'flash'
    status, events = script(tmp_path, '--model', '12SP+', '--state', str(state), text="""
        wait registered 60
        keys **
        wait "IP address" 60
        keys #
        wait "Press 1 to disable" 60
        keys 1
        keys 127*64*0*9*
        keys 255*0*0*0*
        keys 0*0*0*0*
        keys 0*0*0*0*
        keys 0*0*0*0*
        wait "Press * to exit" 60
        keys 1
        wait "TFTP must be set" 60
        keys 127*0*0*1*
        keys 1
        wait loading 60
        wait registered 60
        quit
    """)
    assert status == 0, events
    assert statuses(node)[name]['address'] == '127.64.0.9'
    assert 'address: 127.64.0.9\n' in state.read_text()
    # Out and in again: what was typed is still there.
    status, events = script(tmp_path, '--model', '12SP+', '--state', str(state), text='wait registered 60\nquit\n')
    assert status == 0, events
    assert statuses(node)[name]['address'] == '127.64.0.9'
    state.write_text('address: nowhere\n')
    status, events = script(tmp_path, '--model', '12SP+', '--state', str(state), text='quit\n')
    assert status == 1 and not events
