"""Phones fail over and fall back between two real nodes: what happened to how many, and when.

As a program: the curve of a scenario, for instance 5 000 phones whose first node is killed:

    /usr/bin/python3 tests/system/failover.py --count 5000 --scenario killed
"""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import conftest
from conftest import DIALTONE, Namespace, run, until

PHONE, FIRST, SECOND = '10.96.0.9', '10.96.0.1', '10.96.0.2'
ADDRESSES = [FIRST, SECOND]


class Site:
    """A switch in a namespace, and behind it a namespace for each of the two nodes and one for the phones."""

    def __init__(self, folder, count=1, model='7975', delayed=False, keepalive=30, extra=()):
        self.folder, self.count, self.model, self.keepalive = pathlib.Path(folder), count, model, keepalive
        name = f'failover{os.getpid()}'
        self.switch = Namespace(name + 'w')
        self.ns = [Namespace(name + 'a'), Namespace(name + 'b')]
        self.phones = Namespace(name + 'p')
        self.switch.run('ip', 'link', 'add', 'br0', 'type', 'bridge')
        self.switch.run('ip', 'link', 'set', 'br0', 'up')
        for i, ns in enumerate(self.ns + [self.phones]):
            run('ip', 'link', 'add', f'port{i}', 'netns', self.switch.name, 'type', 'veth', 'peer', 'name', 'eth0',
                'netns', ns.name)
            self.switch.run('ip', 'link', 'set', f'port{i}', 'master', 'br0', 'up')
            ns.run('ip', 'address', 'add', (ADDRESSES + [PHONE])[i] + '/16', 'dev', 'eth0')
            ns.run('ip', 'link', 'set', 'eth0', 'up')
        # Phones have addresses of their own, on the loopback of their namespace; the nodes route to it.
        for ns in self.ns:
            ns.run('ip', 'route', 'add', '127.64.0.0/10', 'via', PHONE, check=False)
        self.servers = [None, None]
        self.fleet = None
        self.logs = [self.folder / 'cm1.log', self.folder / 'cm2.log']
        for i in 0, 1:
            self.start(i)
        rows = ['name,model,lines'] + [f'SEP{0x001122000001 + i:012X},{model},{100000 + i}' for i in range(count)]
        (self.folder / 'phones.csv').write_text('\n'.join(rows) + '\n')
        for i in 0, 1:
            for name, address in zip(('cm1', 'cm2'), ADDRESSES):
                self.ask(i, 'server', 'add', address, check=False)
                if self.ask(i, 'callmanager', 'add', name, f'server={address}', check=False).returncode:
                    self.ask(i, 'callmanager', 'set', name, f'server={address}')
            self.ask(i, 'group', 'set', 'Default', 'members=cm1;cm2')
            self.ask(i, 'import', self.folder / 'phones.csv')
            self.ask(i, 'parameter', 'set', f'station_keepalive_interval={keepalive}',
                     f'station_secondary_keepalive={2 * keepalive}', *extra)
            if delayed:
                for k in range(count):
                    self.ask(i, 'phone', 'set', f'SEP{0x001122000001 + k:012X}', 'delayed_failover=yes')
        for i in 0, 1:  # each is told the fingerprint of the other
            shown = json.loads(self.ask(i, 'node', 'token', '--json').stdout)
            self.ask(1 - i, 'node', 'join', shown['name'], f'fingerprint={shown["fingerprint"]}')
        until(lambda: all('"up"' in self.ask(i, 'node', 'list', '--json').stdout for i in (0, 1)))

    def start(self, i):
        words = [DIALTONE, 'serve', '--data', self.folder / f'cm{i + 1}']
        for s in ('run.user=', f'node.name=cm{i + 1}', f'node.address={ADDRESSES[i]}', 'log.level=notice',
                  f'cluster.servers=cm1={FIRST},cm2={SECOND}'):
            words += ['--set', s]
        with open(self.logs[i], 'ab') as log:
            began = log.tell()
            self.servers[i] = self.ns[i].start(*words, stdout=log)
        until(lambda: b'Ready.' in self.logs[i].read_bytes()[began:], 60)

    def ask(self, i, *words, check=True):
        return self.ns[i].run(DIALTONE, '--data', self.folder / f'cm{i + 1}', *words, check=check, timeout=120)

    def registered(self, i):
        """How many are registered there; 0 when the node does not answer."""
        if self.servers[i].poll() is not None:
            return 0
        try:
            done = self.ns[i].run(DIALTONE, '--data', self.folder / f'cm{i + 1}', 'node', 'list', '--json',
                                  check=False, timeout=1)
            return next((r['registered'] for r in json.loads(done.stdout) if r['name'] == f'cm{i + 1}'), 0)
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            return 0

    def boot(self, seconds=600):
        self.fleet = self.phones.start(DIALTONE, 'fleet', '--server', FIRST, '--model', self.model, '--count', self.count,
                                       '--source', '0.0.0.0', '--json', '--duration', seconds,
                                       stdout=open(self.folder / 'fleet.json', 'wb'))
        until(lambda: self.registered(0) == self.count, 120, 0.1)

    # --- what goes wrong ---

    def kill(self, i):
        self.servers[i].send_signal(signal.SIGKILL)
        self.servers[i].wait()

    def halt(self, i):
        self.servers[i].send_signal(signal.SIGSTOP)

    def resume(self, i):
        self.servers[i].send_signal(signal.SIGCONT)

    def unplug(self, i):
        self.switch.run('ip', 'link', 'set', f'port{i}', 'down')

    def plug(self, i):
        self.switch.run('ip', 'link', 'set', f'port{i}', 'up')

    def deafen(self, i):
        """What the phones say goes to an Ethernet address that nobody has; what the node says arrives."""
        self.phones.run('ip', 'neigh', 'replace', ADDRESSES[i], 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud',
                        'permanent')

    def slow(self, i, seconds):
        """It works for half of the time, half a second at once."""
        until_ = time.monotonic() + seconds
        while time.monotonic() < until_:
            self.halt(i)
            time.sleep(0.5)
            self.resume(i)
            time.sleep(0.5)

    def close(self):
        for i in 0, 1:
            if self.servers[i] and self.servers[i].poll() is None:
                self.servers[i].send_signal(signal.SIGCONT)
        for ns in [self.phones] + self.ns + [self.switch]:
            ns.close()

    def curve(self, seconds, step=0.25, done=None):
        """[(seconds since now, at cm1, at cm2)], until `done` or the time is over."""
        rows, begin = [], time.monotonic()
        while True:
            at = time.monotonic() - begin
            rows.append((round(at, 2), self.registered(0), self.registered(1)))
            if at > seconds or (done and done(rows[-1])):
                return rows
            time.sleep(step)


