"""What the doctor says of a capture: text, JSON by its published schema, exit statuses."""
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest

DIALTONE = pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOT = ROOT / 'tests/fuzz/corpus/capture/boot.pcap'


def doctor(*words):
    r = subprocess.run([DIALTONE, 'doctor', *words], capture_output=True, text=True, timeout=300, check=False)
    return r.returncode, r.stdout, r.stderr


def test_json_is_what_the_schema_says():
    schema = json.loads((ROOT / 'docs/doctor.schema.json').read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for words in ([], ['-v']):
        status, out, _ = doctor(BOOT, '--json', *words)
        assert status in (0, 1)
        report = json.loads(out)
        jsonschema.validate(report, schema)
        assert report['n_phones'] == len(report['phones']) > 0
        assert all(p['findings'] for p in report['phones'])


def test_the_exit_status_says_what_was_found():
    assert doctor('/nonexistent.pcap')[0] == 3
    assert doctor()[0] == 2
    assert doctor('--explain', 'no-such-cause')[0] == 2
    status, out, _ = doctor('--explain', 'mac-ageing')
    assert status == 0 and 'port-security' in out
    assert len(doctor('--explain', 'all')[1].splitlines()) > 60


def test_a_page_is_written_to_its_file_and_over_no_capture(tmp_path):
    page, capture = tmp_path / 'report.html', tmp_path / 'copy.pcap'
    capture.write_bytes(BOOT.read_bytes())
    for _ in range(2):
        assert doctor(BOOT, '--html', page)[:2] == (0, '')
    assert page.read_text() == doctor(BOOT, '--html', '-')[1]
    status, _, err = doctor('--html', capture, BOOT)
    assert status == 2 and 'no page' in err and capture.read_bytes() == BOOT.read_bytes()
    assert doctor(BOOT, '--html', tmp_path / 'nowhere' / 'x.html')[0] == 3


@pytest.mark.parametrize('language,words', [('fr', 'Ce que cela signifie'), ('zh', '含义')])
def test_a_cause_is_explained_in_the_language_asked_for(language, words):
    names = [line.split()[0] for line in doctor('--explain', 'all')[1].splitlines()]
    for name in names:
        status, out, _ = doctor('--explain', name, '--lang', language)
        assert status == 0 and out.startswith(name) and words in out


def test_the_story_names_packets():
    _, out, _ = doctor(BOOT, '-v')
    assert 'asks by DHCP' in out and out.rstrip().splitlines()[-1].split()[1].startswith('phone')
