"""The doctor beside the server: without being asked it finds why a phone does not register, and says so everywhere."""
import re
import signal

from conftest import DIALTONE, SERVER, until
from sccp_client import KEEPALIVE, KEEPALIVE_ACK, REGISTER_ACK, REGISTER_REJECT, Phone
from test_tftp import rrq

NAME, KNOWN, TYPED = 'SEP00D0BA0000B1', 'SEP00D0BA0000C1', 'SEP00D0BA0000C7'


def causes(server, name):
    return {row['cause'] for row in server.json('diagnosis', 'list') if row['name'] == name}


def test_a_refused_phone_is_diagnosed_without_being_asked(lan, server):
    lan.address()
    server.start()
    server.add_phone(NAME, '7960')
    server.add_phone(KNOWN, '7960')
    half = Phone(lan.client.connect(2000), KNOWN)
    assert half.ask()[0] == REGISTER_ACK
    half.socket.close()  # and never tells its capabilities
    phone = Phone(lan.client.connect(2000), NAME, device_type=30018)
    assert phone.ask()[0] == REGISTER_REJECT
    until(lambda: causes(server, NAME) == {'rejected-type'} and causes(server, KNOWN) == {'register-incomplete'})
    shown = server.ask('phone', 'show', NAME).stdout
    assert 'What the doctor found' in shown and 'rejected-type' in shown
    assert '2 phones are not well' in server.ask('status').stdout
    assert 'PhoneDiagnosed' in server.ask('event', 'list', '--device', NAME).stdout
    story = server.ask('doctor', '--live', NAME).stdout
    assert 'refused' in story and 'rejected-type' in story
    phone = Phone(lan.client.connect(2000), NAME)
    phone.register()
    until(lambda: causes(server, NAME) == set())


def test_a_label_typed_wrong_is_named_with_the_phone_that_is_meant(lan, server):
    lan.address()
    server.start()
    server.add_phone(KNOWN, '7960')
    for _ in range(2):
        rrq(lan, f'{TYPED}.cnf.xml'.encode())
        rrq(lan, b'XMLDefault.cnf.xml')
    phone = Phone(lan.client.connect(2000), TYPED)
    assert phone.ask()[0] == REGISTER_REJECT
    until(lambda: causes(server, TYPED) & {'files-near-miss'})
    row, = [r for r in server.json('diagnosis', 'list') if r['name'] == TYPED and r['cause'] == 'files-near-miss']
    assert KNOWN in row['detail']


def test_a_phone_that_fell_silent_is_told_of(lan, server):
    lan.address()
    server.start()
    server.ask('parameter', 'set', 'station_keepalive_interval=2', 'station_keepalive_missed=2')
    server.add_phone(NAME, '7960')
    phone = Phone(lan.client.connect(2000), NAME)
    phone.register()
    for _ in range(2):
        phone.send(KEEPALIVE)
        phone.wait(KEEPALIVE_ACK)
    until(lambda: causes(server, NAME) == {'keepalive-stopped'}, 120)


