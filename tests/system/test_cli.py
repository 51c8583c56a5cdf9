"""Every noun and verb of the command line against a running server: what it answers, its exit status, its
shapes; and the control socket against those who do not know its language (ADM-2, ADM-4, RIS-1, EVT-1, BOOT-2)."""
import json
import os
import pathlib
import pty
import random
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from node import DIALTONE, Node, dialtone

SCCP, TFTP, HTTP, SYSLOG = 28400, 28469, 28470, 28514
PHONE, OTHER = 'SEP001122334455', 'SEP001122334466'


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp('cli') / 'data', 'listen.address=127.0.0.1', 'node.address=127.0.0.1',
                f'sccp.port={SCCP}', f'tftp.port={TFTP}', f'files.http_port={HTTP}',
                f'log.syslog=127.0.0.1:{SYSLOG}')
    yield node
    node.stop()


@pytest.fixture
def run(node):
    """Runs a command line; what it prints, or with status= what it says on standard error."""
    def run(*words, status=0):
        done = dialtone(node.folder, *words)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        assert 'ERROR: AddressSanitizer' not in done.stderr
        return done.stdout if not status else done.stderr
    return run


@pytest.fixture
def ask(run):
    """The same in JSON."""
    return lambda *words: json.loads(run(*words, '--json'))


@pytest.fixture
def phones(run):
    """Two phones, gone again after the test."""
    run('phone', 'add', PHONE, 'model=7960', 'lines=7001;7002', 'speed_dials=Taxi=0123', 'description=Réception')
    run('phone', 'copy', PHONE, OTHER, 'lines=7003')
    yield
    for name in (PHONE, OTHER):
        dialtone_quiet(run, 'phone', 'delete', name)
    for number in ('7001', '7002', '7003'):
        dialtone_quiet(run, 'line', 'delete', number)


def dialtone_quiet(run, *words):
    try:
        run(*words)
    except AssertionError:
        pass


