"""Trace files and captures (TRC-1): phones that boot over DHCP, TFTP and SCCP leave lines that readers know; one
archive holds those of one phone; captures are files that tshark reads without a complaint."""
import re
import tarfile

import pytest

from conftest import DIALTONE, SERVER, judge, run, until
from sip_client import Client

FIRST, SECOND = 'SEP001122000001', 'SEP001122000002'
TIME = re.compile(r'^\d\d:\d\d:\d\d\.\d{3} (CCM|TFTP|DHCP)\|')


@pytest.fixture
def site(lan, server):
    server.start('dhcp.interfaces=eth0', 'sccp.port=2000', 'sip.tls_port=5061', 'sip.port=5060')
    server.add_scope()
    for name, number in (FIRST, '7001'), (SECOND, '7002'):
        server.add_phone(name, '7960', number)
    return server


def boot(lan, count=2, *more):
    return lan.client.run(DIALTONE, 'fleet', '--interface', 'eth0', '--count', count, '--model', '7960',
                          '--first-mac', '001122000001', '--wait', '60', *more)


def lines(server, prefix):
    return [line for path in sorted((server.data / 'traces').glob(f'{prefix}*.txt'))
            for line in path.read_text(errors='replace').split('\n')]


def test_phones_leave_lines_in_the_traces_of_each_service(lan, site):
    site.ask('trace', 'set', 'all', 'level=Detailed')
    boot(lan)
    until(lambda: any('UnregisterAck' in line for line in lines(site, 'ccm')))
    until(lambda: any('ACK' in line for line in lines(site, 'dhcp')) and any(FIRST in line for line in lines(site, 'ctftp')))
    ccm = lines(site, 'ccm')
    assert re.match(r'^[\d:.]+ CCM\|FileHead UTC:\+00:00, Date: \d{4}/\d\d/\d\d, AppName: CCM, ', ccm[0])
    assert all(TIME.match(line) for line in ccm if line)
    register = next(line for line in ccm if 'InboundStim - Register' in line)
    assert re.search(r'StationInit - InboundStim - RegisterMessageID tcpHandle=0x[0-9a-f]+ .*device_name=', register)
    assert f'<DEV::{FIRST}>' in register or f'<DEV::{SECOND}>' in register
    assert any(re.search(r'StationD - stationOutputRegisterAck tcpHandle=0x[0-9a-f]+ ', line) for line in ccm)
    assert any('New connection accepted' in line for line in ccm)
    assert any('DISCOVER' in line and f'<DEV::{FIRST}>' in line for line in lines(site, 'dhcp'))
    for row in site.json('trace', 'list'):
        assert row['level'] == 'Detailed' and row['lines'] > 0 and not row['error']
    counted = site.row('Dropped', 'counter', 'list', '--search', 'Dropped')
    assert not counted or counted['value'] == 0


def test_an_archive_holds_the_lines_of_one_phone(lan, site, tmp_path):
    site.ask('trace', 'set', 'all', 'level=Detailed')
    boot(lan)
    until(lambda: sum('UnregisterAck' in line for line in lines(site, 'ccm')) >= 2)
    archive = tmp_path / 'one.tar.gz'
    site.ask('trace', 'collect', archive, '--device', FIRST, '--since', '1h')
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        text = {n: tar.extractfile(n).read().decode(errors='replace') for n in names}
    for part in 'cm/trace/ccm/sdi/ccm0', 'cm/trace/ctftp/sdi/ctftp0', 'cm/trace/dhcp/sdi/dhcp0':
        assert any(part in n for n in names), names
    wrong = {n: [line for line in t.split('\n') if SECOND in line] for n, t in text.items() if FIRST not in t or SECOND in t}
    assert not wrong
    refused = tmp_path / 'none.tar.gz'
    site.ask('trace', 'collect', refused, '--since', '2099-01-01')
    with tarfile.open(refused) as tar:
        assert not tar.getnames()


def test_traces_take_the_form_of_newer_servers(lan, site, tmp_path):
    """As readers of SDL traces take them apart: names of files, lines, signals of eight columns, SIP messages."""
    site.ask('trace', 'set', 'all', 'level=Detailed', 'form=sdl')
    boot(lan, 1)
    phone = Client(lan.address().client, 'tcp')
    phone.register('7001', '001122000001', 7)
    assert phone.final()
    phone.close()
    assert site.json('trace', 'list')[0]['newest'] == 'SDL001_100_000001.txt.gzo'
    assert (site.data / 'traces' / 'SDL001_100.index').read_text() == 'SDL001_100_000001.txt.gzo\n'
    archive = tmp_path / 'all.tar.gz'
    until(lambda: site.json('trace', 'list')[0]['lines'] > 40)
    site.ask('trace', 'collect', archive, '--device', FIRST)
    with tarfile.open(archive) as tar:
        name, = [n for n in tar.getnames() if n.endswith('cm/trace/ccm/sdl/SDL001_100_000001.txt')]
        text = tar.extractfile(name).read().decode(errors='replace')
    heads = [re.match(r'^(\d{8}\.\d{3}) \|(\d\d:\d\d:\d\d\.\d{3}) \|(\w+)\s+\|(.*)$', line) for line in text.split('\n')]
    kinds = [h[3] for h in heads if h]
    assert kinds[0] == 'FileHead' and re.match(r'UTC:\+00:00,Date: \d{4}/\d\d/\d\d, AppName: CCM, AppId: 100, ', heads[0][4])
    assert {'SdlSig', 'AppInfo'} <= set(kinds)
    signals = [h[0].split('|') for h in heads if h and h[3] == 'SdlSig']
    assert all(len(s) >= 8 for s in signals) and any(s[3].strip() == 'StationRegister' and FIRST in s[7] for s in signals)
    assert any(re.match(r'StationInit: \(\d{7}\) Register ', h[4]) for h in heads if h)
    assert any(re.match(r'StationD:    \(\d{7}\) RegisterAck ', h[4]) for h in heads if h)
    sip = re.search(r'SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from ([\d.]+) on port (\d+) index \d+ with \d+ bytes:\n\[\d+,NET\]\nREGISTER sip:', text)
    assert sip
    told = run(DIALTONE, 'doctor', archive, check=False).stdout
    assert FIRST in told and 'the server refuses it' in told  # the SIP phone that has the name of one of SCCP
    site.ask('trace', 'set', 'all', 'form=ccm')
    assert site.json('trace', 'list')[0]['newest'] in ('', 'ccm00000001.txt')


