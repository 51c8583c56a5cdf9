"""Registration as phones of each generation do it, by a client that shares no code with the server."""
import socket
import struct
import time

import pytest

import sccp_client as sccp
from conftest import CLIENT, judge, tree, until
from sccp_client import Phone, text

NAME = 'SEP001D45AA0001'
MODELS = {0: ('30VIP', 5), 3: ('7910', 6), 6: ('7960', 7), 11: ('7960', 7), 17: ('7975', 437), 22: ('7975', 437)}
NO_FILES = ['tftp.port=0', 'files.http_port=0']


@pytest.fixture
def office(lan, server):
    lan.address()
    return server.start(*NO_FILES)


def phone(lan, name=NAME, device_type=7, version=6):
    return Phone(lan.client.connect(2000), name, device_type, version, CLIENT)


@pytest.mark.parametrize('version', sorted(MODELS))
def test_a_phone_of_each_protocol_version_registers(lan, office, capture, version):
    model, device_type = MODELS[version]
    office.add_phone(NAME, model)
    seen = capture()
    p = phone(lan, NAME, device_type, version)
    answers = p.register()
    ack = answers[sccp.REGISTER_ACK]
    assert struct.unpack_from('<I', ack)[0] == 30
    assert p.negotiated == (version if version else 0)
    if version == 0:
        assert len(ack) == 12, 'CallManager 2 sends no version'
    assert p.line_number(answers) == '7001'
    until(lambda: office.status(NAME) == 'registered')
    p.send(sccp.KEEPALIVE)
    if version:  # CallManager 2 leaves it to TCP to acknowledge
        p.wait(sccp.KEEPALIVE_ACK)
    # The layouts of CallManager 2 to 3.3 are shorter than this dissector knows (test_sccp_tshark.py).
    read = judge if version > 3 else lambda path, filter_: tree(path, filter_).count('Skinny Client Control Protocol')
    assert read(seen.close(), 'skinny') > 10
    assert 'Message ID: Unknown' not in tree(seen.path, 'skinny')


def test_answers_of_a_pipelining_phone_come_although_capabilities_are_late(lan, office):
    office.add_phone(NAME, '7975')
    p = phone(lan, NAME, 437, 22)
    assert p.ask()[0] == sccp.REGISTER_ACK
    for question, _ in p.questions():
        p.send(*question)
    p.send(sccp.CONFIG_STAT_REQ)
    p.send(sccp.CAPABILITIES_RES, struct.pack('<III8s', 1, 4, 40, b''))
    wanted = {sccp.BUTTON_TEMPLATE, sccp.SOFTKEY_TEMPLATE, sccp.SOFTKEY_SET, sccp.LINE_STAT_V2, sccp.TIME_DATE}
    while wanted:
        wanted.discard(p.wait(*wanted)[0])


def test_an_unknown_phone_is_refused_in_words_and_listed(lan, office):
    message, body = phone(lan, device_type=437, version=22).ask()
    assert message == sccp.REGISTER_REJECT
    assert text(body) == 'Error: DB Config'
    until(lambda: office.status(NAME) == 'rejected')
    until(lambda: office.row(NAME, 'unknown', 'list'))
    events = office.json('event', 'list', '--device', NAME)
    assert any(e['reason'] == 29 for e in events), events


def test_the_wrong_type_is_refused_both_ways_round(lan, office):
    office.add_phone(NAME, '7961')
    office.add_phone('SEP001D45AA0002', '7961G-GE', lines='7002')
    assert phone(lan, NAME, 308, 17).ask()[0] == sccp.REGISTER_REJECT
    assert phone(lan, 'SEP001D45AA0002', 30018, 17).ask()[0] == sccp.REGISTER_REJECT
    assert phone(lan, NAME, 30018, 17).ask()[0] == sccp.REGISTER_ACK
    assert phone(lan, 'SEP001D45AA0002', 308, 17).ask()[0] == sccp.REGISTER_ACK


def test_auto_registration_gives_numbers_until_the_range_is_used_up(lan, office):
    office.ask('autoregistration', 'set', 'enabled=yes', 'start=8000', 'end=8001')
    names = [f'SEP001D45AB000{i}' for i in range(3)]
    first = phone(lan, names[0], 437, 22)
    numbers = [first.line_number(first.register())]
    second = phone(lan, names[1], 7, 6)
    numbers.append(second.line_number(second.register()))
    assert sorted(numbers) == ['8000', '8001']
    assert phone(lan, names[2], 7, 6).ask()[0] == sccp.REGISTER_REJECT
    office.ask('autoregistration', 'set', 'enabled=no')
    again = phone(lan, names[0], 437, 22)
    assert again.line_number(again.register()) == numbers[0], 'it keeps its number'