def fleet(*words, **options):
    return subprocess.Popen([DIALTONE, 'fleet', '--server', '127.0.0.1', '--sccp-port', str(SCCP), '--file-port',
                             str(TFTP), '--http-port', str(HTTP), *map(str, words)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, **options)


def until(question, seconds=60):
    """Asks again until the answer is true; the answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError('it never came true')


# --- records ---

def test_a_phone_is_added_shown_changed_copied_and_deleted(run, ask, phones):
    shown = ask('phone', 'show', PHONE)
    assert shown['name'] == PHONE and shown['model'] == '7960' and shown['description'] == 'Réception'
    assert shown['lines'] == '7001;7002' and shown['speed_dials'] == 'Taxi=0123'
    assert [b['feature'] for b in shown['buttons']] == ['line', 'line', 'speed_dial']
    assert shown['status'] == 'unknown'
    run('phone', 'set', PHONE, 'description=', 'lines=7001')
    assert ask('phone', 'show', PHONE)['lines'] == '7001'
    assert ask('phone', 'show', OTHER)['speed_dials'] == 'Taxi=0123'
    assert 'stays' in run('phone', 'delete', OTHER)
    assert 'no phone' in run('phone', 'show', OTHER, status=1)
    assert {'number': '7003', 'phones': []}.items() <= ask('line', 'show', '7003').items()


@pytest.mark.parametrize('name', ['00:11:22:33:44:55', '001122334455', '0011.2233.4455', 'sep001122334455'])
def test_a_phone_is_known_by_every_way_to_write_its_address(ask, phones, name):
    assert ask('phone', 'show', name)['name'] == PHONE


def test_lists_have_filters_search_columns_and_limits(run, ask, phones):
    names = lambda *words: [row['name'] for row in ask('phone', 'list', *words)]
    assert names() == [PHONE, OTHER]
    assert names('--search', 'récep') == [PHONE, OTHER]
    assert names('lines=7003') == [OTHER]
    assert names('model=7960', 'pool=def*', 'status=unknown') == [PHONE, OTHER]
    assert names('model=7940') == []
    assert names('--limit', '1') == [PHONE]
    assert ask('phone', 'list', '--columns', 'lines,name')[0] == {'lines': '7001;7002', 'name': PHONE}
    assert 'no field "modle"' in run('phone', 'list', 'modle=7960', status=1)
    assert run('phone', 'list', '--columns', 'name', '--csv').split() == ['name', PHONE, OTHER]
    assert f'<td>{PHONE}</td>' in run('phone', 'list', '--html')


def test_a_list_longer_than_a_page_comes_whole(node, ask):
    control = node.control()
    for at in range(0, 1200):
        control.ask('line', 'add', str(20000 + at))
    assert len([row for row in ask('line', 'list') if row['number'].startswith('2')]) == 1200
    assert len(ask('line', 'list', 'number=2*', '--limit', '700')) == 700
    page = control.ask('line', 'list', options={'limit': 10})
    assert len(page['rows']) == 10 and page['next'] == page['rows'][-1][0]
    control.close()
    assert dialtone(node.folder, 'line', 'delete', *range(20000, 21200)).returncode == 0


# What a noun needs beside a name, and a field to change.
ENTITIES = [
    ('line', '7100/', {}, ('description', 'x')),
    ('pool', 'Berlin', {}, ('region', 'Default')),
    ('group', 'Second', {}, ('autoregistration', 'true')),
    ('template', 'Mine', {}, ('model', '7960')),
    ('softkeys', 'Few', {}, ('description', 'x')),
    ('user', 'alice', {}, ('first_name', 'Alice')),
    ('datetime', 'Berlin', {}, ('time_zone', 'Europe/Berlin')),
    ('region', 'Far', {}, ('bandwidth', '24')),
    ('location', 'Cellar', {}, ('audio_bandwidth', '80')),
    ('partition', 'Inside', {}, ('description', 'x')),
    ('css', 'All', {}, ('description', 'x')),
    ('server', '10.9.9.9', {}, ('description', 'x')),
    ('callmanager', 'CM9', {'server': '127.0.0.1'}, ('sccp_port', '2001')),
    ('scope', 'voice', {'subnet': '10.1.0.0/24', 'first': '10.1.0.10', 'last': '10.1.0.20'}, ('domain', 'x')),
    ('reservation', '00:11:22:33:44:55', {'address': '10.1.0.30'}, ('description', 'x')),
]


@pytest.mark.parametrize('noun,name,fields,change', ENTITIES, ids=[row[0] for row in ENTITIES])
def test_every_entity_has_the_common_verbs(run, ask, noun, name, fields, change):
    key = name.rstrip('/')
    run(noun, 'add', name, *(f'{k}={v}' for k, v in fields.items()))
    assert 'already' in run(noun, 'add', name, *(f'{k}={v}' for k, v in fields.items()), status=1)
    run(noun, 'set', name, '='.join(change))
    record = ask(noun, 'show', name)
    assert str(record[change[0]]).lower() == change[1].lower()
    first = next(iter(record.values()))
    assert first.lower() == key.lower()
    assert first in [next(iter(row.values())) for row in ask(noun, 'list')]
    assert run(noun, 'list')
    if noun not in ('reservation', 'callmanager'): # whose copy would be its double
        copy = {'line': '7101', 'server': '10.9.9.8'}.get(noun, 'Copy')
        run(noun, 'copy', name, copy)
        run(noun, 'delete', copy)
    run(noun, 'delete', name)
    assert 'no ' + noun in run(noun, 'show', name, status=1)


def test_what_others_refer_to_is_not_deleted(run):
    assert 'in use' in run('pool', 'delete', 'Default', status=1)


def test_a_node_that_is_named_and_not_addressed_is_warned_of(run):
    warning = 'needs a DNS server'
    assert warning in run('server', 'add', 'cm8.example')
    assert warning in run('callmanager', 'add', 'CM8', 'server=cm8.example')
    said = run('callmanager', 'add', 'CM7', 'server=cm8.example')
    assert warning in said and 'CallManager CM8 is at cm8.example, too' in said
    run('callmanager', 'delete', 'CM7')
    said = run('callmanager', 'set', 'CM8', 'server=127.0.0.1')
    assert warning not in said and 'cm8.example, too' not in said
    run('callmanager', 'delete', 'CM8')
    run('server', 'delete', 'cm8.example')


def test_errors_name_what_was_meant(run, phones):
    assert f'Did you mean "{PHONE}"' in run('phone', 'show', 'SEP001122334445', status=1)
    assert 'did you mean model' in run('phone', 'set', PHONE, 'modle=7940', status=1)
    assert 'Did you mean "phone"' in run('phon', 'list', status=2)
    assert 'Did you mean "station_keepalive_interval"' in run('parameter', 'get', 'station_keepalive_intervall', status=1)


def test_without_a_server_the_status_is_3(tmp_path):
    done = dialtone(tmp_path, 'status')
    assert done.returncode == 3 and 'No server runs' in done.stderr
    done = dialtone(tmp_path, 'status', '--json')
    assert json.loads(done.stdout)['status'] == 3


# --- settings ---

def test_parameters_have_ranges_and_defaults(run, ask):
    assert ask('parameter', 'get', 'station_keepalive_interval')['value'] == '30'
    run('parameter', 'set', 'station_keepalive_interval=20')
    assert ask('parameter', 'get', 'Station KeepAlive Interval')['value'] == '20'
    assert '1 to 1000' in run('parameter', 'set', 'station_keepalive_interval', '5000', status=1)
    run('parameter', 'set', 'station_keepalive_interval=')
    assert ask('parameter', 'get', 'station_keepalive_interval')['value'] == '30'
    assert all(row['help'] for row in ask('parameter', 'list'))
    assert [row['name'] for row in ask('parameter', 'list', 'name=station_keepalive_i*')] == ['station_keepalive_interval']


def test_autoregistration_opens_and_closes(run, ask):
    assert ask('autoregistration', 'show')['enabled'] is False
    assert 'open' in run('autoregistration', 'set', 'enabled=yes', 'start=8000', 'end=8009')
    assert ask('autoregistration', 'show')['start'] == 8000
    assert 'closed' in run('autoregistration', 'set', 'enabled=no')
    assert 'below' in run('autoregistration', 'set', 'end=7000', status=1)


def test_passwords_are_stored_as_hashes_and_never_shown(run, ask, node, tmp_path):
    run('user', 'add', 'carol', 'password=correct horse', 'role=viewer')
    assert ask('user', 'show', 'carol')['password'] == '(set)'
    run('export', tmp_path / 'all.json')
    carol, = [u for u in json.loads((tmp_path / 'all.json').read_text())['user'] if u['name'] == 'carol']
    assert carol['password'].startswith('$y$')
    assert b'correct horse' not in (node.folder / 'dialtone.db').read_bytes()
    run('user', 'delete', 'carol')


def test_a_password_need_not_stand_on_the_command_line(run, ask, node, tmp_path):
    words = [DIALTONE, '--data', str(node.folder), 'user', 'add', 'dave', 'password=-']
    done = subprocess.run(words, input='correct horse\n', capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ask('user', 'show', 'dave')['password'] == '(set)'
    assert 'No password' in subprocess.run(words, input='', capture_output=True, text=True).stderr
    for second, wanted in ('battery\n', 2), ('staple\n', 0):
        pid, fd = pty.fork()
        if not pid:
            os.execv(DIALTONE, [*words[:3], 'user', 'set', 'dave', 'password=-'])
        said = b''
        for question, answer in (b'New', b'staple\n'), (b'Once more', second.encode()):
            while question not in said or not said.endswith(b': '):
                said += os.read(fd, 1000)
            os.write(fd, answer)
        try:
            while more := os.read(fd, 1000):
                said += more
        except OSError: # its end
            pass
        os.close(fd)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == wanted and b'staple' not in said, said
    run('user', 'delete', 'dave')


# --- phones that come ---

def test_status_events_and_timeline_of_phones_that_come_and_go(node, run, ask, phones):
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(('127.0.0.1', SYSLOG))
    sink.settimeout(60)
    follow = subprocess.Popen([DIALTONE, '--data', str(node.folder), 'event', 'follow', '--json',
                               '--alarm', 'EndPointRegistered'], stdout=subprocess.PIPE, text=True)
    group = fleet('--count', 1, '--first-mac', '001122334455', '--model', '7960', '--duration', 300)
    try:
        registered = lambda: ask('phone', 'show', PHONE)['status'] == 'registered'
        until(registered)
        shown = ask('phone', 'show', PHONE)
        stages = [step['stage'] for step in shown['boot']]
        assert 'registered' in stages and 'file sent' in stages
        assert [step['ms'] for step in shown['boot']] == sorted(step['ms'] for step in shown['boot'])
        assert shown['active_load'] and shown['address'].startswith('127.')
        while not select.select([follow.stdout], [], [], 1)[0]: # it began to follow after the phone came
            dialtone_quiet(run, 'phone', 'reset', PHONE)
            until(registered)
        event = json.loads(follow.stdout.readline())
        assert event['alarm'] == 'EndPointRegistered' and event['device'] == PHONE
        assert 'EndPointRegistered' in [row['event'] for row in shown['history']]
        assert ask('status')['registered'] == 1
        row, = ask('status', 'list', 'status=registered')
        assert row['name'] == PHONE and row['model'] == '7960' and row['protocol'] == 'sccp'
        assert row['load'] == shown['active_load']
        assert f'phone reset {PHONE}' in run('phone', 'set', PHONE, 'description=y') # ADM-2
        assert f'phone reset {PHONE}' in run('line', 'set', '7001', 'alerting_name=y')
        assert 'not registered' in run('phone', 'reset', OTHER, status=1)
        assert ask('phone', 'reset', PHONE)['reset'] == 1
        until(lambda: ask('event', 'list', '--device', PHONE, '--reason', '9'))
        until(registered)
        assert ask('phone', 'restart', 'pool=Default')['restarted'] == 1
        until(lambda: ask('event', 'list', '--device', PHONE, '--reason', '15'))
        until(registered)
        assert 'Which phones' in run('phone', 'reset', status=1)
        lines = [sink.recv(4096).decode() for _ in range(3)]
        assert all(re.match(r'<\d+>\d+: cm1: \w{3} \d\d \d{4} \d\d:\d\d:\d\d\.\d{3} UTC :  %UC_\w+-\d-\w+: %\[', line)
                   for line in lines), lines
    finally:
        group.send_signal(signal.SIGINT)
        group.wait()
        follow.kill()
        follow.communicate()
        sink.close()
    until(lambda: ask('phone', 'show', PHONE)['status'] == 'unregistered')
    assert ask('phone', 'show', PHONE)['reason']
    until(lambda: ask('event', 'list', '--since', '1h', '--severity', 'error', '--alarm', 'EndPointUnregistered'))
    assert ask('event', 'list', '--since', '2099-01-01') == []
    assert 'no time' in run('event', 'list', '--since', 'yesterday', status=1)


def test_an_unknown_phone_is_listed_with_what_it_may_be_a_typing_error_of_and_adopted(run, ask, phones):
    group = fleet('--count', 1, '--first-mac', '001122334454', '--model', '7960', '--duration', 300)
    try:
        row, = until(lambda: [r for r in ask('unknown', 'list') if r['name'] == 'SEP001122334454' and r['refused_for']])
        assert row['model'] == '7960' and row['near_miss'] == [PHONE] and row['tries'] >= 1 and row['last_file']
        assert 'not in the database' in run('status')
        assert 'unknown adopt' in run('phone', 'show', 'SEP001122334454')
        assert ask('status', 'list', 'status=rejected')[0]['code'] == 29
        run('unknown', 'adopt', 'SEP001122334454', 'lines=7004')
        assert 'SEP001122334454' not in [r['name'] for r in ask('unknown', 'list')]
        assert ask('phone', 'show', 'SEP001122334454')['model'] == '7960'
        assert 'already' in run('unknown', 'adopt', 'SEP001122334454', status=1)
        assert 'No phone' in run('unknown', 'adopt', 'SEP0011AABBCCDD', status=1)
    finally:
        group.send_signal(signal.SIGINT)
        group.wait()
        run('phone', 'delete', 'SEP001122334454')
        run('line', 'delete', '7004')


def test_a_phone_in_quarantine_is_adopted(run, ask):
    name = 'SEP001122334477'
    run('pool', 'add', 'Quarantine')
    run('autoregistration', 'set', 'enabled=yes', 'start=8100', 'end=8109', 'quarantine=yes', 'quarantine_pool=Quarantine')
    group = fleet('--count', 1, '--first-mac', name[3:], '--model', '7960', '--duration', 300)
    try:
        until(lambda: ask('phone', 'list', 'quarantine=yes', 'status=registered'))
        assert ask('phone', 'show', name)['pool'] == 'Quarantine'
        assert f'phone reset {name}' in run('unknown', 'adopt', name, 'description=Adopted')
        shown = ask('phone', 'show', name)
        assert shown['pool'] == 'Default' and not shown['quarantine'] and shown['lines'] == '8100'
        assert 'already' in run('unknown', 'adopt', name, status=1)
    finally:
        group.send_signal(signal.SIGINT)
        group.wait()
        run('autoregistration', 'set', 'enabled=no', 'quarantine=no', 'quarantine_pool=')
        run('phone', 'delete', name)
        run('line', 'delete', '8100')
        run('pool', 'delete', 'Quarantine')


def test_the_file_of_a_phone_is_shown(run, phones):
    assert run('phone', 'file', PHONE).startswith('<?xml')
    assert run('phone', 'rebuild')


# --- the node ---

def test_services_stop_start_and_say_why_not(run, ask):
    state = lambda id: [row['state'] for row in ask('service', 'list') if row['id'] == id][0]
    for id in ('tftp', 'files-http', 'callmanager', 'ris'):
        run('service', 'stop', id)
        assert state(id) == 'stopped'
        run('service', 'start', id)
        assert state(id) == 'running'
        run('service', 'restart', id)
        assert state(id) == 'running'
    assert state('dhcp') == 'off'
    assert run('service', 'start', 'dhcp', status=1)
    assert 'cannot be stopped' in run('service', 'stop', 'control', status=1)
    assert 'no service' in run('service', 'stop', 'nothing', status=1)
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1) # connections that just ended are no matter
    run('service', 'stop', 'callmanager')
    holder.bind(('127.0.0.1', SCCP))
    holder.listen()
    assert 'in use' in run('service', 'start', 'callmanager', status=1)
    holder.close()
    run('service', 'start', 'callmanager')


def test_counters_are_listed_and_watched(run, ask, node):
    rows = ask('counter', 'list')
    assert len({(row['object'], row['name']) for row in rows}) == len(rows)
    assert {row['object'] for row in ask('counter', 'show', 'Cisco TFTP')} == {'Cisco TFTP'}
    assert 'no such counter' in run('counter', 'show', 'nothing', status=1)
    watch = subprocess.Popen([DIALTONE, '--data', str(node.folder), 'counter', 'watch', '--json'],
                             stdout=subprocess.PIPE, text=True)
    text = watch.stdout.readline()
    while text.lstrip()[:1] == '[' and not text.rstrip().endswith(']'): # a list has a line a row
        text += watch.stdout.readline()
    assert json.loads(text) is not None
    watch.kill()
    watch.communicate()


@pytest.mark.parametrize('words', [('lease', 'list'), ('port', 'list'), ('load', 'list'), ('scope', 'status'),
                                   ('node', 'list'), ('status',), ('defaults', 'list'), ('unknown', 'list')])
def test_lists_of_other_threads_answer(run, ask, words):
    run(*words)
    assert ask(*words) is not None


def test_what_is_not_there_is_refused_with_a_sentence(run):
    assert run('lease', 'release', '10.1.0.17', status=1)
    assert run('load', 'check', 'nothing', status=1)
    assert run('load', 'import', '/nonexistent.zip', status=1)
    assert run('import', '/nonexistent.csv', status=1)
    assert run('restore', '/nonexistent.db', status=1)


def test_import_export_and_backup_take_relative_names(node, phones, tmp_path):
    here = lambda *words: subprocess.run([DIALTONE, '--data', str(node.folder), *words], cwd=tmp_path,
                                         capture_output=True, text=True)
    for words in (('export', 'all.json'), ('export', 'phones.csv'), ('backup', 'copy.db')):
        done = here(*words)
        assert done.returncode == 0 and (tmp_path / words[1]).stat().st_size > 100, done.stderr
    assert PHONE in (tmp_path / 'phones.csv').read_text()
    assert 'dry run' in here('import', 'phones.csv', '--dry-run').stdout
    for words in (('export', 'all.json'), ('trace', 'collect', 'all.json'), ('backup', 'copy.db')):
        before = (tmp_path / words[-1]).read_bytes()
        assert here(*words).returncode == 1 and (tmp_path / words[-1]).read_bytes() == before
    assert here('export', 'all.json', '--force').returncode == 0


def test_a_plan_tells_what_would_happen_and_changes_nothing(run, ask, phones):
    told = run('phone', 'set', PHONE, 'description=Planned', '--plan')
    assert 'description' in told and 'Planned' in told and 'Nothing was changed' in told
    assert ask('phone', 'show', PHONE)['description'] != 'Planned'
    assert 'delete' in run('phone', 'delete', PHONE, '--plan') and ask('phone', 'show', PHONE)['name'] == PHONE


def test_a_phone_s_name_in_the_place_of_a_file_s_becomes_no_file(node, tmp_path):
    here = lambda *words: subprocess.run([DIALTONE, '--data', str(node.folder), *words], cwd=tmp_path,
                                         capture_output=True, text=True)
    for words in (('trace', 'collect', '7960'), ('trace', 'collect', '*'), ('export', 'Default'), ('capture', 'fetch', 'x', PHONE)):
        done = here(*words)
        assert done.returncode == 2 and f'./{words[-1]}' in done.stderr, done.stderr
    assert '--device' in here('trace', 'collect', PHONE).stderr
    assert not list(tmp_path.glob('*'))


def test_a_second_server_on_the_same_folder_is_refused(node):
    done = subprocess.run([DIALTONE, 'serve', '--data', str(node.folder), '--set', 'sccp.port=0'], capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 1 and 'another server' in done.stderr


def test_a_socket_that_a_dead_server_left_is_replaced(tmp_path):
    Node(tmp_path / 'data').kill()
    assert (tmp_path / 'data' / 'control.sock').exists()
    half = [tmp_path / 'data' / name for name in ('download-0123456789abcdef.db', 'upload-a1B2c3', 'upload-of-mine')]
    for file in half:
        file.write_text('half')
    assert dialtone(tmp_path / 'data', 'status').returncode == 3
    node = Node(tmp_path / 'data')
    assert dialtone(tmp_path / 'data', 'status').returncode == 0
    assert (tmp_path / 'data' / 'control.sock').stat().st_mode & 0o777 == 0o660
    assert [file.exists() for file in half] == [False, False, True]  # of transfers nothing is left
    assert node.stop() == 0


# --- people and shells ---

def terminal(folder, *words, columns=80):
    """What a person sees in a terminal of so many columns."""
    pid, fd = pty.fork()
    if not pid:
        os.environ['COLUMNS'] = str(columns)
        os.execv(DIALTONE, [DIALTONE, '--data', str(folder), *words])
    said = b''
    while True:
        try:
            more = os.read(fd, 65536)
        except OSError:
            break
        if not more:
            break
        said += more
    os.waitpid(pid, 0)
    os.close(fd)
    return said.decode().replace('\r\n', '\n')


@pytest.mark.parametrize('words', [('phone', 'list'), ('phone', 'show', PHONE), ('status',), ('service', 'list'),
                                   ('parameter', 'list'), ('counter', 'list'), ('event', 'list'), ('pool', 'list'),
                                   ('template', 'list'), ('config', 'show'), ('--help',), ('phone', '--help'),
                                   ('phone', 'add', '--help'), ('event', 'list', '--help')])
def test_nothing_is_wider_than_the_terminal(node, phones, words):
    wide = [line for line in terminal(node.folder, *words).split('\n') if len(line) > 80]
    assert [line for line in wide if not line.startswith('  dialtone ')] == [] # but an example, which is to be copied


def test_completion_knows_words_and_names(node, phones):
    complete = lambda *words: dialtone(node.folder, 'complete', '--', *words).stdout.split()
    assert 'phone' in complete('ph') and 'serve' in complete('')
    assert 'reset' in complete('phone', 'r')
    assert PHONE in complete('phone', 'show', '')
    assert 'model=' in complete('phone', 'add', PHONE, '')
    script = dialtone(node.folder, 'completion', 'bash').stdout
    line = f'{DIALTONE} --data {node.folder} phone sh'.split()
    bash = subprocess.run(['bash', '-c', script + 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dialtone; echo '
                           '"${COMPREPLY[@]}"', '-', *line], capture_output=True, text=True)
    assert bash.stdout.split() == ['show']


def test_fish_completes_words_and_names(node, phones):
    script = dialtone(node.folder, 'completion', 'fish').stdout
    fish = lambda line: subprocess.run(['fish', '--no-config', '-c', f'{script}\ncomplete -C "{line}"'],
                                       capture_output=True, text=True, check=True).stdout.split()
    at = f'{DIALTONE} --data {node.folder}'
    assert fish(f'{at} phone sh') == ['show']
    assert PHONE in fish(f'{at} phone show ')


ZSH_ASKS = r"""
import os, pty, select, sys, termios, time
shell, folder, script, line, wanted = sys.argv[1:]
pid, terminal = pty.fork()
if not pid:
    termios.tcsetwinsize(0, (24, 1000))
    os.environ.update(ZDOTDIR=folder, TERM='dumb', PS1='% ')
    os.execvp('zsh', ['zsh', '-f', '-i'])
seen = b''
def until(end):
    global seen
    deadline = time.monotonic() + 60
    while end not in seen and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536)
    return end in seen
