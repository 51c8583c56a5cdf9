"""A phone's name is claimed from another address: while the phone is there it keeps its name, and when it has moved it
is back within two seconds. The kernels of both sides are real; nobody asks the programs."""
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
    phone = comes(lan, transport)
    assert phone.final().status == 200
    thief = comes(lan, transport, ELSEWHERE)
    assert thief.hear().status == 100
    if transport == 'udp':
        assert phone.await_request('OPTIONS')
    answer = thief.final()
    assert answer.status == 403 and 'active for another client' in answer.get('Warning')
    named(site)
    assert site.status(PHONE) == 'registered'
    phone.register('7001', MAC, 622, call_id=f'1@{CLIENT}', cseq=102)  # it has noticed nothing
    assert phone.final().status == 200


@pytest.mark.parametrize('transport', ['tcp', 'udp'])
def test_a_sip_phone_that_moved_is_back_within_two_seconds(lan, site, transport):
    phone = comes(lan, transport)
    assert phone.final().status == 200
    disappear(lan)
    began = time.monotonic()
    moved = comes(lan, transport, ELSEWHERE)
    assert moved.final().status == 200
    assert time.monotonic() - began < 2.5
    assert not alarms(site)


def test_a_sip_phone_that_was_restarted_elsewhere_is_back_at_once(lan, site):
    """Its old address answers, but knows nothing of the connection: RST."""
    phone = comes(lan, 'tcp')
    assert phone.final().status == 200
    phone.socket.setsockopt(6, 19, 1)  # TCP_REPAIR: gone without FIN
    phone.close()
    time.sleep(1)  # of silence, as a phone needs to start
    began = time.monotonic()
    assert comes(lan, 'tcp', ELSEWHERE).final().status == 200
    assert time.monotonic() - began < 1


def test_the_name_of_an_sccp_phone_that_is_there_cannot_be_taken_and_moves_with_it(lan, site):
    class At:
        port = 2000

    def connect(source):
        return lan.client.inside(SccpPhone, At, source, SERVER)
    phone = connect(CLIENT)
    phone.come_in(name=OLD)
    assert connect(ELSEWHERE).register(name=OLD) == (REJECT, b'Error: Duplicate'.ljust(32, b'\0'))
    named(site)
    again = connect(CLIENT)  # another connection of the same phone: at once
    began = time.monotonic()
    again.come_in(name=OLD)
    assert time.monotonic() - began < 1
    assert phone.hear() is None
    disappear(lan)
    began = time.monotonic()
    moved = connect(ELSEWHERE)
    assert moved.register(name=OLD)[0] == REGISTER_ACK and moved.hear()[0] == CAPABILITIES_REQ
    assert time.monotonic() - began < 2.5
