"""Two nodes with equal databases: they find each other, a phone is registered at one of them only, a node is drained."""
import json
import re
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from conftest import until
from node import Node, dialtone, free_port
from sip_client import Client
from test_registration import KEEPALIVE, KEEPALIVE_ACK, Phone

NAMES = ['cm1', 'cm2']
TOKEN, TOKEN_ACK, TOKEN_REJECT = 0x0029, 0x011a, 0x011b
GUEST = 'SEP001122000001'


class Here:
    """No namespace of its own."""

    @staticmethod
    def inside(function, *arguments):
        return function(*arguments)


class Cluster:
    """Nodes at 127.0.0.1 and 127.0.0.2, which phones know as group Default."""

    def __init__(self, folder, servers=None, introduced=True):
        self.port, self.peer = free_port(), free_port()
        self.tftp, self.http, self.sip = free_port(), free_port(), free_port()
        self.servers = servers or f'cm1=127.0.0.1:{self.peer},cm2=127.0.0.2:{self.peer}'
        self.folders = [folder / name for name in NAMES]
        self.nodes = [None, None]
        for i in 0, 1:
            self.start(i)
        for i in 0, 1:
            for name, address in zip(NAMES, ['127.0.0.1', '127.0.0.2']):
                dialtone(self.folders[i], 'server', 'add', address)
                if dialtone(self.folders[i], 'callmanager', 'add', name, f'server={address}',
                            f'sccp_port={self.port}').returncode:
                    self.ask(i, 'callmanager', 'set', name, f'server={address}', f'sccp_port={self.port}')
            self.ask(i, 'group', 'set', 'Default', 'members=cm1;cm2')
        if introduced:
            self.introduce()

    def introduce(self):
        """Each is told the fingerprint of the other."""
        for i in 0, 1:
            shown = json.loads(self.ask(i, 'node', 'token', '--json'))
            self.ask(1 - i, 'node', 'join', shown['name'], f'fingerprint={shown["fingerprint"]}')

    def start(self, i):
        at = f'127.0.0.{i + 1}'
        self.nodes[i] = Node(self.folders[i], f'node.name={NAMES[i]}', f'node.address={at}', f'listen.address={at}',
                             f'sccp.port={self.port}', f'sip.port={self.sip}', f'tftp.port={self.tftp}', f'files.http_port={self.http}',
                             f'cluster.port={self.peer}', f'cluster.servers={self.servers}')

    def ask(self, i, *words):
        done = dialtone(self.folders[i], *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def both(self, *words):
        for i in 0, 1:
            self.ask(i, *words)

    def states(self, i):
        return {row['name']: row for row in json.loads(self.ask(i, 'node', 'list', '--json'))}

    def up(self):
        until(lambda: all(self.states(i)[NAMES[1 - i]]['state'] == 'up' for i in (0, 1)))
        return self

    def registered(self, i):
        return self.states(i)[NAMES[i]]['registered']

    def knock(self, i, source='127.0.0.1'):
        """A connection to that node."""
        class At:
            port = self.port
        return Phone(At, source, address=f'127.0.0.{i + 1}')

    def phone(self, i, name=GUEST, source='127.0.0.1'):
        phone = self.knock(i, source)
        phone.come_in(name=name)
        return phone

    def sip_phone(self, i, n, source='127.0.0.1'):
        """Its n-th registration, at that node."""
        phone = Client(Here, port=self.sip, source=source, host=f'127.0.0.{i + 1}')
        phone.register(7001, GUEST[3:], 622, call_id=f'{n}@{i}')
        assert phone.final().status == 200
        return phone

    def close(self):
        for node in self.nodes:
            if node and node.process.poll() is None:
                node.stop()


@pytest.fixture
def cluster(tmp_path):
    c = Cluster(tmp_path)
    yield c
    c.close()


def test_a_phone_is_registered_at_one_node_only(cluster):
    cluster.up().both('phone', 'add', GUEST, 'model=7960', 'lines=7001')
    first = cluster.phone(0)
    until(lambda: cluster.registered(0) == 1)
    second = cluster.phone(1)
    until(lambda: cluster.registered(0) == 0 and cluster.registered(1) == 1)
    while first.hear() is not None:  # the old connection is closed
        pass
    third = cluster.phone(0)
    until(lambda: cluster.registered(0) == 1 and cluster.registered(1) == 0)
    assert 'took over' in cluster.ask(1, 'event', 'list')
    second.socket.close()
    third.socket.close()


def test_a_sip_phone_that_goes_to_and_fro_is_at_one_node_only_and_named_with_the_other(cluster):
    cluster.up().both('phone', 'add', GUEST, 'model=7841', 'protocol=sip', 'lines=7001')
    for n in range(7):
        here, there = n % 2, 1 - n % 2
        cluster.sip_phone(here, n).close()
        until(lambda: cluster.registered(here) == 1 and cluster.registered(there) == 0)
        cluster.sip_phone(here, 100 + n).close()  # and starts over: two registrations each time
    said = cluster.ask(0, 'phone', 'show', GUEST)
    assert 'DeviceToggle' in said and re.search('registers and leaves again and again: .*Registrations 6, Interval 600 s, Period [0-9]+ s, Cause', said)
    until(lambda: '[OtherNode=cm2]' in cluster.ask(0, 'event', 'list', '--json'))
    assert 'took over' in cluster.ask(1, 'event', 'list')


def test_a_name_that_is_claimed_at_another_node_stays_where_its_phone_is(cluster):
    cluster.up().both('phone', 'add', GUEST, 'model=7960', 'lines=7001')
    phone = cluster.phone(0, source='127.0.0.50')
    until(lambda: cluster.registered(0) == 1)
    thief = cluster.phone(1, source='127.0.0.51')
    while thief.hear() is not None:  # it is let in, and sent away when the phone has answered
        pass
    until(lambda: cluster.registered(0) == 1 and cluster.registered(1) == 0)
    alarm = until(lambda: [e for e in json.loads(cluster.ask(0, 'event', 'list', '--json')) if 'DuplicateDevice' in json.dumps(e)])
    for words in '[IPAddress=127.0.0.51]', '[OtherIPAddress=127.0.0.50]', '[OtherNode=cm1]':
        assert words in json.dumps(alarm)
    phone.say(KEEPALIVE)
    assert phone.hear() == (KEEPALIVE_ACK, b'')
    moved = cluster.phone(1, source='127.0.0.50')  # the device that has the name may go where it wants
    until(lambda: cluster.registered(0) == 0 and cluster.registered(1) == 1)
    moved.socket.setsockopt(6, 19, 1)  # TCP_REPAIR: gone without FIN, as when it is plugged in elsewhere
    moved.socket.close()
    again = cluster.phone(0, source='127.0.0.52')
    until(lambda: cluster.registered(0) == 1 and cluster.registered(1) == 0)
    again.say(KEEPALIVE)
    assert again.hear() == (KEEPALIVE_ACK, b'')
    for p in phone, again:
        p.socket.close()


def test_a_phone_by_udp_is_asked_when_its_name_is_claimed_at_another_node(cluster):
    cluster.up().both('phone', 'add', GUEST, 'model=7841', 'protocol=sip', 'lines=7001')
    phone = cluster.sip_phone(0, 1, source='127.0.0.50')
    until(lambda: cluster.registered(0) == 1)
    phone.answer_at_once()
    thief = cluster.sip_phone(1, 2, source='127.0.0.51')
    until(lambda: 'OPTIONS' in [m.method for m in phone.heard])
    alarm = until(lambda: [e for e in json.loads(cluster.ask(0, 'event', 'list', '--json')) if 'DuplicateDevice' in json.dumps(e)])
    for words in '[IPAddress=127.0.0.51]', '[OtherIPAddress=127.0.0.50]', '[OtherNode=cm1]':
        assert words in json.dumps(alarm)
    until(lambda: cluster.registered(0) == 1 and cluster.registered(1) == 0)
    thief.close()
    phone.close()


class Crowd(threading.Thread):
    """Somebody who has as many connections to the port of nodes as he gets, and says nothing."""

    def __init__(self, cluster):
        super().__init__()
        self.at, self.leaves = ('127.0.0.1', cluster.peer), threading.Event()
        self.start()

    @staticmethod
    def lasts(s):
        try:
            return s.recv(1) != b''
        except BlockingIOError:
            return True
        except OSError:
            return False

    def run(self):
        held = []
        while not self.leaves.wait(0.05):
            held = [s for s in held if self.lasts(s)]
            for _ in range(40 - len(held)):
                held.append(socket.create_connection(self.at, 60, ('127.0.0.9', 0)))
                held[-1].setblocking(False)
        for s in held:
            s.close()


def test_what_was_registered_before_the_nodes_met_is_told_too(cluster):
    cluster.up().both('phone', 'add', GUEST, 'model=7960', 'lines=7001')
    cluster.nodes[1].kill()
    until(lambda: cluster.states(0)['cm2']['state'] == 'down')
    first = cluster.phone(0)
    crowd = Crowd(cluster)
    cluster.start(1)
    try:
        until(lambda: cluster.states(1)['cm1']['state'] == 'up')
    finally:
        crowd.leaves.set()
    cluster.up()
    second = cluster.phone(1)  # cm2 has heard of it by the snapshot, and tells that it is here now
    until(lambda: cluster.registered(0) == 0 and cluster.registered(1) == 1)
    said = cluster.ask(0, 'event', 'list')
    assert 'SDLLinkOOS' in said and 'SDLLinkISV' in said
    first.socket.close()
    second.socket.close()


def test_a_node_is_drained_and_takes_phones_again(cluster):
    cluster.up().both('phone', 'add', GUEST, 'model=7960', 'lines=7001')
    phone = cluster.phone(0)
    until(lambda: cluster.registered(0) == 1)
    cluster.both('parameter', 'set', 'drain_rate=1000')
    assert 'shows how many are left' in cluster.ask(0, 'node', 'drain')
    until(lambda: cluster.registered(0) == 0)  # after the five seconds for which a newcomer is left alone
    while phone.hear() is not None:
        pass
    assert cluster.states(0)['cm1']['state'] == 'draining'
    until(lambda: cluster.states(0)['cm1']['about'] == '1 sent away: all phones have left')
    until(lambda: cluster.states(1)['cm1']['state'] == 'draining')

    back = cluster.knock(0)
    token = GUEST.encode().ljust(16, b'\0') + struct.pack('<IIIII', 0, 1, 0x0100007f, 7, 0)
    back.say(TOKEN, token)
    assert back.hear() == (TOKEN_REJECT, struct.pack('<I', 60))
    cluster.ask(0, 'node', 'resume')
    back.say(TOKEN, token)
    assert back.hear()[0] == TOKEN_ACK
    back.socket.close()
    cluster.ask(0, 'group', 'set', 'Default', 'members=cm2')
    assert 'no group names this node' in cluster.ask(0, 'node', 'drain')


def test_phones_that_have_no_other_node_stay(cluster):
    cluster.up().both('phone', 'add', GUEST, 'model=7960', 'lines=7001')
    cluster.nodes[1].kill()
    until(lambda: cluster.states(0)['cm2']['state'] == 'down')
    phone = cluster.phone(0)
    refused = dialtone(cluster.folders[0], 'node', 'drain')
    assert refused.returncode and 'No other node of group Default is up' in refused.stderr
    cluster.ask(0, 'node', 'drain', '--force')
    phone.hear_nothing(6.5)
    assert cluster.registered(0) == 1
    until(lambda: cluster.states(0)['cm1']['about'] == '0 sent away, 0 off hook, 1 have no other node that is up')
    phone.socket.close()


def stranger(folder, name):
    """A TLS context with a certificate of that name that it has signed itself."""
    key, certificate = folder / f'{name}.key', folder / f'{name}.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', f'/CN={name}', '-keyout', key, '-out', certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(certificate, key)
    return context


def hello(node, version):
    body = node.encode().ljust(51, b'\0') + version.encode().ljust(24, b'\0') + b'StandAloneCluster'.ljust(51, b'\0')
    return struct.pack('<II', 4 + len(body), 1) + body


def ends(s):
    """The other side closes it, one way or another."""
    try:
        while s.recv(4096):
            pass
    except OSError:
        pass
    s.close()


def test_strangers_are_not_taken(cluster, tmp_path):
    cluster.up()
    s = socket.create_connection(('127.0.0.1', cluster.peer), 60, ('127.0.0.9', 0))  # no address of a node
    ends(stranger(tmp_path, 'cm9').wrap_socket(s, do_handshake_on_connect=False))
    s = socket.create_connection(('127.0.0.1', cluster.peer), 60, ('127.0.0.2', 0))  # no TLS
    s.sendall(b'\xff' * 64)
    ends(s)
    version = cluster.states(0)['cm1']['version']
    for said, words in ((hello('cm2', '99.9'), b'another version'), (hello('cm2', version), b'fingerprint'),
                        (hello('cm7', version), b'nobody here knows')):
        s = socket.create_connection(('127.0.0.1', cluster.peer), 60, ('127.0.0.2', 0))
        s = stranger(tmp_path, 'cm2').wrap_socket(s)  # its address, its name, its own certificate
        s.sendall(said)
        answer = s.recv(4096)
        assert struct.unpack_from('<III', answer)[1:] == (2, 0) and words in answer
        ends(s)
    s = stranger(tmp_path, 'cm2').wrap_socket(socket.create_connection(('127.0.0.1', cluster.peer), 60, ('127.0.0.2', 0)))
    s.sendall(b'\xff' * 64)
    ends(s)
    told = lambda: [e['parameters'] for e in json.loads(cluster.ask(0, 'event', 'list', '--json')) if e['alarm'] == 'NodeNotTrusted']
    # once a minute a node, and once more with a certificate
    until(lambda: {'[Fingerprint=' in words for words in told() if '[RemoteNode=cm2]' in words} == {False, True})
    cluster.up()


def test_nodes_link_once_each_knows_the_fingerprint_of_the_other(tmp_path):
    c = Cluster(tmp_path, introduced=False)
    try:
        until(lambda: all('NodeNotTrusted' in c.ask(i, 'event', 'list') for i in (0, 1)))
        assert c.states(0)['cm2']['state'] == 'down'
        until(lambda: 'fingerprint' in c.states(0)['cm2']['about'])
        assert dialtone(c.folders[0], 'node', 'join', 'cm2', 'fingerprint=12:34').returncode
        c.introduce()
        c.up()
    finally:
        c.close()