SCENARIOS = {
    'killed': (lambda s: s.kill(0), lambda s: s.start(0)),
    'stopped': (lambda s: s.halt(0), lambda s: s.resume(0)),
    'unplugged': (lambda s: s.unplug(0), lambda s: s.plug(0)),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--count', type=int, default=50)
    parser.add_argument('--scenario', choices=SCENARIOS, default='killed')
    parser.add_argument('--keepalive', type=int, default=30)
    parser.add_argument('--delayed', action='store_true')
    parser.add_argument('--seconds', type=int, default=150)
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(folder, o.count, delayed=o.delayed, keepalive=o.keepalive)
        try:
            site.boot()
            time.sleep(12)  # the standby connections are open then
            fault, cure = SCENARIOS[o.scenario]
            fault(site)
            down = site.curve(o.seconds, 0.1, lambda r: r[2] == o.count)
            cure(site)
            up = site.curve(o.seconds, 0.25, lambda r: r[1] == o.count)
        finally:
            site.close()
    print(json.dumps({'scenario': o.scenario, 'count': o.count, 'seconds_to_backup': down[-1][0], 'at_backup': down[-1][2],
                      'seconds_back': up[-1][0], 'at_first': up[-1][1]}))
    print('# seconds  cm1  cm2')
    for row in down + [(-1, 0, 0)] + up:
        print(*row) if row[0] >= 0 else print('# the first node is back')


if __name__ == '__main__':
    main()
