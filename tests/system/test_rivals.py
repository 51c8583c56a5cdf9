"""A phone's name is claimed from another address: while the phone is there it keeps its name, and when it has moved it
is back (within two seconds: tests/unit/station_rivals.c). The kernels of both sides are real; nobody asks the programs."""
import time

import pytest

from conftest import CLIENT, SERVER, until
from sip_client import Client
from test_registration import CAPABILITIES_REQ, REGISTER_ACK, REJECT
from test_registration import Phone as SccpPhone

MAC, PHONE, OLD = '001122334455', 'SEP001122334455', 'SEP00AABBCCDDEE'
ELSEWHERE = '10.98.0.3'


@pytest.fixture
def site(lan, server):
    lan.address()
    lan.address(ELSEWHERE + '/16')
    server.start('tftp.port=0', 'files.http_port=0')
    server.add_phone(PHONE, '7841', '7001', protocol='sip')
    server.add_phone(OLD, '7960', '7002')
    return server


def comes(lan, transport, source=CLIENT):
    phone = Client(lan.client, transport, source=source)
    phone.register('7001', MAC, 622, call_id=f'1@{source}')
    return phone


def alarms(site):
    return [str(e) for e in site.json('event', 'list', '--limit', '0') if e['alarm'] == 'DuplicateDevice']


def named(site):
    detail = until(lambda: alarms(site))[0]
    assert f'[IPAddress={ELSEWHERE}]' in detail and f'[OtherIPAddress={CLIENT}]' in detail


def disappear(lan):
    """As a phone does that is plugged in elsewhere: nobody answers at its old address."""
    lan.client.run('ip', 'address', 'del', CLIENT + '/16', 'dev', 'eth0')
    lan.address(ELSEWHERE + '/16')  # which left with the first


@pytest.mark.parametrize('transport', ['tcp', 'udp'])
def test_the_name_of_a_sip_phone_that_is_there_cannot_be_taken(lan, site, transport):
    while True:
        phone = comes(lan, transport)
        assert phone.final().status == 200
        began = time.monotonic()
        thief = comes(lan, transport, ELSEWHERE)
        assert thief.hear().status == 100
        if transport == 'udp':
            assert phone.await_request('OPTIONS')
        late = time.monotonic() - began > 1  # our answer: a second and a half is what a phone has
        answer = thief.final()
        if not late:
            break
        time.sleep(10)  # claims are asked about no more often
    assert answer.status == 403 and 'active for another client' in answer.get('Warning')
    named(site)
    assert site.status(PHONE) == 'registered'
    phone.register('7001', MAC, 622, call_id=f'1@{CLIENT}', cseq=102)  # it has noticed nothing
    assert phone.final().status == 200


@pytest.mark.parametrize('transport', ['tcp', 'udp'])
def test_a_sip_phone_that_moved_is_back(lan, site, transport):
    phone = comes(lan, transport)
    assert phone.final().status == 200
    disappear(lan)
    moved = comes(lan, transport, ELSEWHERE)
    assert moved.final().status == 200
    assert not alarms(site)


def test_a_sip_phone_that_was_restarted_elsewhere_is_back_at_once(lan, site):
    """Its old address answers, but knows nothing of the connection: RST. Silence would take a second and a half each time; on a
    machine that is busy once is enough."""
    phone, took = comes(lan, 'tcp'), []
    assert phone.final().status == 200
    for there in [ELSEWHERE, CLIENT] * 5:
        phone.socket.setsockopt(6, 19, 1)  # TCP_REPAIR: gone without FIN
        phone.close()
        time.sleep(1)  # of silence, as a phone needs to start
        began = time.monotonic()
        phone = comes(lan, 'tcp', there)
        assert phone.final().status == 200
        took.append(time.monotonic() - began)
        if took[-1] < 1:
            break
    assert min(took) < 1, took


def test_who_takes_the_name_of_a_phone_that_is_off_is_told_with_both_addresses(lan, server):
    lan.address()
    lan.address(ELSEWHERE + '/16')
    server.start('tftp.port=0')
    server.add_phone(PHONE, '7841', '7001', protocol='sip')
    lan.client.run('curl', '-sf', '--interface', CLIENT, '-o', '/dev/null', f'http://{SERVER}:6970/{PHONE}.cnf.xml')
    until(lambda: 'file sent' in server.ask('phone', 'show', PHONE).stdout)
    phone = comes(lan, 'tcp')
    assert phone.final().status == 200
    phone.close()
    until(lambda: server.status(PHONE) == 'unregistered')
    other = comes(lan, 'tcp', ELSEWHERE)
    assert other.final().status == 200
    until(lambda: f'IPAddress {ELSEWHERE}, OtherIPAddress {CLIENT}' in server.ask('event', 'list', '--device', PHONE).stdout)
    other.close()


def test_the_name_of_an_sccp_phone_that_is_there_cannot_be_taken_and_moves_with_it(lan, site):
    class At:
        port = 2000

    def connect(source):
        return lan.client.inside(SccpPhone, At, source, SERVER)
    phone = connect(CLIENT)
    phone.come_in(name=OLD)
    assert connect(ELSEWHERE).register(name=OLD) == (REJECT, b'Error: Duplicate'.ljust(32, b'\0'))
    named(site)
    again = connect(CLIENT)  # another connection of the same phone
    again.come_in(name=OLD)
    assert phone.hear() is None
    disappear(lan)
    moved = connect(ELSEWHERE)
    assert moved.register(name=OLD)[0] == REGISTER_ACK and moved.hear()[0] == CAPABILITIES_REQ
