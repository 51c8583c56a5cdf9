"""SIP against foreign clients: sipp as a Cisco phone, baresip and linphone as plain clients, OpenSSL and Python by TLS;
tshark reads every packet."""
import datetime
import hashlib
import os
import pathlib
import re
import signal
import ssl
import subprocess
import time

import pytest

from conftest import CLIENT, SERVER, judge, run, until
from node import Control
from sip_client import Client

HERE = pathlib.Path(__file__).parent
MAC, PHONE, SOFT = '001122334455', 'SEP001122334455', 'SOFTPHONE1'
QUIET = ['tftp.port=0', 'files.http_port=0', 'sccp.port=0']


@pytest.fixture
def site(lan, server):
    lan.address()
    server.start(*QUIET)
    server.add_phone(PHONE, '7841', '7001;7002', protocol='sip')
    return server


def sipp(lan, tmp_path, scenario, transport='u1', status='', hold=0, model=622, mac=MAC, wait=True, port=0):
    """Runs a scenario once; orders of the server are obeyed on the side."""
    text = (HERE / 'sipp' / scenario).read_text().replace('STATUS', str(status))
    file = tmp_path / scenario
    file.write_text(text)
    words = ['sipp', f'{SERVER}:5060', '-sf', file, '-oocsf', HERE / 'sipp/obey.xml', '-m', '1', '-i', CLIENT, '-t', transport,
             '-nostdin', '-d', hold, '-timeout', '60', '-timeout_error', '-key', 'dn', '7001', '-key', 'dn2', '7002', '-key', 'mac', mac.lower(),
             '-key', 'device', 'SEP' + mac, '-key', 'model', model]
    if port:
        words += ['-p', port]
    if wait:
        return lan.client.run(*words, cwd=tmp_path)
    return lan.client.start(*words, cwd=tmp_path)


# --- Cisco phones ---

@pytest.mark.parametrize('transport', ['u1', 't1'])
def test_sipp_registers_refreshes_and_leaves(lan, site, tmp_path, capture, transport):
    packets = capture()
    sipp(lan, tmp_path, 'register.xml', transport)
    until(lambda: {'EndPointRegistered', 'EndPointUnregistered'} <=
          {e['alarm'] for e in site.json('event', 'list', '--device', PHONE)})
    until(lambda: site.status(PHONE) == 'unregistered')
    assert judge(packets.close(), 'sip') >= 6


@pytest.mark.parametrize('transport', ['u1', 't1'])
def test_sipp_registers_line_by_line(lan, server, tmp_path, transport):
    lan.address()
    server.start(*QUIET)
    server.add_phone(PHONE, '7970', '7001;7002', protocol='sip')
    sipp(lan, tmp_path, 'lines.xml', transport, model=30006)
    alarms = [e['alarm'] for e in server.json('event', 'list', '--device', PHONE)]
    assert 'EndPointRegistered' in alarms and 'DevicePartiallyRegistered' not in alarms
    assert until(lambda: server.status(PHONE) == 'unregistered')


@pytest.mark.parametrize('transport', ['u1', 't1'])
def test_sipp_asks_its_backup_and_nothing_changes(lan, server, tmp_path, transport):
    lan.address()
    server.start(*QUIET)
    server.add_phone(PHONE, '7841', '7001', protocol='sip')
    phone = Client(lan.client, 'tcp')
    phone.register('7001', MAC, 622)
    assert phone.final().status == 200
    until(lambda: server.status(PHONE) == 'registered')
    sipp(lan, tmp_path, 'keepalive.xml', transport)
    assert server.status(PHONE) == 'registered'
    assert [e['alarm'] for e in server.json('event', 'list', '--device', PHONE)] == ['EndPointRegistered']
    phone.close()


def test_sipp_is_reset_while_it_is_registered(lan, site, tmp_path, capture):
    packets = capture()
    control = Control(site.data)  # at once: it stays for eight seconds
    phone = sipp(lan, tmp_path, 'register.xml', 't1', hold=8000, wait=False)
    shown = until(lambda: (r := control.ask('phone', 'show', PHONE)['record'])['status'] == 'registered' and r)
    assert shown['transport'] == 'TCP'
    assert not control.ask('phone', 'reset', names=[PHONE])['status']
    control.close()
    assert phone.wait(60) == 0, phone.stdout.read()
    text = run('tshark', '-n', '-r', packets.close(), '-V', '-Y', 'sip.Method == "NOTIFY"').stdout
    assert 'Event: service-control' in text and 'action=reset' in text
    assert run('tshark', '-n', '-r', packets.path, '-Y', 'sip.CSeq.method == "NOTIFY" and sip.Status-Code == 200').stdout


