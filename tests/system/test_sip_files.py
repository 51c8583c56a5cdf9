"""Files of SIP phones as a running server gives them, and what administrators type for SIP devices."""
import json
import re
import socket
import subprocess
import xml.etree.ElementTree as xml

import pytest

from node import dialtone, free_port
from test_files import FileNode, put_static, tftp_hpa, until

pytestmark = pytest.mark.xdist_group('sip-files')  # one server, and each test goes on where the last one ended
PHONE, OLD = 'SEP0011223344A1', 'SEP0011223344A2'


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    port = free_port()
    n = FileNode(tmp_path_factory.mktemp('sip') / 'data', f'sip.port={port}', 'sip.tls_port=0')
    n.sip_port = port
    yield n
    assert n.stop() == 0, n.said
    assert 'Sanitizer' not in n.said and 'runtime error' not in n.said, n.said


def ask(node, *words, **fields):
    """What an administrator types."""
    done = dialtone(node.folder, *words, *(f'{k}={v}' for k, v in fields.items()))
    assert done.returncode == 0, done.stderr
    return done.stdout


def get(node, name):
    head, _, body = node.curl(name).stdout.partition(b'\r\n\r\n')
    assert b' 200 ' in head.splitlines()[0], (name, head)
    return body


def test_a_sip_phone_reads_profile_lines_and_what_they_name(node, tmp_path):
    ask(node, 'user', 'add', 'alice', digest_password='wonderland')
    ask(node, 'dial-rules', 'add', 'Office', rules='4...,0;*,5')
    ask(node, 'phone', 'add', PHONE, model='8841', lines='7001;7002', owner='alice', dial_rules='Office')
    body = get(node, PHONE + '.cnf.xml')
    subprocess.run(['xmllint', '--noout', '-'], input=body, check=True)
    tftp_hpa(node, PHONE + '.cnf.xml', tmp_path / 'x')
    assert (tmp_path / 'x').read_bytes() == body
    device = xml.fromstring(body)
    assert device.findtext('deviceProtocol') == 'SIP'
    assert [x.findtext('name') for x in device.iter('line')] == ['7001', '7002']
    assert all(x.findtext('contact')[-12:] == PHONE[3:].lower() for x in device.iter('line'))
    for element, root in (('dialTemplate', 'dialTemplate'), ('softKeyFile', 'softKeyCfg'), ('featurePolicyFile', 'featurePolicy')):
        assert xml.fromstring(get(node, next(device.iter(element)).text)).tag == root
    assert b'wonderland' not in body and b'ha1:' not in body and b'assword' not in body


def test_every_change_alters_the_stamp(node):
    def stamp():
        return xml.fromstring(get(node, PHONE + '.cnf.xml')).findtext('versionStamp')
    before = stamp()
    assert stamp() == before and re.fullmatch('[0-9a-f]{16}', before)
    ask(node, 'sip-profile', 'set', 'Standard SIP Profile', timer_register_expires='1800')
    assert stamp() != before


def test_a_7960_with_a_sip_load_reads_text(node):
    ask(node, 'phone', 'add', OLD, model='7960', protocol='sip', lines='7003')
    text = get(node, 'SIP0011223344A2.cnf').decode('latin-1')
    assert 'line1_name: "7003"\r\n' in text and 'proxy1_address: "127.0.0.1"\r\n' in text
    assert b'proxy1_address' in get(node, 'SIPDefault.cnf')
    put_static(node, 'SIPDefault.cnf', b'image_version: "P0S3-08-12-00"\r\n')
    until(lambda: b'P0S3' in get(node, 'SIPDefault.cnf'))  # the owner's comes first
    assert b' 404 ' in node.curl('SIP0011223344A1.cnf').stdout.splitlines()[0]


