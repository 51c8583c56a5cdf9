"""Clients that say half a message and sleep, or nothing at all, in numbers; and a phone that wants to work."""
import resource
import select
import socket
import struct

import pytest

from conftest import CLIENT, SERVER, until
from sccp_client import Phone, KEEPALIVE, KEEPALIVE_ACK

NAME = 'SEP001D45AA0001'
MANY = 10000  # connections at a time
ROUNDS = 5    # of each of two kinds: 100 000 in all


@pytest.fixture
def office(lan, server):
    lan.address()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 60000), hard))
    for i in range(3, 6):  # more source addresses, more ports
        lan.client.run('ip', 'address', 'add', f'10.98.0.{i}/16', 'dev', 'eth0')
    for ns in lan.client, lan.server:
        ns.run('sh', '-c', 'echo 8192 65000 >/proc/sys/net/ipv4/ip_local_port_range')
    lan.server.run('sh', '-c', 'echo 65535 >/proc/sys/net/core/somaxconn')  # what the server asks for; a busy one accepts late
    # A closed port of the client is free at once: looking for one among tens of thousands takes a millisecond.
    lan.client.run('sh', '-c', 'echo 0 >/proc/sys/net/ipv4/tcp_max_tw_buckets')
    server.start('files.http_port=6970')
    server.add_phone(NAME, '7960')
    yield server
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def crowd(lan, n, say, port=2000):
    """n connections that say something and then nothing more."""
    def connect():
        made = []
        for _ in range(n):
            s = socket.socket()
            s.setblocking(False)
            try:
                s.connect_ex((SERVER, port))
                made.append(s)
            except OSError:
                s.close()
                break
        return made
    made = lan.client.inside(connect)
    for s in made:
        try:
            s.send(say)
        except OSError:
            pass  # not open yet, or refused: that is the server's right
    return made


HALF_REGISTER = struct.pack('<III', 56, 0, 1) + b'SEP0000'


def works(lan, p=None):
    p = p or Phone(lan.client.connect(2000), NAME, 7, 6, CLIENT)
    if not p.negotiated:
        p.register()
    p.send(KEEPALIVE)
    p.wait(KEEPALIVE_ACK)
    return p


@pytest.mark.parametrize('say', [b'', HALF_REGISTER], ids=['nothing', 'half a Register'])
def test_a_crowd_of_sleepers_does_not_stop_a_phone(lan, office, say):
    p = works(lan)
    before = office.memory_kb()
    for _ in range(ROUNDS):
        made = crowd(lan, MANY, say)
        works(lan, p)
        for s in made:
            s.close()
    works(lan, p)
    works(lan)  # and a new one gets in
    assert office.memory_kb() - before < 400_000


def test_http_sleepers_do_not_stop_files(lan, office):
    lan.client.run('ip', 'address', 'add', '10.98.0.77/16', 'dev', 'eth0')
    made = crowd(lan, 5000, b'GET /x HT', 6970)
    for source in '10.98.0.77', CLIENT:  # from elsewhere, and from the address that all of them have
        lan.client.run('curl', '-sf', '-m', '60', '--interface', source, '-o', '/dev/null',
                       f'http://{SERVER}:6970/{NAME}.cnf.xml')
    gave_way, = [row['value'] for row in office.json('counter', 'list') if row['name'] == 'HttpConnectionsGaveWay']
    assert gave_way > 0
    s = lan.client.udp()
    s.sendto(b'\0\1' + NAME.encode() + b'.cnf.xml\0octet\0', (SERVER, 69))
    assert s.recv(1000).startswith(b'\0\3')
    for m in made:
        m.close()


def test_tftp_clients_that_never_acknowledge_do_not_stop_others(lan, office):
    def ask():
        made = []
        for _ in range(3000):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.sendto(b'\0\1' + NAME.encode() + b'.cnf.xml\0octet\0', (SERVER, 69))
            made.append(s)
        return made
    made = lan.client.inside(ask)
    lan.client.run('ip', 'address', 'add', '10.98.0.77/16', 'dev', 'eth0')
    s = lan.client.udp()
    s.bind(('10.98.0.77', 0))
    s.sendto(b'\0\1nothing\0octet\0', (SERVER, 69))
    assert s.recv(1000).startswith(b'\0\5\0\1')
    for m in made:
        m.close()


def test_ten_thousand_that_connect_at_once_all_get_in(lan, office):
    """The backlog is deep: no SYN has to be sent again."""
    made = crowd(lan, MANY, b'')
    assert len(made) == MANY
    poll = select.poll()
    for s in made:
        poll.register(s, select.POLLOUT)
    open_ = set()

    def all_open():
        open_.update(fd for fd, event in poll.poll(100) if event & select.POLLOUT and not event & select.POLLERR)
        return len(open_) >= len(made)
    until(all_open, 60)
    again = int(lan.client.run('sh', '-c', "awk '/^Tcp:/ {n++; if (n == 2) print $13}' /proc/net/snmp").stdout)
    assert again < 50, 'segments sent again'
    for s in made:
        s.close()
    works(lan)