def test_what_the_kernel_repeats_becomes_a_forecast(lan, server):
    lan.address()
    server.start()
    server.add_phone(NAME, '7960')
    phone = Phone(lan.client.connect(2000), NAME)
    phone.register()
    lan.client.run('ip', 'neigh', 'replace', SERVER, 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud', 'permanent')
    server.ask('phone', 'reset', NAME)  # something that is sent and never acknowledged
    until(lambda: 'keepalive-lost' in causes(server, NAME), 120)
    story = server.ask('doctor', '--live', NAME).stdout
    print(story)
    assert re.search(r'given up at \d\d:\d\d:\d\d', story)


def test_healthy_phones_have_no_finding(lan, server):
    lan.address()
    server.start()
    server.add_phone(NAME, '7960')
    phone = Phone(lan.client.connect(2000), NAME)
    phone.register()
    for _ in range(2):
        phone.send(KEEPALIVE)
        phone.wait(KEEPALIVE_ACK)
    assert server.json('diagnosis', 'list') == []
    assert 'not well' not in server.ask('status').stdout
    story = server.ask('doctor', '--live', NAME, '--lang', 'fr').stdout
    assert 'healthy' in story and re.search(r'2 keepalives reçus.*0 manqué', story) and re.search(r'aller-retour.* 0 segment renvoyé', story), story
    shown = server.json('phone', 'show', NAME)
    assert shown['keepalives'] == 2 and shown['keepalives_missed'] == 0 and 0 < shown['round_trip_ms'] < 5000 and shown['segments_sent_again'] == 0


def ended_when_told(process, what):
    """As by an administrator who has read it; it says it once more at its end. The status."""
    told = ''
    for line in process.stdout:
        if not re.search(what, told) and re.search(what, told + line):
            process.send_signal(signal.SIGINT)
        told += line
    assert len(re.findall(what, told)) > 1, told
    return process.wait(60)


def test_a_probe_walks_the_boot_and_says_what_it_met(lan, server):
    server.start('dhcp.interfaces=eth0')
    server.ask('parameter', 'set', 'dhcp_probe_time=0')
    server.add_scope()
    mac = lan.mac().replace(':', '').upper()
    assert lan.client.run(DIALTONE, 'doctor', '--probe', 'nonsense', '--interface', 'eth0', check=False).returncode == 2
    refused = lan.client.start(DIALTONE, 'doctor', '--probe', '7960', '--interface', 'eth0')
    assert ended_when_told(refused, f'SEP{mac}.*(rejected-unknown|files-unknown-phone)') == 1
    server.add_phone(f'SEP{mac}', '7960')
    well = lan.client.run(DIALTONE, 'doctor', '--probe', '7960', '--interface', 'eth0', check=False)
    assert well.returncode == 0 and 'healthy' in well.stdout and 'is registered by' in well.stdout, well.stdout


def test_a_shadow_tells_what_happens_as_it_happens(lan, server):
    lan.address()
    server.start()
    server.add_phone(NAME, '7960')
    shadow = lan.server.start(DIALTONE, 'doctor', '--shadow', 'eth0', '--for', '300')
    until(lambda: len(lan.server.run('cat', '/proc/net/packet').stdout.splitlines()) > 1)
    phone = Phone(lan.client.connect(2000), NAME, device_type=30018)
    assert phone.ask()[0] == REGISTER_REJECT
    assert re.search(r'\d SEP00D0BA0000B1: the server refuses it.*\[rejected-type\]', shadow.stdout.readline())
    Phone(lan.client.connect(2000), NAME).register()
    assert re.search(r'\d SEP00D0BA0000B1: no longer: the server refuses it.*\[rejected-type\]', shadow.stdout.readline())
    shadow.terminate()
    out, _ = shadow.communicate(timeout=60)
    assert '1 phone: 1 well' in out and shadow.returncode == 0, out


def test_a_trace_and_a_data_folder_find_a_label_typed_wrong(lan, server, tmp_path):
    server.start()
    server.add_phone(KNOWN, '7960')
    trace = tmp_path / 'ctftp.txt'
    trace.write_text(''.join(f'07:28:3{i}.100 TFTP|TFTPEngine - {name} to 10.0.0.8: not found, 0 bytes, 0 ms, 0 sent again|<DEV::{TYPED}>\n'
                             for i, name in enumerate([f'{TYPED}.cnf.xml', 'XMLDefault.cnf.xml'] * 2)))
    said = lan.server.run(DIALTONE, 'doctor', '--data', server.data, trace, check=False)
    assert said.returncode == 1 and 'files-near-miss' in said.stdout and KNOWN in said.stdout, said.stdout
    nowhere = lan.server.run(DIALTONE, 'doctor', '--data', tmp_path / 'nothing', trace, check=False)
    assert nowhere.returncode == 3
