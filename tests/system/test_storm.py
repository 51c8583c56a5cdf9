"""Hundreds of phones come within a second, on real sockets: they do not come back in one, and who comes alone afterwards gets the
documented times."""
import collections
import signal
import socket
import struct
import time

from conftest import CLIENT, SERVER, until
from sip_client import Client
from test_registration import REGISTER_ACK, Phone

PHONES = 300


def name_of(n):
    return f'{0x001122330000 + n:012X}'


def fill(server, folder, protocol, model):
    path = folder / 'phones.csv'
    path.write_text('name,model,protocol,lines\n' +
                    ''.join(f'SEP{name_of(n)},{model},{protocol},{70000 + n}\n' for n in range(PHONES + 1)))
    server.ask('import', path)


def grant(client, n):
    client.register(70000 + n, name_of(n), 622, call_id=f'{n}@client', headers=[])
    answer = client.final()
    assert answer.status == 200 and answer.get('Call-ID') == f'{n}@client'
    return int(answer.get('Expires'))


def test_sip_phones_that_come_together_are_granted_different_times(lan, server, tmp_path):
    lan.address()
    server.start('tftp.port=0', 'files.http_port=0', 'sccp.port=0')
    fill(server, tmp_path, 'sip', '7841')
    client = Client(lan.client)
    due = collections.Counter()
    for n in range(PHONES):
        due[int(time.monotonic()) + grant(client, n)] += 1  # the second in which it ends
    print(sorted(due.items()))
    assert max(due.values()) < 30  # nearly all of them without the spread
    until(lambda: server.row(f'SEP{name_of(PHONES - 1)}', 'phone', 'list'))
    until(lambda: int(time.monotonic()) + 118 > max(due))  # nobody else ends in the second that it would
    assert grant(client, PHONES) == 120
    client.close()


def test_sccp_phones_that_come_together_get_different_keepalive_intervals(lan, server, tmp_path):
    lan.address()
    server.start('tftp.port=0', 'files.http_port=0', 'sip.port=0', 'sip.tls_port=0')
    fill(server, tmp_path, 'sccp', '7960')

    class At:
        port = 2000
    server.process.send_signal(signal.SIGSTOP)  # all wait when it goes on
    phones = [lan.client.inside(lambda: Phone(At, CLIENT, SERVER)) for _ in range(PHONES)]
    for n, phone in enumerate(phones):
        phone.claim(f'SEP{name_of(n)}')
    server.process.send_signal(signal.SIGCONT)
    answers = [phone.hear() for phone in phones]
    assert {message for message, _ in answers} == {REGISTER_ACK}
    intervals = collections.Counter(struct.unpack_from('<I', body)[0] for _, body in answers)
    print(intervals)
    assert set(intervals) <= set(range(23, 31)) and len(intervals) > 2
    for phone in phones:
        phone.socket.close()


STORM = 1000
SO_TIMESTAMPNS = 35


def when_heard(client, call_id):
    """When the kernel had the answer to that REGISTER, in seconds."""
    client.socket.settimeout(60)
    while True:
        message, ((_, _, stamp),), _, _ = client.socket.recvmsg(65536, 64)
        if message.startswith(b'SIP/2.0 200') and call_id.encode() in message:
            seconds, ns = struct.unpack('qq', stamp)
            return seconds + ns / 1e9


def test_a_registered_phone_by_udp_does_not_wait_for_a_thousand_newcomers(lan, server, tmp_path):
    lan.address()
    server.start('tftp.port=0', 'files.http_port=0', 'sccp.port=0')
    path = tmp_path / 'phones.csv'
    path.write_text('name,model,protocol,lines\n' + ''.join(f'SEP{name_of(n)},7841,sip,{70000 + n}\n' for n in range(STORM + 1)))
    server.ask('import', path)
    registered = Client(lan.client)
    grant(registered, STORM)
    settled = time.monotonic() + 2  # who came just now counts as one of the newcomers
    clients = [Client(lan.client) for _ in range(STORM)] + [registered]
    for client in clients:
        client.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    until(lambda: time.monotonic() > settled)
    server.process.send_signal(signal.SIGSTOP)  # all wait in its socket, the registered phone's refresh behind them
    for n, client in enumerate(clients):
        client.register(70000 + n, name_of(n), 622, call_id=f'{n}@client', cseq=200, headers=[])
    server.process.send_signal(signal.SIGCONT)
    *newcomers, last = (when_heard(client, f'Call-ID: {n}@client\r\n') for n, client in enumerate(clients))
    before = sum(at < last for at in newcomers)
    waited = next(row for row in server.json('counter', 'list') if row['name'] == 'NewcomersWaited')['value']
    print(f'{before} newcomers were answered first, {waited} waited')
    assert before < STORM * 3 / 4 and waited > STORM / 4  # all of them, and none, when it is first come, first served
    for client in clients:
        client.close()
