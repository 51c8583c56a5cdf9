"""Faults made on purpose in the laboratory: the doctor names exactly their cause, from either end and from both.

A few of them here; `tests/faults` plays all, every phone model in health, and pairs of faults."""
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest

from conftest import DIALTONE, in_time, judge, run

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / 'docs/doctor.schema.json').read_text())
ALL = os.environ.get('FAULTS') == 'all'
ROWS = {f['name']: f for f in json.loads(run(DIALTONE, 'lab', 'faults', '--json').stdout)} if os.path.exists(DIALTONE) else {}
QUICK = ['healthy', 'no-option-150', 'dhcp-nak', 'dns-name-error', 'tftp-answers-lost', 'phone-not-added', 'file-truncated',
         'tcp-refused', 'type-mismatch', 'mac-ageing', 'dscp-lost', 'nat-healthy', 'nat-forgets', 'capture-one-sided']
PAIRS = [tuple(p.split('+')) for p in """
    dhcp-slow+type-mismatch tftp-loss+tcp-refused router-outside+mac-ageing vlan-disagree+type-mismatch dhcp-nak+keepalive-stopped
    load-missing+tcp-reset dhcp-slow+phone-not-added dhcp-slow+tftp-closed address-in-use+no-option-150 address-in-use+tcp-filtered
    vlan-disagree+tftp-filtered vlan-disagree+dns-name-error dhcp-nak+file-malformed dhcp-slow+file-truncated proxy-arp+type-mismatch
    proxy-arp+load-missing tftp-loss+mac-ageing tcp-late+keepalive-stopped tcp-late+load-part-missing dscp-lost+load-missing
    dscp-lost+mac-ageing vlan-disagree+dscp-lost router-outside+server-full dhcp-nak+register-no-answer dhcp-slow+register-incomplete
    load-missing+keepalive-to-phone alternate-tftp+type-mismatch vlan-disagree+flapping address-in-use+reset-by-server
    tftp-loss+register-no-answer dhcp-slow+mtu-black-hole load-missing+registered-elsewhere
    proxy-arp+keepalive-stopped dhcp-slow+mac-ageing files-slow+tcp-reset alternate-tftp+keepalive-stopped load-missing+type-mismatch
    dscp-lost+reset-by-server dhcp-nak+tcp-refused load-part-missing+register-incomplete files-slow+register-no-answer tcp-late+flapping
    proxy-arp+tcp-loss router-outside+file-malformed""".split()]
SIP = """healthy vlan-not-used vlan-disagree proxy-arp arp-silent dhcp-none dhcp-slow dhcp-nak no-option-150 dns-silent tftp-closed
    tftp-filtered tftp-name-silent tftp-one-way tftp-loss file-without-server load-missing tcp-refused tcp-filtered tcp-answers-lost
    tcp-late no-server-tried register-no-answer type-mismatch server-full flapping reset-by-server left-by-itself dscp-lost""".split()
MODELS = [('7910', 'sccp'), ('7940', 'sccp'), ('7960', 'sccp'), ('7961', 'sccp'), ('7961G-GE', 'sccp'), ('7970', 'sccp'),
          ('7975', 'sccp'), ('12SP+', 'sccp'), ('30VIP', 'sccp'), ('7960', 'sip'), ('7961', 'sip'), ('7975', 'sip'), ('8841', 'sip'),
          ('8961', 'sip'), ('7821', 'sip')]
ABOUT_CAPTURE = {'healthy', 'cannot-tell', 'capture-loss', 'capture-one-sided'}


