"""Fixtures of the system tests: namespaces of their own, a real server, captures that tshark judges.

Nothing is waited for by sleeping: the server says when it is ready, foreign programs end, and what must become
true is asked for until a deadline. Deadlines are for what will never happen: a slow machine that does ten other
things must not reach them. Each pytest process (several run side by side) lives in a network namespace of its own,
so that ports of 127.0.0.1 are everybody's own."""
import ctypes
import functools
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

DIALTONE = str(pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve())
SERVER = '10.98.0.1'
CLIENT = '10.98.0.2'
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def run(*words, timeout=120, check=True, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=timeout, **more)
    assert not check or done.returncode == 0, f'{words}: status {done.returncode}\n{done.stdout}{done.stderr}'
    return done


def pytest_configure():
    if os.geteuid() == 0:
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        run('ip', 'link', 'set', 'lo', 'up')


def until(truth, seconds=60, step=0.05):
    """Asks again and again; returns what was true, fails at the deadline with the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = truth()
        if answer or time.monotonic() > deadline:
            assert answer, f'not within {seconds} s'
            return answer
        time.sleep(step)


class Machine(threading.Thread):
    """What the machine did meanwhile: how long it stood still at worst (somebody who only sleeps was woken so late), and how
    many there were for each processor on the average."""

    def __enter__(self):
        self.over, self.still, self.crowd, self.looks = threading.Event(), 0, 0, 0
        self.start()
        return self

    def busy(self):
        return self.still > 0.2 or self.crowd > 2 * os.cpu_count() * self.looks

    def __exit__(self, *error):
        self.over.set()
        self.join()

    def run(self):
        now = time.monotonic()
        while not self.over.wait(0.05):
            before, now = now, time.monotonic()
            self.still = max(self.still, now - before - 0.05)
            self.crowd += int(pathlib.Path('/proc/loadavg').read_text().split()[3].split('/')[0])
            self.looks += 1


def in_time(test):
    """For tests of what real time does to phones whose patience is a second: when the machine stood still for a good part of it,
    or had too much to do, nothing is shown by a failure, and the test begins anew."""
    @functools.wraps(test)
    def again(tmp_path, **more):
        for left in 2, 1, 0:
            folder = tmp_path / str(left)
            folder.mkdir()
            with Machine() as machine:
                try:
                    return test(tmp_path=folder, **more)
                except AssertionError:
                    if not left or not machine.busy():
                        raise
    return again


class Namespace:
    """A network namespace; what runs in it is killed with it."""

    def __init__(self, name):
        self.name = name
        run('ip', 'netns', 'add', name)
        self.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6;'
                 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up')
        self.children = []

    def words(self, words):
        return ['ip', 'netns', 'exec', self.name] + [str(w) for w in words]

    def run(self, *words, **more):
        return run(*self.words(words), **more)

    def start(self, *words, **more):
        child = subprocess.Popen(self.words(words), stdout=more.pop('stdout', subprocess.PIPE),
                                 stderr=subprocess.STDOUT, text=True, **more)
        self.children.append(child)
        return child

    def inside(self, function, *arguments):
        """Runs a Python function in the namespace: sockets that it makes stay there."""
        result = []

        def enter():
            fd = os.open(f'/run/netns/{self.name}', os.O_RDONLY)
            try:
                if libc.setns(fd, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), 'setns')
                result.append(function(*arguments))
            except BaseException as error:  # handed to the caller's thread
                result.append(error)
            finally:
                os.close(fd)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if isinstance(result[0], BaseException):
            raise result[0]
        return result[0]

    def connect(self, port, address=SERVER, timeout=60):
        return self.inside(lambda: socket.create_connection((address, port), timeout))

    def udp(self):
        def make():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(60)
            return s
        return self.inside(make)

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()
        pids = run('ip', 'netns', 'pids', self.name, check=False).stdout.split()
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        run('ip', 'netns', 'delete', self.name, check=False)


class Lan:
    """Two namespaces and a cable: `server` has eth0 10.98.0.1, `client` has eth0 and, when asked, 10.98.0.2."""

    def __init__(self, name):
        self.server = Namespace(name + 's')
        self.client = Namespace(name + 'c')
        self.folders = []  # removed at the end
        run('ip', 'link', 'add', 'eth0', 'netns', self.server.name, 'type', 'veth', 'peer', 'name', 'eth0',
            'netns', self.client.name)
        for ns in self.server, self.client:
            ns.run('ip', 'link', 'set', 'eth0', 'up')
        self.server.run('ip', 'address', 'add', SERVER + '/16', 'dev', 'eth0')
        for ns in self.server, self.client:  # until then what is sent is dropped
            until(lambda: 'state UP' in ns.run('ip', '-o', 'link', 'show', 'eth0').stdout)

    def address(self, address=CLIENT + '/16'):
        self.client.run('ip', 'address', 'replace', address, 'dev', 'eth0')
        return self

    def mac(self):
        return self.client.run('cat', '/sys/class/net/eth0/address').stdout.strip()

    def close(self):
        self.client.close()
        self.server.close()
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)


class Server:
    """`dialtone serve` in the server's namespace."""

    def __init__(self, lan, folder):
        self.lan, self.folder = lan, pathlib.Path(folder)
        self.data = self.folder / 'data'
        self.log = self.folder / 'server.log'
        self.settings, self.process = [], None

    def start(self, *settings, ready=True, **more):
        """Returns when it prints that it is ready (or, with ready=False, at once)."""
        self.settings = list(settings) or self.settings
        words = [DIALTONE, 'serve', '--data', self.data]
        # Tests of TLS say so: certificates of a new data folder take a quarter of a second.
        for s in ['run.user=', f'node.address={SERVER}', 'node.name=test', 'sccp.tls_port=0', 'sip.tls_port=0'] + self.settings:
            words += ['--set', s]
        with open(self.log, 'ab') as log:
            self.began = log.tell()
            self.process = self.lan.server.start(*words, stdout=log, **more)
        if ready:
            until(lambda: 'Ready.' in self.output() or self.process.poll() is not None, 60)
            assert self.process.poll() is None, self.output()
        return self

    def output(self):
        return self.log.read_bytes()[self.began:].decode(errors='replace')

    def pid(self):
        """Of the program itself: `ip netns exec` replaces itself by it."""
        return self.process.pid

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait(60)

    def ask(self, *words, check=True):
        """An administration command; its text."""
        return self.lan.server.run(DIALTONE, *words, '--data', self.data, check=check)

    def json(self, *words):
        return json.loads(self.ask(*words, '--json').stdout)

    def row(self, name, *words):
        """The row of a list that has this name, or {}."""
        return next((r for r in self.json(*words) if name in (r.get('name'), r.get('number'))), {})

    def status(self, name):
        return self.row(name, 'status', 'list').get('status', '')

    def add_phone(self, name, model, lines='7001', **fields):
        self.ask('phone', 'add', name, f'model={model}', f'lines={lines}', *(f'{k}={v}' for k, v in fields.items()))

    def add_scope(self, **fields):
        words = dict(subnet='10.98.0.0/16', first='10.98.1.1', last='10.98.200.254', routers=SERVER, dns=SERVER,
                     domain='example.com', lease_seconds='3600')
        words.update(fields)
        self.ask('scope', 'add', 'test', *(f'{k}={v}' for k, v in words.items()))

    def memory_kb(self):
        for line in open(f'/proc/{self.pid()}/status', encoding='ascii'):
            if line.startswith('VmRSS'):
                return int(line.split()[1])
        return 0