def test_only_the_phones_that_were_named_are_traced(lan, site, tmp_path):
    site.ask('trace', 'set', 'all', 'level=Detailed', f'phones={SECOND}')
    boot(lan)
    until(lambda: any('UnregisterAck' in line for line in lines(site, 'ccm')))
    assert not any(FIRST in line for prefix in ('ccm', 'dhcp', 'ctftp') for line in lines(site, prefix))
    site.ask('trace', 'set', 'all', 'level=Off', 'phones=')
    site.ask('trace', 'collect', tmp_path / 'all.tar.gz')  # and so all that was to be written is
    before = len(lines(site, 'ccm'))
    boot(lan)
    assert len(lines(site, 'ccm')) == before


def test_what_is_no_level_or_service_is_refused(site):
    assert 'Detailed' in site.ask('trace', 'set', 'tftp', 'level=loud', check=False).stderr
    assert 'callmanager, tftp, dhcp' in site.ask('trace', 'set', 'cdr', 'level=Error', check=False).stderr
    assert 'duration' in site.ask('capture', 'start', 'duration=2d', check=False).stderr
    assert 'no such interface' in site.ask('capture', 'start', 'interface=eth9', check=False).stderr
    assert site.ask('capture', 'stop', check=False).returncode == 1


def test_a_capture_holds_the_packets_of_one_phone(lan, site, tmp_path):
    """From its first DHCP message: by its Ethernet address, then by the addresses it gets."""
    site.ask('capture', 'start', f'phone={FIRST}', 'duration=60')
    boot(lan)
    name = site.json('capture', 'list')[0]['name']
    site.ask('capture', 'stop', FIRST)
    site.ask('capture', 'fetch', name, tmp_path / 'one.pcapng')
    assert judge(tmp_path / 'one.pcapng') > 20
    seen = run('tshark', '-n', '-r', tmp_path / 'one.pcapng', '-T', 'fields', '-e', 'dhcp.hw.mac_addr', '-e',
               'tftp.opcode', '-e', 'skinny.messageId').stdout
    assert '00:11:22:00:00:01' in seen and '00:11:22:00:00:02' not in seen
    assert '0x00000001' in seen or '\t1' in seen
    assert 'captured 1' not in seen
    row = site.json('capture', 'list')[0]
    assert row['state'] == 'ended' and row['phone'] == FIRST


def test_a_capture_ends_by_its_time_and_by_its_size(lan, site):
    site.ask('capture', 'start', 'duration=1', f'phone={SECOND}')
    until(lambda: site.json('capture', 'list')[0]['state'] == 'ended')
    site.ask('capture', 'start', 'max_size=1')
    with_all = site.json('capture', 'list')[0]['name']
    flood = lan.address().client.udp()

    def full():
        for _ in range(400):
            flood.sendto(b'x' * 1400, (SERVER, 9999))
        return site.row(with_all, 'capture', 'list')['state'] == 'ended'
    until(full)
    assert (site.data / 'captures' / f'{with_all}.pcapng').stat().st_size < 3 << 20


def test_messages_are_captured_where_packets_may_not_be_seen(lan, site, tmp_path):
    site.ask('capture', 'start', 'messages=yes')
    boot(lan)
    name = site.json('capture', 'list')[0]['name']
    until(lambda: site.json('capture', 'list')[0]['frames'] > 20)
    site.ask('capture', 'stop')
    site.ask('capture', 'fetch', name, tmp_path / 'said.pcapng')
    assert judge(tmp_path / 'said.pcapng') > 20
    seen = run('tshark', '-n', '-r', tmp_path / 'said.pcapng', '-T', 'fields', '-e', '_ws.col.Protocol').stdout.split()
    assert 'SKINNY' in seen and 'DHCP' in seen


def test_secrets_open_what_a_phone_says_over_tls(lan, site, tmp_path):
    site.ask('phone', 'add', 'SEP00AABBCCDD01', 'model=8841', 'protocol=sip', 'lines=7100')
    authority = tmp_path / 'authority.pem'
    authority.write_text((site.data / 'certificates' / 'authority.pem').read_text())
    site.ask('capture', 'start', 'secrets=yes', 'duration=60')
    phone = Client(lan.address().client, 'tls', tls=authority)
    phone.register('7100', '00AABBCCDD01', 683)
    assert phone.final().status == 200
    phone.close()
    name = site.json('capture', 'list')[0]['name']
    site.ask('capture', 'stop')
    site.ask('capture', 'fetch', name, tmp_path / 'open.pcapng')
    seen = run('tshark', '-n', '-r', tmp_path / 'open.pcapng', '-Y', 'sip', '-T', 'fields', '-e', 'sip.Method', '-e',
               'sip.Status-Code').stdout
    assert 'REGISTER' in seen
