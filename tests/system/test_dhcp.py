"""Addresses, asked for by udhcpc, dhclient and perfdhcp, and by hand where they cannot."""
import itertools
import os
import re
import signal
import struct
import threading
import time

import pytest

from conftest import CLIENT, SERVER, Capture, judge, run, tree

DHCP = ['dhcp.interfaces=eth0', 'tftp.port=0', 'files.http_port=0']


@pytest.fixture
def office(lan, server):
    server.start(*DHCP)
    server.add_scope()
    return server


def udhcpc(lan, tmp_path, *words):
    script = tmp_path / 'script'
    script.write_text('#!/bin/sh\nenv >>' + str(tmp_path / 'env') + '\n'
                      'case $1 in bound|renew) ip address replace $ip/$mask dev $interface;; '
                      'deconfig) ip address flush dev $interface;; esac\n')
    script.chmod(0o755)
    (tmp_path / 'env').unlink(missing_ok=True)
    done = lan.client.run('udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '8', '-T', '1', '-s', script, *words, check=False)
    env = (tmp_path / 'env').read_text() if (tmp_path / 'env').exists() else ''
    return done, dict(line.split('=', 1) for line in env.splitlines() if '=' in line)


def test_udhcpc_gets_an_address_and_all_a_phone_needs(lan, office, tmp_path, capture):
    seen = capture()
    done, env = udhcpc(lan, tmp_path, '-O', '150', '-O', 'tftp', '-V', 'Cisco Systems, Inc. IP Phone CP-7960G')
    assert done.returncode == 0, done.stderr
    assert env['ip'].startswith('10.98.') and env['router'] == SERVER and env['serverid'] == SERVER
    assert env['siaddr'] == SERVER and env['tftp'] == SERVER and env['lease'] == '3600'
    assert env['opt150'] == ''.join(f'{int(b):02x}' for b in SERVER.split('.'))
    assert judge(seen.close(), 'dhcp') >= 4
    assert 'Unknown' not in tree(seen.path, 'dhcp')
    lease, = office.json('lease', 'list')
    assert lease.get('address') == env['ip']


def test_dhclient_binds_renews_and_releases(lan, office, tmp_path):
    words = ['dhclient', '-4', '-1', '-sf', '/bin/true', '-lf', tmp_path / 'leases', '-pf', tmp_path / 'pid', 'eth0']
    lan.client.run(*words)
    text = (tmp_path / 'leases').read_text()
    address = re.search(r'fixed-address ([\d.]+);', text).group(1)
    assert f'option dhcp-server-identifier {SERVER};' in text
    lan.client.run('dhclient', '-4', '-r', '-sf', '/bin/true', '-lf', tmp_path / 'leases', '-pf', tmp_path / 'pid', 'eth0')
    lan.client.run(*words)
    again = re.findall(r'fixed-address ([\d.]+);', (tmp_path / 'leases').read_text())[-1]
    assert again == address, 'a client gets its address again'


def test_perfdhcp_gets_thousands_of_leases(lan, office):
    lan.address('10.98.0.9/16')
    done = lan.client.run('perfdhcp', '-4', '-r', '400', '-p', '4', '-R', '2000', '-l', 'eth0', '-d', '10', '-W', '5000000',
                          SERVER, check=False)
    received = [int(n) for n in re.findall(r'received packets: (\d+)', done.stdout)]
    sent = [int(n) for n in re.findall(r'sent packets: (\d+)', done.stdout)]
    # What came and found the client's own socket full was answered, too: on a busy machine it reads too late.
    full = int(lan.client.run('sh', '-c', "awk '/^Udp:/ {n++; if (n == 2) print $6}' /proc/net/snmp").stdout)
    assert len(received) == 2 and sent[0] > 500 and sum(received) + full >= 0.98 * sum(sent), done.stdout + done.stderr


def test_a_reservation_is_kept(lan, office, tmp_path):
    office.ask('reservation', 'add', lan.mac(), 'address=10.98.77.7')
    assert udhcpc(lan, tmp_path)[1]['ip'] == '10.98.77.7'


def test_leases_survive_kill_9(lan, office, tmp_path):
    first = udhcpc(lan, tmp_path)[1]['ip']
    office.kill(signal.SIGKILL)
    office.start()
    lease, = office.json('lease', 'list')
    assert lease['address'] == first
    assert udhcpc(lan, tmp_path)[1]['ip'] == first


def test_phones_only_leaves_others_alone(lan, office, tmp_path):
    office.ask('scope', 'set', 'test', 'phones_only=yes')
    assert udhcpc(lan, tmp_path, '-t', '2')[0].returncode != 0
    assert udhcpc(lan, tmp_path, '-V', 'Cisco Systems, Inc. IP Phone CP-7960G')[0].returncode == 0


def test_no_answer_on_an_interface_that_nobody_named(lan, server, tmp_path):
    server.start('tftp.port=0', 'files.http_port=0')
    server.add_scope()
    assert udhcpc(lan, tmp_path, '-t', '2')[0].returncode != 0


@pytest.fixture
def two(lan, office):
    """Two addresses, the first of which is the one that our client would get."""
    lan.client.run('ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:02')
    office.ask('scope', 'set', 'test', 'first=10.98.5.1', 'last=10.98.5.2')


def test_an_address_in_use_is_not_offered(lan, two, tmp_path, capture):
    """Somebody on the client's wire already has the first address; ARP tells."""
    wire = capture('client')
    lan.client.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore; '
                   'ip link add link eth0 name other type macvlan mode bridge; '
                   'ip address add 10.98.5.1/16 dev other; ip link set other up')
    assert udhcpc(lan, tmp_path)[1]['ip'] == '10.98.5.2'
    assert 'who has 10.98.5.1' in run('tshark', '-n', '-r', wire.close(), '-Y', 'arp').stdout.lower()