def test_a_device_of_another_make_is_added_in_the_same_words(node, tmp_path):
    ask(node, 'phone', 'add', 'softphone1', model='third-party-basic', protocol='sip', lines='7005', digest_user='alice')
    table = tmp_path / 'phones.csv'
    table.write_text('name,model,protocol,lines,digest_user\nsoftphone2,third-party-advanced,sip,7006;7007,alice\n')
    ask(node, 'import', table)
    ask(node, 'export', tmp_path / 'all.json')
    text = (tmp_path / 'all.json').read_text()
    phones = {p['name']: p for p in json.loads(text)['phone']}
    assert phones['SOFTPHONE1']['protocol'] == phones['SOFTPHONE2']['protocol'] == 'sip-third-party'
    refused = dialtone(node.folder, 'phone', 'set', 'softphone1', 'lines=7005;7008')
    assert refused.returncode == 1 and 'at most 1 line' in refused.stderr
    refused = dialtone(node.folder, 'phone', 'file', 'softphone1')
    assert refused.returncode == 1 and 'another make' in refused.stderr
    for shown in (ask(node, 'user', 'show', 'alice'), ask(node, 'user', 'show', 'alice', '--json'), text):
        assert 'ha1:' not in shown and 'wonderland' not in shown


def test_the_database_alone_gives_no_password_away(node):
    stored = b''.join(p.read_bytes() for p in node.folder.glob('dialtone.db*'))
    assert b'wonderland' not in stored and b'ha1:' not in stored and b'sealed:' in stored
    assert (node.folder / 'secrets.key').stat().st_mode & 0o777 == 0o600


def register(node, device, number, contact, model=683, until='FeatureControlVersionStamp'):
    """One line of a Cisco phone by TCP; all that the server says up to that word."""
    with socket.create_connection(('127.0.0.1', node.sip_port), 10) as s:
        own = s.getsockname()[1]
        mac = device[3:].lower()
        s.sendall(f'REGISTER sip:127.0.0.1 SIP/2.0\r\n'
                  f'Via: SIP/2.0/TCP 127.0.0.1:{own};branch=z9hG4bK00000001\r\n'
                  f'From: <sip:{number}@127.0.0.1>;tag={mac}00010000000-00000001\r\nTo: <sip:{number}@127.0.0.1>\r\n'
                  f'Call-ID: {mac[:8]}-{mac[8:]}0001-1-1@127.0.0.1\r\nMax-Forwards: 70\r\nCSeq: 101 REGISTER\r\n'
                  f'User-Agent: Cisco-CP8841/12.8.1\r\n'
                  f'Contact: <sip:{contact}@127.0.0.1:{own};transport=tcp>;'
                  f'+sip.instance="<urn:uuid:00000000-0000-0000-0000-{mac}>";'
                  f'+u.sip!devicename.ccm.cisco.com="{device}";+u.sip!model.ccm.cisco.com="{model}"\r\n'
                  f'Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,X-cisco-callinfo,'
                  f'X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,X-cisco-sis-7.0.0\r\n'
                  f'Expires: 3600\r\nContent-Length: 0\r\n\r\n'.encode())
        said = b''
        s.settimeout(60)
        while until.encode() not in said:
            more = s.recv(65536)
            if not more:
                break
            said += more
        return said.decode('latin-1')


def test_the_registrar_quotes_the_stamps_of_the_files(node):
    device = xml.fromstring(get(node, PHONE + '.cnf.xml'))
    line = next(device.iter('line'))
    said = register(node, PHONE, '7001', line.findtext('contact'))
    assert said.count('SIP/2.0 200') == 1 and 'action=check-version' in said, said
    quoted = dict(re.findall(r'(\w+)VersionStamp=\{(\w*)\}', said))
    for name, file in (('Dialplan', 'dialTemplate'), ('Softkey', 'softKeyFile'), ('FeatureControl', 'featurePolicyFile')):
        assert quoted[name] == xml.fromstring(get(node, next(device.iter(file)).text)).findtext('versionStamp')
    assert quoted['Config'] == device.findtext('versionStamp')


def test_an_unknown_phone_with_a_sip_load_is_adopted_as_one(node):
    name = 'SEP0011223344A9'
    assert ' 404 ' in register(node, name, '7009', '7009', model=30018, until='Auto-registration')
    until(lambda: name in ask(node, 'unknown', 'list'))
    ask(node, 'unknown', 'adopt', name, lines='7009')
    assert xml.fromstring(get(node, name + '.cnf.xml')).findtext('deviceProtocol') == 'SIP'