def test_the_door_closes_at_once(lan, office):
    office.ask('autoregistration', 'set', 'enabled=yes', 'start=8000', 'end=8009')
    office.ask('autoregistration', 'set', 'enabled=no')
    assert phone(lan).ask()[0] == sccp.REGISTER_REJECT


def token_body(name, device_type):
    return struct.pack('<16sII4sI16sI', name.encode(), 0, 1, socket.inet_aton(CLIENT), device_type, b'', 0)


def test_a_token_is_given_to_a_phone_that_may_come(lan, office):
    office.add_phone(NAME, '7975')
    p = phone(lan, NAME, 437, 22)
    p.send(sccp.TOKEN_REQ, token_body(NAME, 437))
    message, body = p.wait(sccp.TOKEN_ACK, sccp.TOKEN_REJECT)
    assert message == sccp.TOKEN_ACK
    p.register()


def test_unregister_is_acknowledged_and_the_phone_is_gone(lan, office):
    office.add_phone(NAME, '7960')
    p = phone(lan)
    p.register()
    until(lambda: office.status(NAME) == 'registered')
    p.send(sccp.UNREGISTER)
    message, body = p.wait(sccp.UNREGISTER_ACK)
    assert struct.unpack('<I', body) == (0,)
    assert p.closed()
    until(lambda: office.status(NAME) == 'unregistered')


@pytest.mark.parametrize('verb, kind', [('reset', 1), ('restart', 2)])
def test_the_administrator_sends_phones_away(lan, office, verb, kind):
    office.add_phone(NAME, '7960')
    p = phone(lan)
    p.register()
    until(lambda: office.status(NAME) == 'registered')
    office.ask('phone', verb, NAME)
    message, body = p.wait(sccp.RESET)
    assert struct.unpack('<I', body) == (kind,)


def test_many_devices_register_from_one_address(lan, office):
    phones = []
    for i in range(24):
        name = f'SEP001D45AC{i:04X}'
        office.add_phone(name, '7960', lines=str(7100 + i))
        phones.append(phone(lan, name))
        assert phones[-1].ask()[0] == sccp.REGISTER_ACK
    for p in phones:
        p.send(sccp.KEEPALIVE)
        p.wait(sccp.KEEPALIVE_ACK)


def test_a_phone_that_comes_back_replaces_its_lingering_connection(lan, office):
    office.add_phone(NAME, '7960')
    old = phone(lan)
    old.register()
    new = phone(lan)
    new.register()
    assert old.closed()
    new.send(sccp.KEEPALIVE)
    new.wait(sccp.KEEPALIVE_ACK)
    until(lambda: office.status(NAME) == 'registered')


def test_messages_may_come_byte_by_byte_or_all_in_one_segment(lan, office):
    office.add_phone(NAME, '7960')
    p = phone(lan)
    p.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    body = p.register_body()
    whole = struct.pack('<III', len(body) + 4, 0, sccp.REGISTER) + body
    for byte in whole:
        p.socket.sendall(bytes([byte]))
    assert p.wait(sccp.REGISTER_ACK, sccp.REGISTER_REJECT)[0] == sccp.REGISTER_ACK
    p.socket.sendall(struct.pack('<III', 4, 0, sccp.KEEPALIVE) * 5)
    for _ in range(5):
        p.wait(sccp.KEEPALIVE_ACK)


@pytest.mark.parametrize('bytes_', [
    struct.pack('<III', 0, 0, 1), struct.pack('<III', 3, 0, 1), struct.pack('<III', 0xffffffff, 0, 1),
    struct.pack('<III', 100000, 0, 1), b'GET / HTTP/1.1\r\n\r\n'])
def test_a_length_that_cannot_be_ends_the_connection_and_nothing_else(lan, office, bytes_):
    office.add_phone(NAME, '7960')
    other = phone(lan)
    other.register()
    bad = lan.client.connect(2000)
    bad.sendall(bytes_)
    bad.settimeout(60)
    try:
        assert bad.recv(100) == b''
    except ConnectionResetError:
        pass
    other.send(sccp.KEEPALIVE)
    other.wait(sccp.KEEPALIVE_ACK)


def test_an_unknown_message_is_skipped_by_its_length(lan, office):
    office.add_phone(NAME, '7960')
    p = phone(lan)
    p.register()
    p.send(0x7abc, b'what is this?')
    p.send(sccp.KEEPALIVE)
    p.wait(sccp.KEEPALIVE_ACK)


def test_a_phone_without_keepalives_is_missed(lan, office):
    office.ask('parameter', 'set', 'station_keepalive_interval=1')
    office.add_phone(NAME, '7960')
    p = phone(lan)
    began = time.monotonic()
    assert struct.unpack_from('<I', p.register()[sccp.REGISTER_ACK])[0] == 1
    until(lambda: office.status(NAME) == 'unregistered', 60, 0.2)
    assert time.monotonic() - began > 2, 'not before three intervals'