@pytest.mark.parametrize('mac, model, status', [(MAC, 683, 485), ('00AABBCCDD01', 622, 404)])
def test_who_does_not_belong_here_is_told_why(lan, site, tmp_path, mac, model, status):
    sipp(lan, tmp_path, 'refused.xml', 't1', status, model=model, mac=mac)
    rejected = until(lambda: site.row('SEP' + mac, 'status', 'list'))
    assert rejected['status'] == 'rejected'


def registered(lan, transport='tcp', tls=None, **more):
    phone = Client(lan.client, transport, tls=tls)
    phone.register('7001', MAC, 622, **more)
    answer = phone.final()
    assert answer.status == 200, answer.start
    return phone, answer


def test_a_phone_registers_line_by_line_is_reset_and_comes_again(lan, site, capture):
    packets = capture()
    phone, answer = registered(lan, call_id='first@phone')
    assert answer.get('Expires') == '120' and answer.get('Contact').endswith(';x-cisco-newreg')
    assert answer.get('Supported').startswith('X-cisco-srtp-fallback,X-cisco-sis-')
    phone.register('7002', MAC, 622, call_id='second@phone')
    assert phone.final().get('Expires') == '3600'
    assert 'RegisterCallId={first@phone}' in phone.await_request('REFER').body
    until(lambda: site.row(PHONE, 'status', 'list').get('status') == 'registered')
    contacts = site.json('phone', 'show', PHONE)['contacts']
    assert len(contacts) == 2
    site.ask('phone', 'restart', PHONE)
    notify = phone.await_request('NOTIFY')
    assert notify.get('Event') == 'service-control'
    assert 'action=restart' in notify.body and 'RegisterCallId={first@phone}' in notify.body
    phone.close()
    until(lambda: site.status(PHONE) == 'unregistered')
    again, answer = registered(lan, call_id='third@phone', cseq=103)
    assert answer.get('Contact').endswith(';x-cisco-newreg')
    again.close()
    judge(packets.close(), 'sip')


def test_a_keepalive_to_a_backup_changes_nothing(lan, site):
    phone = Client(lan.client, 'tcp')
    phone.register('7001', MAC, 622, expires=0, parameters=';expires=0;cisco-keep-alive')
    answer = phone.final()
    assert answer.status == 200 and answer.get('Expires') == '0' and not answer.get('Contact').endswith('newreg')
    assert site.status(PHONE) == ''
    phone.close()


def test_a_service_that_stops_lets_its_phones_go_and_leaves_the_others(lan, site):
    phone, _ = registered(lan)
    phone.register('7002', MAC, 622, call_id='second@phone')
    phone.await_request('REFER')
    other = Client(lan.client, 'udp')
    site.ask('service', 'stop', 'sip-tcp')
    while phone.hear():
        pass
    assert until(lambda: site.json('event', 'list', '--device', PHONE, '--alarm', 'EndPointUnregistered', '--reason', '15'))
    other.send(other.request('OPTIONS', '7001', ['Accept: application/sdp']))
    assert other.hear().status == 200
    site.ask('service', 'start', 'sip-tcp')
    phone, _ = registered(lan, cseq=105)
    phone.close()
    other.close()


# --- TLS ---

@pytest.fixture
def tls_site(lan, server):
    lan.address()
    server.start(*QUIET, 'sip.tls_port=5061', 'sccp.tls_port=2443', 'sip.old_tls_port=5063')
    server.add_phone(PHONE, '7841', '7001', protocol='sip')
    server.authority = server.data / 'certificates/authority.pem'
    return server