def play(names, folder, *more):
    done = subprocess.run([DIALTONE, 'lab', 'run', names, '--folder', folder, *more], capture_output=True, text=True, timeout=300,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {'both': [folder / 'phone1.pcap', folder / 'server.pcap'], 'phone': [folder / 'phone1.pcap'],
            'server': [folder / 'server.pcap']}


def doctor(files):
    """Causes that the doctor is certain of, and those that it thinks possible."""
    words = [DIALTONE, 'doctor', files[0]] + (['--with', files[1]] if len(files) > 1 else [])
    done = subprocess.run(words + ['--json'], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    findings = [f for p in report['phones'] for f in p['findings']] + report['capture']
    causes = [{f['cause'] for f in findings if f['certain'] == certain} for certain in (True, False)]
    assert all(f['evidence'] for f in findings if f['certain'] and f['cause'] not in ABOUT_CAPTURE)
    return causes


def check(captures, wanted):
    """Wanted is 'a ~b ?c': a for certain, b at least as a possibility, c perhaps, nothing else."""
    for view, files in captures.items():
        certain, possible = doctor(files)
        words = wanted[view].split()
        must, named = {w for w in words if w[0] not in '~?'}, {w[1:] for w in words if w[0] == '~'}
        may = {w.strip('~?') for w in words}
        certain, possible = certain - (ABOUT_CAPTURE - may), possible - (ABOUT_CAPTURE - may)
        assert must <= certain and named <= certain | possible and certain | possible <= may, (view, certain, possible, words)


@pytest.mark.parametrize('name', list(ROWS) if ALL else QUICK)
@in_time
def test_the_doctor_names_the_fault(name, tmp_path):
    captures = play(name, tmp_path / 'lab')
    for path in captures['both']:
        judge(path)
    check(captures, ROWS[name])
    for path in captures['both']:  # names and addresses gone, it says the same
        hidden = path.with_suffix('.pcapng')
        assert run(DIALTONE, 'doctor', path, '--anonymise', hidden).returncode == 0
        assert doctor([hidden]) == doctor([path])


@pytest.mark.parametrize('name', SIP if ALL else SIP[-1:])
@in_time
def test_the_doctor_names_the_fault_of_a_sip_phone(name, tmp_path):
    check(play(name, tmp_path / 'lab', '--protocol', 'sip'), ROWS[name])


@pytest.mark.parametrize('pair', PAIRS if ALL else PAIRS[:1])
@in_time
def test_two_faults_at_once_are_both_named(pair, tmp_path):
    captures = play('+'.join(pair), tmp_path / 'lab')
    check({'both': captures['both']}, {'both': ' '.join(ROWS[name]['both'] for name in pair)})


@pytest.mark.parametrize('model,protocol', MODELS if ALL else MODELS[12:13])
@in_time
def test_nothing_is_wrong_with_a_healthy_phone(model, protocol, tmp_path):
    check(play('healthy', tmp_path / 'lab', '--model', model, '--protocol', protocol), ROWS['healthy'])


@pytest.mark.parametrize('language', ['en', 'fr', 'zh'])
def test_the_page_is_one_file_in_which_nothing_of_the_network_is_markup(language, tmp_path):
    play('type-mismatch', tmp_path / 'lab')
    hostile = b'<img src=x o>\'"'
    path = tmp_path / 'hostile.pcap'
    path.write_bytes((tmp_path / 'lab' / 'phone1.pcap').read_bytes().replace(b'SEP001D00000001', hostile))
    done = run(DIALTONE, 'doctor', path, '--html', '-', '--lang', language, check=False)
    assert done.returncode == 1 and done.stderr == ''
    page = done.stdout
    assert '&lt;img src=x o&gt;&apos;&quot;' in page and '<img' not in page
    assert not any(word in page for word in ('<script', 'javascript:', 'href=', 'src="', 'url(', '@import'))
    assert f'<html lang={language}>' in page and '<svg' in page and 'prefers-color-scheme' in page


def learn(tmp_path, fault, answers):
    return subprocess.run([DIALTONE, 'lab', 'learn', fault, '--folder', tmp_path / 'lesson', '--language', 'fr'], input=answers,
                          capture_output=True, text=True, timeout=300, check=False)


def test_a_lesson_hides_its_fault_until_it_is_named(tmp_path):
    done = learn(tmp_path, 'tcp-refused', 'hint\ntftp-closed\nnonsense\ntcp-refused\n')
    question, _, rest = done.stdout.partition('Quelle cause\u00a0?')
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'refused' not in question and 'server.pcap' in question
    assert 'Connexion' in rest and 'Non.' in rest and "Aucune cause ne s'appelle «\u00a0nonsense\u00a0»" in rest and 'Oui.' in rest
    assert 'la connexion est refusée aussitôt' in rest and "le service de traitement des appels ne tourne pas" in rest


def test_a_lesson_can_be_given_up(tmp_path):
    done = learn(tmp_path, '1', 'list\ngive up\n')
    assert done.returncode == 1 and 'healthy' in done.stdout, done.stdout + done.stderr
    assert learn(tmp_path, 'no-such-fault', '').returncode == 2
