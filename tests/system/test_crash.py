"""kill -9 at any moment: nothing that was acknowledged is lost, nothing is half there (DB-1).

DIALTONE_CRASH_ROUNDS says how often (default 6)."""
import os
import random
import sqlite3
import subprocess
import threading
import time

from node import DIALTONE, Gone, Node, dialtone, everything

ROUNDS = int(os.environ.get('DIALTONE_CRASH_ROUNDS', '6'))
WRITERS = 4
IMPORTED = 1500


class Writer(threading.Thread):
    """Adds, changes and deletes phones of its own until the server is gone. `may[name]` is what a phone
    may be afterwards: one description (None: not there) once acknowledged, two while a change is under way."""

    def __init__(self, node, number, seed, may):
        super().__init__()
        self.node, self.number, self.random, self.may = node, number, random.Random(seed), may
        self.acknowledged = 0

    def step(self, control):
        name = f'SEP{self.number:06X}{self.random.randrange(60):06X}'
        before = self.may.get(name, [None])[-1]
        if before is None:
            verb, after = 'add', f'new {self.random.random()}'
        elif self.random.random() < 0.3:
            verb, after = 'delete', None
        else:
            verb, after = 'set', f'changed {self.random.random()}'
        self.may[name] = [before, after]
        if verb == 'delete':
            answer = control.ask('phone', 'delete', names=[name])
        else:
            fields = {'description': after}
            if verb == 'add':
                fields.update(model='7960', lines=str(int(name[3:], 16)))
            answer = control.ask('phone', verb, name, fields)
        assert 'error' not in answer, answer
        self.may[name] = [after]
        self.acknowledged += 1

    def run(self):
        try:
            control = self.node.control()
            while True:
                self.step(control)
        except (Gone, OSError):
            pass


class Importer(threading.Thread):
    """The same phones again and again, each time with another description. `may` is what all of them may
    say afterwards, as in Writer."""

    def __init__(self, node, folder, may):
        super().__init__()
        self.node, self.folder, self.may = node, folder, may
        self.acknowledged = 0

    def step(self, control):
        said = f'import {self.may[-1] and int(self.may[-1].split()[1]) + 1 or 1}'
        path = self.folder / 'import.csv'
        path.write_text('name,model,lines,description\n' + ''.join(
            f'SEPF{i:011X},7960,{9000000 + i},{said}\n' for i in range(IMPORTED)))
        self.may[:] = [self.may[-1], said]
        answer = control.ask('import', '', options={'file': str(path)})
        assert 'error' not in answer, answer
        self.may[:] = [said]
        self.acknowledged += 1

    def run(self):
        try:
            control = self.node.control()
            while True:
                self.step(control)
        except (Gone, OSError):
            pass


def check(folder, may, imported, export):
    with sqlite3.connect(folder / 'dialtone.db') as db:
        assert db.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
    stored = everything(folder, export)
    phones, lines = stored['phone'], stored['line']
    for name, allowed in may.items():
        now = phones[name].get('description', '') if name in phones else None
        assert now in allowed, (name, now, allowed)
        if name in phones:
            assert str(int(name[3:], 16)) in lines
        may[name] = [now]
    said = [phone['description'] for name, phone in phones.items() if name.startswith('SEPF')]
    assert len(said) in (0, IMPORTED) and len(set(said)) <= 1, (len(said), set(said))
    now = said[0] if said else None
    assert now in imported, (now, imported)
    imported[:] = [now]


def test_nothing_acknowledged_is_lost(tmp_path):
    folder = tmp_path / 'data'
    may, imported, acknowledged = {}, [None], 0
    for round_number in range(ROUNDS):
        node = Node(folder)
        writers = [Writer(node, i + 1, round_number * 100 + i, may) for i in range(WRITERS)]
        importer = Importer(node, tmp_path, imported)
        for thread in writers + [importer]:
            thread.start()
        time.sleep(random.Random(round_number).uniform(0.05, 1.2))  # the moment is the test's own choice
        node.kill()
        for thread in writers + [importer]:
            thread.join()
        check(folder, may, imported, tmp_path / 'all.json')
        acknowledged += sum(w.acknowledged for w in writers) + importer.acknowledged
    assert acknowledged > ROUNDS
    print(f'{ROUNDS} kills, {acknowledged} acknowledged changes, none lost')


def test_a_scope_that_was_acknowledged_is_there_after_a_kill(tmp_path):
    """Nothing but the acknowledgement lies between the change and the kill; how long it takes is told."""
    folder, took = tmp_path / 'data', []
    for n in range(1, 4):
        node = Node(folder)
        control = node.control()
        began = time.monotonic()
        answer = control.ask('scope', 'add', f's{n}', {'subnet': f'10.{n}.0.0/16', 'first': f'10.{n}.1.1', 'last': f'10.{n}.2.254'})
        took.append(time.monotonic() - began)
        node.kill()
        control.close()
        assert 'error' not in answer, answer
        assert set(everything(folder, tmp_path / 'all.json')['scope']) == {f's{i}' for i in range(1, n + 1)}
    print(f'acknowledged after {min(took) * 1000:.1f} to {max(took) * 1000:.1f} ms')


def test_a_killed_offline_import_is_all_or_nothing(tmp_path):
    folder = tmp_path / 'data'
    node = Node(folder)
    node.stop()
    path = tmp_path / 'many.csv'
    path.write_text('name,model,lines\n' + ''.join(f'SEP{i:012X},7960,{i}\n' for i in range(20000)))
    seen = set()
    for round_number in range(ROUNDS):
        process = subprocess.Popen([DIALTONE, '--data', str(folder), 'import', str(path)], stdout=subprocess.DEVNULL)
        time.sleep(random.Random(round_number).uniform(0.05, 1.5))
        process.kill()
        process.wait()
        n = len(everything(folder, tmp_path / 'all.json')['phone'])
        assert n in (0, 20000)
        seen.add(n)
    done = dialtone(folder, 'import', path)
    assert done.returncode == 0, done.stderr
    assert len(everything(folder, tmp_path / 'all.json')['phone']) == 20000
