"""A full disk and a folder that may not be written: a clear error, and the server goes on from memory."""
import os
import pathlib
import re
import sqlite3
import subprocess

import pytest

from node import Node, dialtone, everything

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='mounts a file system of its own')


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / 'disk'
    folder.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=3m', 'dialtone-test', folder]).returncode:
        pytest.skip('no file system may be mounted here')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def add(control, i):
    return control.ask('phone', 'add', f'SEP{i:012X}', {'model': '7960', 'lines': str(7000 + i)})


def fill(disk):
    path = disk / 'filler'
    with open(path, 'wb', buffering=0) as f:
        for size in (65536, 4096, 1):
            try:
                while True:
                    f.write(bytes(size))
            except OSError:
                pass
    return path


def state(control):
    rows = control.ask('service', 'list')
    return str(next(row for row in rows['rows'] if 'Database Layer Monitor' in row))


def test_a_full_disk_refuses_changes_and_recovers(disk):
    node = Node(disk / 'data')
    control = node.control()
    assert 'error' not in add(control, 1)
    filler = fill(disk)
    refused = 0
    for i in range(2, 400):  # until the pages that the log has already are used up
        answer = add(control, i)
        if 'error' in answer:
            refused = i
            break
    assert refused and 'full' in answer['error'], answer
    assert 'failed' in state(control).lower()
    listed = control.ask('phone', 'list', options={'limit': 1000})
    assert len(listed['rows']) == refused - 1
    for verb, name in ('backup', 'copy.db'), ('export', 'all.json'):
        answer = control.ask(verb, '', options={'file': str(disk / 'data' / name)})
        assert answer['code'] == 507 and not (disk / 'data' / name).exists(), answer
    filler.unlink()
    assert 'error' not in add(control, refused)
    assert 'running' in state(control).lower()
    node.kill()
    node = Node(disk / 'data')
    listed = node.control().ask('phone', 'list', options={'limit': 1000})
    assert len(listed['rows']) == refused
    node.stop()


def test_a_refused_import_on_a_full_disk_leaves_nothing(disk, tmp_path):
    node = Node(disk / 'data')
    path = tmp_path / 'many.csv'
    path.write_text('name,model,lines\n' + ''.join(f'SEP{i:012X},7960,{i}\n' for i in range(60000)))
    control = node.control()
    answer = control.ask('import', '', options={'file': str(path)})
    assert 'full' in answer['error'], answer
    assert not control.ask('phone', 'list')['rows']
    assert 'error' not in add(control, 1)
    node.stop()


def test_a_disk_that_is_full_from_the_start_gets_everything_once_there_is_room(disk):
    filler = fill(disk)
    with open(filler, 'r+b') as f:
        f.truncate(filler.stat().st_size - 60000)  # enough for socket, log and lock
    node = Node(disk / 'data')
    control = node.control()
    assert 'full' in add(control, 1)['error']
    assert 'failed' in state(control).lower()
    assert control.ask('pool', 'list')['rows']  # what a new node has
    filler.unlink()
    assert 'error' not in control.ask('service', 'start', 'database')
    assert 'running' in state(control).lower()
    assert 'error' not in add(control, 1)
    node.kill()
    node = Node(disk / 'data')
    assert node.control().ask('pool', 'list')['rows']
    assert len(node.control().ask('phone', 'list')['rows']) == 1
    node.stop()


def test_a_stopped_database_refuses_changes_until_it_is_started(tmp_path):
    node = Node(tmp_path / 'data')
    control = node.control()
    assert 'error' not in control.ask('service', 'stop', 'database')
    assert 'stopped' in add(control, 1)['error']
    assert control.ask('phone', 'list')['rows'] == []
    assert 'error' not in control.ask('service', 'start', 'database')
    assert 'error' not in add(control, 1)
    node.stop()


def test_a_read_only_folder_is_served_from_memory(disk):
    node = Node(disk / 'data')
    assert 'error' not in add(node.control(), 1)
    node.stop()
    subprocess.run(['mount', '-o', 'remount,ro', disk], check=True)
    node = Node(disk / 'data')
    assert re.search('Database Layer Monitor +FAILED', node.said)
    assert 'may not be written' in node.said
    assert node.process.poll() is None
    assert node.stop() == 0