def say(text):
    os.write(terminal, text.encode())
say(f'autoload -U compinit && compinit -u -D && source {script} && echo re""ady\n')
assert until(b'ready\r\n'), seen
seen = b''
say(line + '\t')
found = until(wanted.encode())
os.kill(pid, 9)
sys.exit(0 if found else repr(seen))
"""


@pytest.mark.parametrize('typed, wanted', [('phone sh', 'phone show '), (f'phone show {PHONE[:-1]}', PHONE)])
def test_zsh_completes_words_and_names(node, phones, tmp_path, typed, wanted):
    (tmp_path / 'completion').write_text(dialtone(node.folder, 'completion', 'zsh').stdout)
    done = subprocess.run(['/usr/bin/python3', '-c', ZSH_ASKS, 'zsh', tmp_path, tmp_path / 'completion',
                           f'{DIALTONE} --data {node.folder} {typed}', wanted], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('page', sorted(p.name for p in (pathlib.Path(__file__).parents[2] / 'man').glob('*.[158]')))
def test_manual_pages_render_without_warnings(page):
    path = pathlib.Path(__file__).parents[2] / 'man' / page
    done = subprocess.run(['man', '--warnings', '-l', str(path)], capture_output=True, text=True,
                          env={**os.environ, 'MANWIDTH': '80', 'LC_ALL': 'C.UTF-8'})
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_events_that_have_left_memory_are_read_from_the_files(tmp_path):
    """Two files of 10 000 lines each: found by number, time and device, page by page."""
    folder = tmp_path / 'data'
    folder.mkdir()
    line = ('{n}: old: Nov {day:02d} 2025 {h:02d}:{m:02d}:{s:02d}.000 UTC :  %UC_CALLMANAGER-3-EndPointUnregistered: '
            '%[DeviceName=SEP{n:012X}][IPAddress=10.0.0.1][Protocol=SCCP][Reason=13][AppID=Cisco CallManager]'
            '[ClusterID=][NodeID=old]: An endpoint has unregistered\n')
    text = [line.format(n=n, day=1 + n // 3600 // 24, h=n // 3600 % 24, m=n // 60 % 60, s=n % 60) for n in range(1, 20001)]
    (folder / 'events.log.1').write_text(''.join(text[:10000]))
    (folder / 'events.log').write_text(''.join(text[10000:]))
    node = Node(folder)
    ask = lambda *words: json.loads(dialtone(folder, 'event', 'list', *words, '--json').stdout)
    everything = [e['number'] for e in ask('--limit', '0', '--alarm', 'EndPointUnregistered')]
    assert everything == list(range(1, 20001))
    assert [e['number'] for e in ask('--device', 'SEP00000000002A')] == [42]
    assert len(ask('--since', '2025-11-01', '--until', '2025-11-03', '--limit', '0')) == 20000
    assert len(ask('--limit', '9000', '--reason', '13')) == 9000
    node.stop()


# --- those who do not know the language ---

def talk(node, data):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(str(node.folder / 'control.sock'))
    s.sendall(data)
    return s


@pytest.mark.parametrize('line', [b'GET / HTTP/1.1', b'[]', b'{}', b'{"noun":1}', b'{"noun":"phone","fields":[]}',
                                  b'{"noun":"phone","verb":"add","name":7}', b'{"noun":"phone","names":[1]}',
                                  b'{"noun":"phone","verb":"list","options":7}', b'\xff\xfe',
                                  b'{"noun":"phone","verb":"fly"}', b'{"noun":"phone","verb":"add","name":""}',
                                  b'{"noun":"phone","verb":"list","options":{"limit":-1,"after":"\\u0000"}}'])
def test_a_request_that_is_none_is_answered_and_the_conversation_goes_on(node, line):
    s = talk(node, line + b'\n')
    answer = json.loads(s.makefile().readline())
    assert answer['status'] == 1 and answer['error'] or answer['status'] == 0
    s.sendall(b'{"noun":"status"}\n')
    assert json.loads(s.makefile().readline())['status'] == 0
    s.close()


def test_those_who_send_half_a_line_or_read_nothing_do_not_stop_others(node, run):
    half = [talk(node, b'{"noun":') for _ in range(60)]
    greedy = talk(node, b'{"noun":"parameter","verb":"list","options":{"full":true}}\n' * 200)
    run('status')
    for s in half + [greedy]:
        s.close()
    run('status')


def test_requests_of_any_shape_are_answered(tmp_path):
    source = pathlib.Path(__file__).parents[2] / 'src'
    entities = (source / 'core/entities.def').read_text()
    rows = re.findall(r'^API\("([^"]+)",\s+"([^"]*)"', (source / 'server/api/api.def').read_text(), re.M)
    rows = [row for row in rows if row[0] not in ('import', 'export', 'backup', 'restore') and row[1] != 'follow']
    nouns = re.findall(r'^ENTITY\(\w+, "(\w+)"', entities, re.M)
    fields = re.findall(r'^ +(?:KEY|STR|SECRET|NUM|FLAG|ENUM|REF|LIST)\s*\((\w+)', entities, re.M) + ['lines', 'status']
    options = 'after limit search columns to file since severity reason device alarm all full wanted address'.split()
    values = ['', 'x', PHONE, 'Default', '7960', 'yes', '-1', '9' * 20, 'a;b;c', '=;=;', '7001/', '\0', 'é' * 200,
              'x' * 5000, 'line,7001;speed_dial,0123,Taxi', '*', '10.0.0.0/24', None, 7, [], {}, True]
    dice = random.Random(1)
    node = Node(tmp_path / 'data')
    control = node.control()
    for _ in range(10000):
        noun, verb = dice.choice(rows)
        pick = lambda of, n: {dice.choice(of): dice.choice(values[:17] if dice.random() < .9 else values)
                              for _ in range(dice.randint(0, n))}
        request = (dice.choice(nouns) if noun == '*' else noun, verb, dice.choice(values), pick(fields, 4),
                   pick(options, 4), [dice.choice(values[:17]) for _ in range(dice.randint(0, 3))])
        answer = control.ask(*request)
        assert answer['status'] in (0, 1) and (answer['status'] == 0) == ('error' not in answer), (request, answer)
    control.close()
    assert node.stop() == 0
    assert 'Sanitizer' not in node.said and 'runtime error' not in node.said


def test_a_line_without_end_is_cut_off(node, run):
    s = talk(node, b'')
    with pytest.raises(OSError):
        for _ in range(64):
            s.sendall(b'x' * (1 << 20))
    run('status')


def test_a_command_that_comes_before_the_database_is_open_waits(tmp_path):
    folder = tmp_path / 'data'
    server = subprocess.Popen([DIALTONE, 'serve', '--data', str(folder), '--set', 'sccp.port=0', '--set', 'tftp.port=0',
                               '--set', 'files.http_port=0'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = until(lambda: [done for done in [dialtone(folder, 'pool', 'show', 'Default')] if done.returncode != 3])[0]
    assert done.returncode == 0, done.stderr # not 1: the database is not open
    server.terminate()
    assert server.wait() == 0
