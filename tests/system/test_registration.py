"""Phones made of raw sockets, nothing of ours, before a running server: registered, refused, replaced, lost, reset."""
import socket
import struct
import time

import pytest

from node import Node, free_port

KEEPALIVE, REGISTER, UNREGISTER, CAPABILITIES = 0x0000, 0x0001, 0x0027, 0x0010
REGISTER_ACK, CAPABILITIES_REQ, REJECT, RESET = 0x0081, 0x009b, 0x009d, 0x009f
KEEPALIVE_ACK, UNREGISTER_ACK = 0x0100, 0x0118
PHONE = 'SEP0019E8C0FFEE'


@pytest.fixture
def node(tmp_path):
    port = free_port()
    node = Node(tmp_path, f'sccp.port={port}')
    node.port = port
    control = node.control()
    node.ask = lambda *a, **k: control.ask(*a, **k)
    added = node.ask('phone', 'add', PHONE, {'model': '7960', 'lines': '7001;7002'})
    assert 'error' not in added, added
    yield node
    control.close()
    assert node.stop() == 0


class Phone:
    def __init__(self, node, source='127.0.0.1', address='127.0.0.1'):
        self.socket = socket.create_connection((address, node.port), 60, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(60)
        self.bytes = b''

    def say(self, message, body=b''):
        self.socket.sendall(struct.pack('<III', 4 + len(body), 0, message) + body)

    def hear(self):
        """(id, body), or None at the end of the connection."""
        while len(self.bytes) < 12 or len(self.bytes) < 8 + struct.unpack_from('<I', self.bytes)[0]:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.bytes += more
        length, _, message = struct.unpack_from('<III', self.bytes)
        body, self.bytes = self.bytes[12:8 + length], self.bytes[8 + length:]
        return message, body

    def hear_nothing(self, seconds):
        self.socket.settimeout(seconds)
        try:
            with pytest.raises(TimeoutError):
                self.hear()
        finally:
            self.socket.settimeout(60)

    def claim(self, name=PHONE, model=7, version=11):
        self.say(REGISTER, name.encode().ljust(16, b'\0') + struct.pack('<II', 0, 1) + bytes([127, 0, 0, 1]) +
                 struct.pack('<III', model, 0, 0) + bytes([version, 0, 0x60, 0x85]) + struct.pack('<II', 0, 0))

    def register(self, *which, **how):
        self.claim(*which, **how)
        return self.hear()

    def come_in(self, **how):
        message, body = self.register(**how)
        assert message == REGISTER_ACK
        assert self.hear() == (CAPABILITIES_REQ, b'')
        self.say(CAPABILITIES, struct.pack('<IIIII', 1, 4, 20, 0, 0))
        return body


def status(node, name=PHONE):
    return node.ask('phone', 'show', name)['record']['status']


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_register_ack_is_that_of_a_real_server(node):
    phone = Phone(node)
    assert phone.come_in() == bytes.fromhex('1e000000 4d2f442f59000000 3c000000 0b20f1ff')
    until(lambda: status(node) == 'registered')


def test_unknown_phone_is_told_so_and_listed(node):
    phone = Phone(node)
    assert phone.register('SEP00D0B7AA0001') == (REJECT, b'Error: DB Config'.ljust(32, b'\0'))
    assert phone.hear() is None  # the server closes when the phone does not
    until(lambda: any('SEP00D0B7AA0001' in row for row in node.ask('unknown', 'list')['rows']))


def test_wrong_type_is_told_so(node):
    assert Phone(node).register(model=30018) == (REJECT, b'Error: Mismatch'.ljust(32, b'\0'))
    until(lambda: status(node) == 'rejected')


@pytest.mark.parametrize('model', [50, 51, 110, 47, 90, 131])
def test_a_device_that_is_no_phone_is_refused(node, model):
    """Conference bridges, music on hold, media termination points, gateways: not under a phone's name, nor their own."""
    assert Phone(node).register(model=model) == (REJECT, b'Error: Mismatch'.ljust(32, b'\0'))
    assert Phone(node).register('CFB0019E8C0FFEE', model=model)[0] == REJECT
    until(lambda: status(node) == 'rejected')


def test_phones_register_over_ipv6(node):
    phone = Phone(node, '::1', '::1')
    phone.come_in()
    until(lambda: status(node) == 'registered')
    assert node.ask('phone', 'show', PHONE)['record']['address'] == '::1'


def test_keepalive_is_acknowledged_only_where_the_phone_is_registered(node):
    standby, phone = Phone(node), Phone(node)
    phone.come_in()
    phone.say(KEEPALIVE)
    assert phone.hear() == (KEEPALIVE_ACK, b'')
    standby.say(KEEPALIVE)
    standby.hear_nothing(0.3)


def test_a_phone_that_comes_back_replaces_its_old_connection(node):
    old, new = Phone(node), Phone(node)
    old.come_in()
    new.come_in()
    assert old.hear() is None
    until(lambda: status(node) == 'registered')
    old.socket.close()
    new.say(KEEPALIVE)
    assert new.hear() == (KEEPALIVE_ACK, b'')


def test_silence_is_noticed_after_three_intervals(node):
    node.ask('parameter', 'set', None, {'station_keepalive_interval': '1'})
    phone = Phone(node)
    begin = time.monotonic()
    phone.come_in()
    assert phone.hear() is None
    assert time.monotonic() - begin > 2.5  # and when exactly: tests/unit/station_sccp.c
    until(lambda: status(node) == 'unregistered')


def test_reset_reaches_the_phone_and_unregister_is_answered(node):
    phone = Phone(node)
    phone.come_in()
    until(lambda: status(node) == 'registered')
    node.ask('phone', 'reset', names=[PHONE])
    assert phone.hear() == (RESET, struct.pack('<I', 1))
    phone.say(UNREGISTER)
    assert phone.hear() == (UNREGISTER_ACK, struct.pack('<I', 0))
    assert phone.hear() is None
    until(lambda: status(node) == 'unregistered')


def test_what_is_no_sccp_is_closed_and_disturbs_nobody(node):
    phone = Phone(node)
    phone.come_in()
    for nonsense in b'GET / HTTP/1.1\r\n\r\n', b'\0' * 100, b'\xff' * 100, b'\x16\x03\x01\x02\0\x01':
        stranger = Phone(node)
        stranger.socket.sendall(nonsense)
        assert stranger.hear() is None
    half = [Phone(node) for _ in range(50)]
    for h in half:
        h.socket.sendall(b'\x80\0\0\0\0')
    phone.say(KEEPALIVE)
    assert phone.hear() == (KEEPALIVE_ACK, b'')


def test_stopping_the_service_closes_and_starting_welcomes(node):
    phone = Phone(node)
    phone.come_in()
    until(lambda: status(node) == 'registered')
    node.ask('service', 'stop', 'callmanager')
    assert phone.hear() is None
    until(lambda: status(node) == 'unregistered')
    node.ask('service', 'start', 'callmanager')
    again = Phone(node)
    again.come_in()
    until(lambda: status(node) == 'registered')
