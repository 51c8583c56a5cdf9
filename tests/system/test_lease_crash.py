"""kill -9 while phones boot: no lease that was acknowledged is lost, no address has two owners (DHCP-1).

DIALTONE_CRASH_ROUNDS says how often (default 6)."""
import os
import random
import socket
import struct
import threading
import time

import pytest

from node import Node

ROUNDS = int(os.environ.get('DIALTONE_CRASH_ROUNDS', '6'))
PORT = 23067
PHONES = 3000
WINDOW = 64  # exchanges under way at once
COOKIE = b'\x63\x82\x53\x63'
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
SETTINGS = ['dhcp.interfaces=lo', f'dhcp.port={PORT}']


def packet(kind, number, relay, address=0, server=0):
    """A phone's message as its relay agent passes it on; the transaction is the number of the phone."""
    mac = b'\x02\x00' + struct.pack('>I', number)
    head = struct.pack('>BBBBIHHIIII', 1, 1, 6, 1, number, 0, 0, 0, 0, 0, relay) + mac.ljust(16, b'\0')
    options = bytes([53, 1, kind])
    if address:
        options += b'\x32\x04' + struct.pack('>I', address)
    if server:
        options += b'\x36\x04' + struct.pack('>I', server)
    return head + bytes(192) + COOKIE + options + b'\xff'


def read(data):
    """(kind, phone, address, server) of an answer."""
    number, address = struct.unpack_from('>I', data, 4)[0], struct.unpack_from('>I', data, 16)[0]
    kind = server = 0
    at = 240
    while at < len(data) and data[at] != 255:
        if data[at] == 53:
            kind = data[at + 2]
        elif data[at] == 54:
            server = struct.unpack_from('>I', data, at + 2)[0]
        at += 2 + data[at + 1] if data[at] else 1
    return kind, number, address, server


class Relay:
    """Phones behind 127.0.0.2; `leases` is what was acknowledged to each."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.2', 0))
        self.socket.settimeout(0.2)
        self.relay = 0x7f000002
        self.leases = {}

    def close(self):
        self.socket.close()

    def send(self, *words, **more):
        self.socket.sendto(packet(*words, relay=self.relay, **more), ('127.0.0.1', PORT))

    def answer(self):
        try:
            return read(self.socket.recv(1500))
        except TimeoutError:
            return None

    def boot_until(self, stop, seed):
        """All phones boot again and again, in any order, until there is no server."""
        choose = random.Random(seed)
        silent = 0
        for _ in range(WINDOW):
            self.send(DISCOVER, choose.randrange(PHONES))
        while not stop.is_set() or silent < 2:
            heard = self.answer()
            if heard is None:
                silent += 1
                if not stop.is_set():  # something was lost: go on
                    self.send(DISCOVER, choose.randrange(PHONES))
                continue
            silent = 0
            kind, number, address, server = heard
            if kind == OFFER:
                self.send(REQUEST, number, address=address, server=server)
                continue
            if kind == ACK:
                self.leases[number] = address
            if not stop.is_set():
                self.send(DISCOVER, choose.randrange(PHONES))

    def check(self):
        """Each phone comes back as after a power cut and says what it has (INIT-REBOOT)."""
        refused = []
        waiting = dict(self.leases)
        tries = 0
        while waiting and tries < 100:
            tries += 1
            for batch in [list(waiting)[i:i + WINDOW] for i in range(0, len(waiting), WINDOW)]:
                for number in batch:
                    self.send(REQUEST, number, address=self.leases[number])
                while any(number in waiting for number in batch):
                    heard = self.answer()
                    if heard is None:
                        break
                    kind, number, address, _ = heard
                    if kind == NAK or (kind == ACK and address != self.leases[number]):
                        refused.append(number)
                    waiting.pop(number, None)
        return refused, waiting


def start(folder, nodes):
    node = Node(folder, *SETTINGS)
    nodes.append(node)
    control = node.control()
    return node, control


def configure(control):
    """Addresses of the loopback network all answer an echo request: no probes here."""
    answers = [control.ask('parameter', 'set', fields={'dhcp_probe_time': '0'}),
               control.ask('scope', 'add', 'loop', {'subnet': '127.0.0.0/8', 'first': '127.5.0.0',
                                                    'last': '127.5.15.255'})]
    assert all(answer['status'] == 0 for answer in answers), answers


def wait_for_service(control):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = control.ask('scope', 'status')
        if answer['status'] == 0 and answer.get('rows'):
            return
        time.sleep(0.05)
    raise AssertionError('the scope is not in use')


@pytest.fixture
def relay():
    relay = Relay()
    yield relay
    relay.close()


@pytest.fixture
def nodes():
    """All servers of the test; the last one may be alive when an assertion fails."""
    nodes = []
    yield nodes
    if nodes and nodes[-1].process.returncode is None:
        nodes[-1].kill()


def test_no_acknowledged_lease_is_lost(tmp_path, relay, nodes):
    node, control = start(tmp_path, nodes)
    configure(control)
    for round_number in range(ROUNDS):
        wait_for_service(control)
        stop = threading.Event()
        phones = threading.Thread(target=relay.boot_until, args=(stop, round_number))
        before = len(relay.leases)
        phones.start()
        deadline = time.monotonic() + 60
        while len(relay.leases) == before < PHONES and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(random.Random(round_number).uniform(0, 1))  # the moment of the crash
        control.close()
        node.kill()
        stop.set()
        phones.join()
        assert len(relay.leases) > before or before == PHONES
        owners = list(relay.leases.values())
        assert len(owners) == len(set(owners)), 'an address was given twice'
        node, control = start(tmp_path, nodes)
        wait_for_service(control)
        refused, silent = relay.check()
        assert not refused, f'{len(refused)} of {len(relay.leases)} leases were lost'
        assert not silent, f'{len(silent)} of {len(relay.leases)} phones got no answer'
    control.close()
    assert node.stop() == 0
