"""What the doctor says of a capture: text, JSON by its published schema, exit statuses."""
import json
import os
import pathlib
import subprocess

import jsonschema

DIALTONE = pathlib.Path(os.environ.get('DIALTONE', 'build/dialtone')).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOT = ROOT / 'tests/fuzz/corpus/capture/boot.pcap'


def doctor(*words):
    r = subprocess.run([DIALTONE, 'doctor', *words], capture_output=True, text=True, timeout=60, check=False)
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


def test_the_story_names_packets():
    _, out, _ = doctor(BOOT, '-v')
    assert 'asks by DHCP' in out and out.rstrip().splitlines()[-1].split()[1].startswith('phone')