class Capture:
    """What passes an interface of a namespace (None: our own), as a file that tshark reads."""

    def __init__(self, ns, path, interface='eth0'):
        self.path = path
        self.socket = ns.inside(self.open, interface) if ns else self.open(interface)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.record)
        self.thread.start()

    @staticmethod
    def open(interface='eth0'):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        s.bind((interface, 0))
        s.settimeout(0.05)
        return s

    def record(self):
        with open(self.path, 'wb') as f:
            f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            while True:
                try:
                    frame = self.socket.recv(65536)
                except socket.timeout:
                    if self.over.is_set():
                        return
                    continue
                now = time.time()
                f.write(struct.pack('<IIII', int(now), int(now % 1 * 1e6), len(frame), len(frame)) + frame)

    def close(self):
        if not self.over.is_set():
            self.over.set()
            self.thread.join()
            self.socket.close()
        return self.path


# What tshark calls unusual although it is as the protocol wants it.
HARMLESS = ('This frame is a (suspected)', 'This frame initiates', 'This frame undergoes', 'Possible traceroute',
            'Connection establish', 'Connection finish', 'Connection reset',
            'TCP keep-alive', 'Duplicate ACK', 'Out-Of-Order', 'Duplicate IP address', 'ACKed segment that wasn', 'Previous segment',
            'This session reuses', 'A new tcp session is started with the same ports', 'TCP window', 'TCP Zero Window', 'D-SACK', 'TFTP ERROR packet', 'GET /', 'HTTP/1.1', 'Gratuitous ARP', 'ARP packet storm',
            'Unrecognised SIP header (content-id)',       # CallManager's REFER has one
            'Unrecognised SIP header (remote-party-id)')  # and a phone's that asks for a token


def judge(path, filter_='', decode=()):
    """tshark reads all of it: nothing malformed, nothing that it calls a protocol error."""
    words = ['tshark', '-n', '-r', path, '-T', 'fields', '-e', 'frame.number', '-e', 'frame.protocols',
             '-e', '_ws.malformed', '-e', '_ws.expert.message', '-E', 'occurrence=a', '-E', 'aggregator=|']
    if filter_:
        words += ['-Y', filter_]
    for d in decode:
        words += ['-d', d]
    lines = [line.split('\t') for line in run(*words).stdout.splitlines()]
    wrong = []
    for number, protocols, malformed, experts in lines:
        bad = [e for e in experts.split('|') if e and not e.startswith(HARMLESS)]
        if malformed or bad or 'malformed' in protocols:
            wrong.append((number, protocols, malformed, bad))
    assert not wrong, wrong[:10]
    return len(lines)


def tree(path, filter_, decode=()):
    """The full text of the packets that fit, to look for unknown fields."""
    words = ['tshark', '-n', '-r', path, '-V', '-Y', filter_]
    for d in decode:
        words += ['-d', d]
    return run(*words).stdout


counter = 0


@pytest.fixture
def lan():
    global counter
    counter += 1
    lan = Lan(f'dt{os.getpid()}-{counter}')
    yield lan
    lan.close()


@pytest.fixture
def server(lan, tmp_path):
    """Not started yet: the test says with which settings."""
    s = Server(lan, tmp_path)
    yield s
    if s.process and s.process.poll() is None:
        s.kill(signal.SIGTERM)
    if s.process and s.log.exists():
        text = s.log.read_text(errors='replace')
        assert 'AddressSanitizer' not in text and 'runtime error' not in text and 'LeakSanitizer' not in text, text


@pytest.fixture
def capture(lan, tmp_path):
    """capture('server') or capture('client') begins; .close() ends and gives the path."""
    made = []

    def begin(which='server'):
        made.append(Capture(getattr(lan, which), tmp_path / f'{which}{len(made)}.pcap'))
        return made[-1]
    yield begin
    for c in made:
        c.close()