def test_a_phone_registers_over_tls(lan, tls_site):
    phone, answer = registered(lan, 'tls', tls=tls_site.authority)
    assert 'transport=tls' in answer.get('Contact')
    assert phone.socket.version() == 'TLSv1.3'
    until(lambda: tls_site.status(PHONE) == 'registered')
    assert tls_site.json('phone', 'show', PHONE)['transport'] == 'TLS'
    tls_site.ask('phone', 'reset', PHONE)
    assert 'action=reset' in phone.await_request('NOTIFY').body
    tls_site.ask('certificate', 'renew')  # who is connected stays, who comes sees the new one
    phone.register('7001', MAC, 622, cseq=102)
    assert phone.final().status == 200
    other = Client(lan.client, 'tls', tls=tls_site.authority)
    assert other.socket.getpeercert()['serialNumber'] != phone.socket.getpeercert()['serialNumber']
    phone.close()
    other.close()


@pytest.mark.parametrize('port', [5061, 2443])
def test_openssl_verifies_what_is_shown(lan, tls_site, port):
    words = ['openssl', 's_client', '-connect', f'{SERVER}:{port}', '-CAfile', tls_site.authority, '-verify_return_error',
             '-verify_ip', SERVER, '-brief']
    new = lan.client.run(*words, '-verify_hostname', 'test', stdin=-3)
    assert 'Verification: OK' in new.stderr and 'ECDSA' in new.stderr
    rsa = lan.client.run(*words, '-tls1_2', '-cipher', 'aRSA', stdin=-3)
    assert 'Verification: OK' in rsa.stderr


def test_tls_1_0_has_a_port_of_its_own(lan, tls_site):
    words = ['openssl', 's_client', '-CAfile', tls_site.authority, '-tls1', '-cipher', 'AES128-SHA:@SECLEVEL=0', '-brief']
    assert lan.client.run(*words, '-connect', f'{SERVER}:5061', check=False, stdin=-3).returncode != 0
    old = lan.client.run(*words, '-connect', f'{SERVER}:5063', stdin=-3)
    assert 'TLSv1' in old.stderr and 'Verification: OK' in old.stderr
    assert until(lambda: [e for e in tls_site.json('event', 'list') if e['alarm'] == 'ConnectionFailure'])


def certificate(folder, name, days, signer=None, key=None, names=(), authority=False):
    """What openssl makes of it: `name`.pem and .key, signed by `signer` or by itself."""
    file = folder / f'{name}.pem'
    key = key or folder / f'{name}.key'
    if not key.exists():
        subprocess.run(['openssl', 'genpkey', '-quiet', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key],
                       check=True, capture_output=True)
    subprocess.run(['openssl', 'req', '-new', '-key', key, '-subj', f'/CN={name}', '-out', folder / 'request'], check=True,
                   capture_output=True)
    (folder / 'extensions').write_text(f'basicConstraints=CA:{"TRUE" if authority else "FALSE"}\n' +
                                       (f'subjectAltName={",".join(names)}\n' if names else ''))
    sign = ['-CA', signer, '-CAkey', signer.with_suffix('.key'), '-set_serial', '4711'] if signer else ['-signkey', key]
    subprocess.run(['openssl', 'x509', '-req', '-in', folder / 'request', '-days', str(days), *sign, '-extfile',
                    folder / 'extensions', '-out', file], check=True, capture_output=True)
    return file


def shown_serial(lan, authority):
    client = Client(lan.client, 'tls', tls=authority)
    serial = client.socket.getpeercert()['serialNumber']
    client.close()
    return serial


def test_a_certificate_that_ends_soon_is_made_anew_while_phones_are_connected(lan, server, tmp_path):
    lan.address()
    server.start(*QUIET, 'sip.tls_port=5061', 'tls.check_seconds=1')
    server.add_phone(PHONE, '7841', '7001', protocol='sip')
    folder = server.data / 'certificates'
    phone, _ = registered(lan, 'tls', tls=folder / 'authority.pem')
    first = shown_serial(lan, folder / 'authority.pem')
    assert first == phone.socket.getpeercert()['serialNumber']
    names = [('IP:' if re.fullmatch(r'[0-9a-f.:]+', n) else 'DNS:') + n
             for n in re.split(r'[, ]+', server.json('certificate', 'show', 'node')['names'])]
    old = certificate(tmp_path, 'old', 29, folder / 'authority.pem', folder / 'node.key', names)
    (folder / 'node.pem').write_text(old.read_text() + (folder / 'authority.pem').read_text())
    assert until(lambda: shown_serial(lan, folder / 'authority.pem') not in (first, '1267'))  # 4711
    assert server.json('certificate', 'show', 'node')['days_left'] > 700
    phone.register('7001', MAC, 622, cseq=102)  # who is connected does not notice
    assert phone.final().status == 200
    phone.close()