def test_a_second_server_on_the_folder_names_the_first(tmp_path):
    node = Node(tmp_path / 'data')
    with pytest.raises(AssertionError) as second:
        Node(tmp_path / 'data')
    assert f'pid {node.process.pid}' in str(second.value)
    node.stop()


def test_a_database_of_a_newer_version_or_damaged_is_not_started_over(tmp_path):
    node = Node(tmp_path / 'data')
    node.stop()
    file = tmp_path / 'data' / 'dialtone.db'
    with sqlite3.connect(file) as db:
        db.execute('PRAGMA user_version=99')
    with pytest.raises(AssertionError) as newer:
        Node(tmp_path / 'data')
    assert 'newer' in str(newer.value)
    for name in ('dialtone.db-wal', 'dialtone.db-shm'):
        pathlib.Path(tmp_path / 'data' / name).unlink(missing_ok=True)
    file.write_bytes(b'no database ' * 1000)
    with pytest.raises(AssertionError) as damaged:
        Node(tmp_path / 'data')
    assert 'damaged' in str(damaged.value)
    assert file.read_bytes().startswith(b'no database')


def test_backup_while_running_and_restore(tmp_path):
    node = Node(tmp_path / 'data')
    control = node.control()
    add(control, 1)
    assert dialtone(tmp_path / 'data', 'backup', tmp_path / 'copy.db').returncode == 0
    add(control, 2)
    assert dialtone(tmp_path / 'data', 'backup', tmp_path / 'copy.db').returncode == 1  # never over a file
    done = dialtone(tmp_path / 'data', 'restore', tmp_path / 'copy.db')
    assert done.returncode == 0, done.stderr
    assert 'before-restore' in done.stdout + done.stderr
    assert len(control.ask('phone', 'list')['rows']) == 1
    assert dialtone(tmp_path / 'data', 'restore', tmp_path / 'node.csv').returncode == 1
    node.stop()
    aside = next((tmp_path / 'data').glob('*before-restore*'))
    done = dialtone(tmp_path / 'data', 'restore', aside)  # the folder itself, no server
    assert done.returncode == 0, done.stderr
    node = Node(tmp_path / 'data')
    assert len(node.control().ask('phone', 'list')['rows']) == 2
    node.stop()


def test_every_wrong_line_of_an_import_is_told_with_and_without_a_server(tmp_path):
    node = Node(tmp_path / 'data')
    path = tmp_path / 'bad.csv'
    path.write_text('name,model\nSEP1,7960\nSEP000000000002,7960\nSEP000000000003,79660\n')
    for running in (True, False):
        done = dialtone(tmp_path / 'data', 'import', path)
        assert done.returncode == 1
        told = [line.split()[:2] for line in done.stdout.splitlines()[1:]]
        assert told == [['2', 'name'], ['4', 'model']]
        assert '2 lines are wrong' in done.stderr
        if running:
            node.stop()
    assert not everything(tmp_path / 'data', tmp_path / 'all.json')['phone']


def test_everything_exported_and_imported_elsewhere_is_the_same(tmp_path):
    node = Node(tmp_path / 'one')
    control = node.control()
    control.ask('partition', 'add', 'Berlin')
    control.ask('pool', 'add', 'Berlin', {'region': 'Default'})
    control.ask('user', 'add', 'anna', {'password': 'correct horse'})
    control.ask('phone', 'add', 'SEP000000000001', {'model': '7941', 'lines': '7001;7002/Berlin', 'pool': 'Berlin',
                                                    'speed_dials': 'Taxi=0123', 'owner': 'anna'})
    control.ask('parameter', 'set', fields={'station_keepalive_interval': '45'})
    node.stop()
    first = everything(tmp_path / 'one', tmp_path / 'one.json')
    assert first['user']['anna']['password'].startswith('$y$')
    assert len(first['line']) == 2 and len(first['parameter']) == 1
    done = dialtone(tmp_path / 'two', 'import', tmp_path / 'one.json')
    assert done.returncode == 1 and 'no data folder' in done.stderr
    (tmp_path / 'two').mkdir()
    done = dialtone(tmp_path / 'two', 'import', tmp_path / 'one.json')
    assert done.returncode == 0, done.stderr
    second = everything(tmp_path / 'two', tmp_path / 'two.json')
    for noun in first:
        for key, record in first[noun].items():
            assert second[noun][key] == record, (noun, key)