def test_an_answer_that_a_busy_server_hears_late_counts(lan, office, two, tmp_path):
    """It comes while the server waits for its processor, and the probe's time is over when that has it."""
    wire = lan.client.inside(Capture.open)
    wire.settimeout(60)
    late = []

    def answer():
        probe = b''
        while probe[20:22] != b'\0\1' or probe[38:42] != bytes([10, 98, 5, 1]):
            probe = wire.recv(2000)
        os.kill(office.pid(), signal.SIGSTOP)
        mac = b'\2\0\0\0\0\7'
        wire.send(probe[6:12] + mac + probe[12:21] + b'\2' + mac + probe[38:42] + probe[22:32])
        time.sleep(0.6)
        os.kill(office.pid(), signal.SIGCONT)
        late.append(True)
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    got = udhcpc(lan, tmp_path)[1]['ip']
    thread.join(60)
    wire.close()
    assert late and got == '10.98.5.2'


# -- by hand ---------------------------------------------------------------------------------------------------------

COOKIE = bytes.fromhex('63825363')
XIDS = itertools.count(1000)


def packet(kind, mac=b'\2\0\0\0\0\1', options=b'', ciaddr='0.0.0.0', giaddr='0.0.0.0', xid=7):
    ip = [bytes(int(b) for b in a.split('.')) for a in (ciaddr, giaddr)]
    return (struct.pack('>BBBBIHH4s4s4s4s16s192x', 1, 1, 6, 0, xid, 0, 0, ip[0], b'', b'', ip[1], mac) + COOKIE +
            bytes([53, 1, kind]) + options + b'\xff').ljust(300, b'\0')


def exchange(lan, data, port=68):
    """From a relay's or a configured client's own address, by unicast. Each exchange has a number of its own: a second answer to
    the one before may still come."""
    xid = struct.pack('>I', next(XIDS))
    s = lan.client.udp()
    s.settimeout(1)
    s.bind((CLIENT, port))
    try:
        for _ in range(60):  # clients ask again, too
            s.sendto(data[:4] + xid + data[8:], (SERVER, 67))
            try:
                while (answer := s.recv(2000))[4:8] != xid:
                    pass
                return answer
            except TimeoutError:
                continue
    finally:
        s.close()
    return None


def option(data, code):
    at = 240
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        if data[at] == code:
            return data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return None


def test_inform_is_answered_without_an_address(lan, office):
    lan.address()
    answer = exchange(lan, packet(8, ciaddr=CLIENT, options=bytes([55, 2, 66, 150])))
    assert option(answer, 53) == b'\5' and answer[16:20] == b'\0\0\0\0' and option(answer, 51) is None
    assert option(answer, 150) == bytes([10, 98, 0, 1])


def test_a_relay_gets_its_answer_with_option_82_unchanged(lan, office):
    lan.address()
    agent = bytes([82, 10, 1, 4]) + b'Gi07' + bytes([2, 2]) + b'sw'
    answer = exchange(lan, packet(1, giaddr=CLIENT, options=bytes([55, 1, 1]) + agent), 67)
    assert option(answer, 53) == b'\2' and option(answer, 82) == agent[2:]


def test_a_wrong_request_is_refused_with_nak(lan, office):
    lan.address()
    answer = exchange(lan, packet(3, giaddr=CLIENT, options=bytes([50, 4, 192, 168, 77, 1])), 67)
    assert option(answer, 53) == b'\6'


@pytest.mark.parametrize('garbage', [b'', b'x', bytes(236), bytes(240), packet(1)[:241], packet(1)[:240] + b'\x0c\xff',
                                     packet(99), b'\xff' * 1400, packet(1).replace(b'\1\1\6', b'\1\1\x20', 1)],
                         ids=range(9))
def test_malformed_packets_harm_nobody(lan, office, garbage):
    lan.address()
    s = lan.client.udp()
    s.sendto(garbage, (SERVER, 67))
    assert exchange(lan, packet(8, ciaddr=CLIENT)) is not None