def test_a_phone_shows_its_certificate_and_nobody_shows_another(lan, server, tmp_path):
    makers = certificate(tmp_path, 'Makers', 100, authority=True)
    others = certificate(tmp_path, 'Others', 100, authority=True)
    own = certificate(tmp_path, f'CP-7841-{PHONE}', 50, makers)
    wrong = certificate(tmp_path, 'CP-7841-SEP00AABBCCDDEE', 50, makers)
    forged = certificate(tmp_path, f'CP-7841-{PHONE}x', 50, others)
    os.chmod(tmp_path, 0o755)
    lan.address()
    server.start(*QUIET, 'sip.tls_port=5061', f'tls.authority={makers}')
    server.add_phone(PHONE, '7841', '7001', protocol='sip')
    server.ask('security-profile', 'add', 'Proven', 'device_security_mode=authenticated', 'transport=tls')
    server.ask('phone', 'set', PHONE, 'security_profile=Proven')

    def client(certificate_file):
        context = ssl.create_default_context(cafile=str(server.data / 'certificates/authority.pem'))
        if certificate_file:
            context.load_cert_chain(certificate_file, certificate_file.with_suffix('.key'))
        return Client(lan.client, 'tls', tls=context)

    for shown, status in ((None, 403), (wrong, 403), (own, 200)):
        phone = client(shown)
        phone.register('7001', MAC, 622)
        assert phone.final().status == status
        phone.close()
    reasons = {e['reason'] for e in server.json('event', 'list') if e['alarm'] == 'EndPointTransientConnection'}
    assert reasons
    with pytest.raises((ssl.SSLError, OSError)):  # signed by somebody else: no connection at all
        phone = client(forged)
        phone.register('7001', MAC, 622)
        assert phone.hear() is None
        raise OSError
    assert until(lambda: [e for e in server.json('event', 'list') if e['alarm'] == 'ConnectionFailure'])


# --- plain clients ---

def plain_client(server):
    server.ask('user', 'add', 'alice', 'digest_password=secret-1')
    server.ask('phone', 'add', SOFT, 'model=third-party-basic', 'protocol=sip', 'owner=alice', 'lines=7003')


@pytest.fixture
def plain(lan, server):
    lan.address()
    server.start(*QUIET)
    plain_client(server)
    return server


def baresip(lan, tmp_path, account, more=''):
    """Registers and stays; its output goes to a file."""
    folder = tmp_path / 'baresip'
    folder.mkdir(exist_ok=True)
    (folder / 'config').write_text('poll_method epoll\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\n'
                                   'module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\n' + more)
    (folder / 'accounts').write_text(account + '\n')
    log = open(tmp_path / 'baresip.log', 'w', encoding='utf-8')
    return lan.client.start('baresip', '-f', folder, '-v', stdout=log)


@pytest.mark.parametrize('transport', ['udp', 'tcp'])
def test_baresip_registers_with_a_password(lan, plain, tmp_path, capture, transport):
    packets = capture()
    client = baresip(lan, tmp_path, f'<sip:7003@{SERVER};transport={transport}>;auth_user=alice;auth_pass=secret-1;regint=60')
    until(lambda: plain.status(SOFT) == 'registered')
    assert f'registered by {SERVER}:5060' in plain.ask('doctor', '--live', SOFT).stdout
    client.send_signal(signal.SIGINT)
    client.wait(120)
    judge(packets.close(), 'sip')


def test_baresip_with_a_wrong_password_stays_outside(lan, plain, tmp_path):
    client = baresip(lan, tmp_path, f'<sip:7003@{SERVER}>;auth_user=alice;auth_pass=wrong;regint=60')
    until(lambda: re.search('40[13]', (tmp_path / 'baresip.log').read_text()))
    client.send_signal(signal.SIGINT)
    client.wait(120)
    assert plain.status(SOFT) != 'registered'


