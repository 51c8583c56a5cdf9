"""kill -9, full disks, ports in use, read-only folders: what is acknowledged stays, the rest is said in words."""
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from conftest import CLIENT, DIALTONE, SERVER, until
from sccp_client import Phone, REGISTER_ACK
from test_dhcp import exchange, option, packet

NAME = 'SEP001D45AA0001'


def phone_list(path, first, n):
    path.write_text('name,model,lines\n' + ''.join(f'SEP{first + i:012X},7960,{20000 + first + i}\n' for i in range(n)))


def test_kill_9_during_imports_leaves_all_or_nothing_of_each(lan, server, tmp_path):
    """Every import that was acknowledged is there whole; the one under way is there whole or not at all."""
    off = ['tftp.port=0', 'files.http_port=0', 'sccp.port=0', 'sccp.tls_port=0', 'sip.port=0', 'sip.tls_port=0']
    acknowledged, each = 0, 400
    random.seed(3)
    for round_ in range(5):
        server.start(*off)
        for i in range(3):
            phone_list(tmp_path / 'phones.csv', 100000 * round_ + 1000 * i, each)
            child = lan.server.start(DIALTONE, 'import', tmp_path / 'phones.csv', '--data', server.data)
            if i == 2:
                try:
                    child.wait(random.uniform(0.01, 0.3))
                except subprocess.TimeoutExpired:
                    pass
                server.kill()
            child.wait(60)
            acknowledged += child.returncode == 0
        server.start(*off)
        n = len(server.json('phone', 'list', '--limit', '0'))
        assert n % each == 0 and n // each in (acknowledged, acknowledged + 1)
        acknowledged = n // each
        server.kill(signal.SIGTERM)


def test_kill_9_during_leases_loses_none_that_was_acknowledged(lan, server):
    lan.address()
    given = {}
    for round_ in range(3):
        server.start('dhcp.interfaces=eth0', 'tftp.port=0', 'files.http_port=0')
        if not round_:
            server.ask('parameter', 'set', 'dhcp_probe_time=0')
            server.add_scope()
        for i in range(60):
            mac = bytes([2, 0, 0, 0, round_, i])
            offer = exchange(lan, packet(1, mac, giaddr=CLIENT), 67)
            address = offer[16:20]
            ack = exchange(lan, packet(3, mac, giaddr=CLIENT, options=bytes([50, 4]) + address + bytes([54, 4]) +
                                       option(offer, 54)), 67)
            assert option(ack, 53) == b'\5'
            assert given.setdefault(address, mac) == mac, 'an address was given twice'
        server.kill()
    server.start()
    leases = {row['address'] for row in server.json('lease', 'list', '--limit', '0')}
    assert {'.'.join(map(str, a)) for a in given} <= leases


def test_the_second_server_on_the_same_folder_is_refused_in_words(lan, server):
    server.start()
    second = lan.server.run(DIALTONE, 'serve', '--data', server.data, '--set', 'run.user=', check=False)
    assert second.returncode == 1 and str(server.data) in second.stderr and 'pid' in second.stderr


def test_a_port_in_use_stops_that_service_alone_and_names_the_holder(lan, server, tmp_path):
    lan.address()
    holder = lan.server.start('/usr/bin/python3', '-c',
                              'import socket,signal;s=socket.socket();s.bind(("0.0.0.0",2000));s.listen();'
                              'print("bound",flush=True);signal.pause()')
    assert holder.stdout.readline() == 'bound\n'
    server.start()
    text = server.output() + server.ask('service', 'list').stdout
    assert 'python3' in text and str(holder.pid) in text
    lan.client.run('curl', '-s', '-o', tmp_path / 'x', f'tftp://{SERVER}/none', check=False)
    s = lan.client.udp()
    s.sendto(b'\0\1none\0octet\0', (SERVER, 69))
    assert s.recv(100).startswith(b'\0\5\0\1')


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes; the server's namespace shares our mounts."""
    folder = tmp_path / 'data'
    folder.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=12m', 'dialtone-test', folder], check=True)
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def fill(folder):
    with open(folder / 'filler', 'wb', buffering=0) as f:
        try:
            while True:
                f.write(b'\0' * 4096)
        except OSError:
            pass


def test_a_full_disk_is_an_error_in_words_and_phones_go_on(lan, small_disk, server):
    lan.address()
    server.start('files.http_port=0')
    server.add_phone(NAME, '7960')
    fill(small_disk)
    refused = server.ask('import', bulk(small_disk.parent / 'many.csv'), check=False)
    assert refused.returncode == 1 and refused.stderr.strip()
    p = Phone(lan.client.connect(2000), NAME, 7, 6, CLIENT)
    assert p.ask()[0] == REGISTER_ACK
    s = lan.client.udp()
    s.sendto(b'\0\1' + NAME.encode() + b'.cnf.xml\0octet\0', (SERVER, 69))
    assert s.recv(1000).startswith(b'\0\3')
    os.unlink(small_disk / 'filler')
    server.ask('phone', 'add', 'SEP001D45AA0099', 'model=7960', 'lines=7099')


