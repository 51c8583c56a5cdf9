"""An activation code, typed on a phone in quarantine, gives it the place that was prepared (REG-3)."""
import json
import re
import struct
import subprocess

import pytest

from conftest import until
from node import DIALTONE, Node, dialtone, free_port
from test_registration import REGISTER_ACK, RESET, Phone

START_TONE, REORDER, KEY, POUND = 0x0082, 0x25, 0x0003, 15
GUEST = 'SEP001122000001'


@pytest.fixture
def node(tmp_path):
    ports = [free_port() for _ in range(3)]
    node = Node(tmp_path / 'data', 'listen.address=127.0.0.1', 'node.address=127.0.0.1', f'sccp.port={ports[0]}',
                f'tftp.port={ports[1]}', f'files.http_port={ports[2]}')
    node.port, node.ports = ports[0], ports
    ask(node, 'pool', 'add', 'Fresh')
    ask(node, 'autoregistration', 'set', 'enabled=yes', 'start=8000', 'end=8099', 'quarantine=yes',
        'quarantine_pool=Fresh')
    said = ask(node, 'phone', 'add', 'BAT000000000001', 'model=7960', 'lines=7001', 'activation_code=generate')
    node.code = re.search(r'Activation code: (\d{10})\.', said).group(1)
    yield node
    node.stop()


def ask(node, *words):
    done = dialtone(node.folder, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def phones(node):
    return {row['name']: row for row in json.loads(ask(node, 'phone', 'list', '--json'))}


def dial(phone, code):
    for digit in code:
        phone.say(KEY, struct.pack('<III', int(digit), 1, 0))
    phone.say(KEY, struct.pack('<III', POUND, 1, 0))


def wait(phone, wanted):
    while True:
        message, body = phone.hear()
        if message == wanted:
            return body


def test_a_handset_types_its_code_and_comes_back_in_its_place(node, tmp_path):
    path = tmp_path / 'script'
    path.write_text(f'wait registered 120\nwait "type your code" 120\npress hook\nwait "Activation code" 120\nkeys {node.code}#\n'
                    'wait "current options" 120\nwait registered 120\n')
    done = subprocess.run([DIALTONE, 'handset', '--server', '127.0.0.1', '--sccp-port', str(node.ports[0]),
                           '--file-port', str(node.ports[1]), '--http-port', str(node.ports[2]), '--model', '7960',
                           '--mac', '001122000001', '--json', '--script', str(path)],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    there = phones(node)
    assert set(there) == {GUEST}
    assert 'type your code' not in done.stdout.splitlines()[-1]
    shown = json.loads(ask(node, 'phone', 'show', GUEST, '--json'))
    assert shown['lines'] == '7001' and not shown.get('quarantine') and not shown.get('activation_code')
    assert '8000' not in ask(node, 'line', 'list')
    assert 'DeviceActivated' in ask(node, 'event', 'list')
    assert node.code not in ask(node, 'event', 'list')


def test_wrong_codes_are_refused_counted_and_limited(node):
    phone = Phone(node)
    message, _ = phone.register(name=GUEST)
    assert message == REGISTER_ACK
    phone.hear()
    phone.say(0x0010, struct.pack('<IIIII', 1, 4, 20, 0, 0))
    for _ in range(5):
        dial(phone, '123456')
        while struct.unpack_from('<I', wait(phone, START_TONE))[0] != REORDER:
            pass
        phone.say(0x0007)
    dial(phone, node.code)  # right, but too late
    while struct.unpack_from('<I', wait(phone, START_TONE))[0] != REORDER:
        pass
    assert 'BAT000000000001' in phones(node)
    said = until(lambda: 'ActivationCodeGuessed' in (t := ask(node, 'event', 'list')) and t)
    assert said.count('ActivationCodeWrong') == 5 and said.count('ActivationCodeGuessed') == 1
    phone.socket.close()


def test_the_right_code_restarts_the_phone(node):
    phone = Phone(node)
    assert phone.register(name=GUEST)[0] == REGISTER_ACK
    phone.hear()
    phone.say(0x0010, struct.pack('<IIIII', 1, 4, 20, 0, 0))
    dial(phone, node.code)
    assert struct.unpack('<I', wait(phone, RESET))[0] == 2
    until(lambda: set(phones(node)) == {GUEST})
    phone.socket.close()