@pytest.mark.parametrize('transport', ['udp', 'tcp', 'tls'])
def test_linphone_registers_and_leaves(lan, server, tmp_path, capture, transport):
    """By TLS it verifies the authority; addresses in a certificate its library does not know."""
    lan.address()
    server.start(*QUIET, 'sip.tls_port=5061')
    plain_client(server)
    port = 5061 if transport == 'tls' else 5060
    packets = capture()
    home = tmp_path / 'home'
    (home / '.local/share/linphone').mkdir(parents=True)
    (home / 'rc').write_text(f'''[sip]
sip_port=5070
sip_tcp_port=5070
sip_tls_port=5071
default_proxy=0
use_ipv6=0
verify_server_cn=0
root_ca={server.data}/certificates/authority.pem
[proxy_0]
reg_proxy=<sip:{SERVER}:{port};transport={transport}>
reg_identity=sip:7003@{SERVER}
reg_expires=60
reg_sendregister=1
[auth_info_0]
username=7003
userid=alice
passwd=secret-1
realm=ccmsipline
domain={SERVER}
algorithm=MD5
''')
    client = lan.client.start('linphonec', '-c', home / 'rc', stdin=subprocess.PIPE, stdout=open(home / 'log', 'w', encoding='utf-8'),
                              env={**os.environ, 'HOME': str(home)})
    until(lambda: server.json('phone', 'show', SOFT).get('transport') == transport.upper())  # while it is registered
    client.communicate('quit\n', timeout=60)
    until(lambda: server.status(SOFT) == 'unregistered', 120)  # when it dies of being busy, its minute ends
    judge(packets.close(), 'sip')


def test_baresip_verifies_the_server_by_tls(lan, server, tmp_path):
    lan.address()
    server.start(*QUIET, 'sip.tls_port=5061')
    plain_client(server)
    client = baresip(lan, tmp_path, f'<sip:7003@{SERVER};transport=tls>;auth_user=alice;auth_pass=secret-1;regint=60',
                     f'sip_cafile {server.data}/certificates/authority.pem\n')
    until(lambda: server.json('phone', 'show', SOFT).get('transport') == 'TLS')
    client.send_signal(signal.SIGINT)
    client.wait(120)


def test_sha_256_is_spoken_when_it_is_asked_for(lan, plain):
    plain.ask('parameter', 'set', 'sip_digest_algorithms=SHA-256 and MD5')
    client = Client(lan.client, 'tcp')
    client.register('7003')
    challenge = client.final()
    assert challenge.status == 401
    first, second = challenge.all('WWW-Authenticate')
    assert 'algorithm=SHA-256' in first and 'algorithm=MD5' in second
    client.register('7003', headers=[digest(first, 'alice', 'secret-1', client.host)], cseq=102)
    assert client.final().status == 200
    client.close()


def digest(challenge, user, password, host):
    """An Authorization for a SHA-256 challenge, as RFC 8760 and RFC 7616 say."""
    def h(text):
        return hashlib.sha256(text.encode()).hexdigest()
    field = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    response = h(':'.join([h(f'{user}:{field["realm"]}:{password}'), field['nonce'], '00000001', 'abc', 'auth',
                           h(f'REGISTER:sip:{host}')]))
    return (f'Authorization: Digest username="{user}",realm="{field["realm"]}",nonce="{field["nonce"]}",uri="sip:{host}",'
            f'response="{response}",algorithm=SHA-256,qop=auth,nc=00000001,cnonce="abc"')


def logged(site, words):
    """When the server wrote the line with these words."""
    line = re.search(r'(\S+)Z .*' + words, site.output())
    return line and datetime.datetime.fromisoformat(line[1] + '+00:00').timestamp()


def test_a_silent_phone_is_missed_when_its_grace_ends_and_not_before(lan, site):
    """Expires 30: the refresh is due 5 seconds before, and a grace of 1 ends 26.0 seconds after the last REGISTER."""
    site.ask('parameter', 'set', 'sip_station_keepalive_interval=30', 'sip_register_grace=1')
    site.ask('phone', 'set', PHONE, 'lines=7001')
    phone = Client(lan.client, 'udp')
    began = time.time()
    phone.register('7001', MAC, 622)
    assert phone.final().get('Expires') == '30'
    phone.await_request('REFER')
    lost = until(lambda: logged(site, 'unregistered: '), 120)
    assert lost - began > 25.5  # exactly: tests/unit/station_sip.c
    assert until(lambda: site.json('event', 'list', '--device', PHONE, '--alarm', 'EndPointUnregistered', '--reason', '13'))
    phone.close()