def bulk(path):
    phone_list(path, 1, 20000)
    return path


def test_a_read_only_data_folder_is_said_and_phones_are_served(lan, small_disk, server):
    lan.address()
    server.start('files.http_port=0')
    server.add_phone(NAME, '7960')
    server.kill(signal.SIGTERM)
    subprocess.run(['mount', '-o', 'remount,ro', small_disk], check=True)
    try:
        server.start('files.http_port=0')
        assert 'read-only' in server.output().lower()
        p = Phone(lan.client.connect(2000), NAME, 7, 6, CLIENT)
        assert p.ask()[0] == REGISTER_ACK
    finally:
        server.kill(signal.SIGTERM)
        subprocess.run(['mount', '-o', 'remount,rw', small_disk], check=True)


def test_a_backup_taken_while_it_runs_can_be_restored(lan, server, tmp_path):
    server.start('tftp.port=0', 'files.http_port=0')
    server.add_phone(NAME, '7960')
    server.ask('backup', tmp_path / 'copy.db')
    server.ask('phone', 'delete', NAME)
    server.kill(signal.SIGTERM)
    server.ask('restore', tmp_path / 'copy.db')
    server.start()
    assert server.row(NAME, 'phone', 'list')


@pytest.mark.parametrize('running', [True, False])
def test_a_backup_brings_leases_to_a_new_machine_and_newer_ones_stay(lan, server, tmp_path, running):
    lan.address()
    on = ['dhcp.interfaces=eth0', 'tftp.port=0', 'files.http_port=0']
    server.start(*on)
    server.ask('parameter', 'set', 'dhcp_probe_time=0')
    server.add_scope()

    def lease(number):
        mac = bytes([2, 0, 0, 0, 1, number])
        offer = exchange(lan, packet(1, mac, giaddr=CLIENT), 67)
        ack = exchange(lan, packet(3, mac, giaddr=CLIENT, options=bytes([50, 4]) + offer[16:20] + bytes([54, 4]) +
                                   option(offer, 54)), 67)
        assert option(ack, 53) == b'\5'
        return '.'.join(map(str, ack[16:20]))

    def leases():
        return {row['address'] for row in server.json('lease', 'list')}
    first = {lease(i) for i in range(20)}
    server.ask('backup', tmp_path / 'copy.db')
    server.kill(signal.SIGTERM)
    shutil.rmtree(server.data)
    server.start(*on)  # a new machine
    if not running:
        server.kill(signal.SIGTERM)
    server.ask('restore', tmp_path / 'copy.db')
    if not running:
        server.start()
    until(lambda: leases() == first)
    later = lease(77)
    server.ask('restore', tmp_path / 'copy.db')
    server.kill()
    server.start()
    until(lambda: leases() == first | {later})


@pytest.fixture
def foreign(server):
    """A data folder that the user `nobody` can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='dt-user-'))
    folder.chmod(0o755)
    server.folder, server.data, server.log = folder, folder / 'data', folder / 'server.log'
    server.lan.folders.append(folder)
    return server


def test_it_serves_all_as_another_user_with_what_root_left_in_the_folder(lan, foreign, tmp_path):
    lan.address()
    on = ['dhcp.interfaces=eth0', 'cdp.interfaces=eth0']
    foreign.start(*on)
    foreign.add_scope()
    foreign.add_phone(NAME, '7960')
    foreign.kill(signal.SIGTERM)
    foreign.ask('backup', foreign.folder / 'copy.db')
    foreign.start(*on, 'run.user=nobody')
    status = pathlib.Path(f'/proc/{foreign.pid()}/status').read_text()
    uid = pwd.getpwnam('nobody').pw_uid
    assert f'Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n' in status
    assert 'NoNewPrivs' in status and int(re.search(r'CapEff:\s*(\w+)', status)[1], 16) & ~(1 << 10 | 1 << 12 | 1 << 13) == 0
    assert {row['state'] for row in foreign.json('service', 'list')} <= {'running', 'off'}
    offer = exchange(lan, packet(1, giaddr=CLIENT), 67)
    assert option(offer, 53) == b'\2'
    foreign.ask('phone', 'set', NAME, 'description=changed')
    s = lan.client.udp()
    s.sendto(b'\0\1' + NAME.encode() + b'.cnf.xml\0octet\0', (SERVER, 69))
    assert s.recv(1000).startswith(b'\0\3')
    foreign.ask('restore', foreign.folder / 'copy.db')
    foreign.kill(signal.SIGTERM)
    foreign.start()
    assert foreign.row(NAME, 'phone', 'list')


def test_it_stops_within_seconds_when_told(lan, server):
    server.start()
    server.kill(signal.SIGTERM)  # which waits for a minute
    assert server.process.returncode == 0
