"""advice.py - alarms that somebody must act upon and web/lib/advice.js has no word about; and its words for alarms that are none."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
LIFE = {'ServicePortOnline', 'CallManagerOnline'}  # a notice, and good news

rows = re.findall(r'^ALARM\(\w+,\s*"(\w+)",\s*(\d)', (TOP / 'src/core/alarms.def').read_text(), re.M)
script = re.sub(r'//.*', '', (TOP / 'web/lib/advice.js').read_text())
advised = set(re.findall(r'^\s+(\w+): \(\) =>', script, re.M))
for several in re.findall(r"for \(const name of \[([^\]]*)\]", script):
    advised.update(re.findall(r"'(\w+)'", several))
wrong = [f'no advice: {name}' for name, severity in rows if int(severity) <= 5 and name not in advised | LIFE]
wrong += [f'no alarm: {name}' for name in sorted(advised - {name for name, _ in rows})]
print(*wrong, sep='\n')
print(len(rows), 'alarms,', len(advised), 'with advice')
sys.exit(bool(wrong))
