"""words.py - what the web page says in English and the words of another language lack, or have too much.

Sentences are the keys: t('…') and title('…') in web/, names of pages in routes.js, titles of fields in entities.def, and what the
server says in single words."""
import json
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
SERVER = '''registered, unregistered, rejected, unknown, running, ended, stopped, failed, off, missing, sent, asked, refused, this node,
reported model, connection, own address, last message, last absence, transport, version, offered version, instance, neighbour,
keepalives, keepalives missed, keepalive gap ms, keepalive worst ms, keepalive jitter ms, round trip ms, round trip deviation ms, segments sent again,
segments waiting, uri, q,
expires, address, state, status, role, seconds, rtt ms, about, mac, scope, ends, until, device, serial, subject, issuer, from, fingerprint,
phone, speed dial, service, blf, hold, redial, transfer, forward all, display, voice mail, conference, park, pickup, unused, messages,
directory, headset, group pickup, dnd, mobility, application, select, port, days left, sha256, kind, names, file, files, size, free, offered,
emergency, alert, critical, notice, info, debug, expired, abandoned, reserved, expires s, number, contact, interface, platform, protocol, voice vlan, native vlan, last seen, vendor,
registered, model, fits, built in, not there, pool, defaults, datetime, group, template, softkeys, sip-profile, security-profile,
dial-rules, parameter, line, callmanager, operation, text, error, warning, fatal,
viewer, operator, administrator, none, user, admin, both, all, all-but-last, forced, limited, privileged, disabled, authenticated, encrypted, nominal, connected conference,
connected transfer, digits after first, hold conference, in use hint, off hook, off hook feature, on hold, on hook, on hook stealable, ring in, ring out, signalling,
avt always, waiting, connecting, registering, configuring, leaving, moving, asking for a token, loading, vlan, probe, tftp-name, upgrade, ready, extras, done'''.replace('\n', ' ').split(', ')
CALL = re.compile(r"""\b(?:t|title)\(\s*(['"])((?:(?!\1)[^\\]|\\.)*)\1""")


def spoken():
    words = set(SERVER)
    for file in TOP.glob('web/**/*.js'):
        if file.parent.name not in ('vendor', 'words'):
            words.update(re.sub(r'\\(.)', r'\1', w) for _, w in CALL.findall(file.read_text()))
    words.update(re.findall(r"'([A-Z][^']*)'", (TOP / 'web/routes.js').read_text()))
    rows = re.findall(r'^\s*(?:ENTITY|ITEM|KEY|STR|SECRET|NUM|FLAG|ENUM|REF|LIST)\s*\(.*?"([^"]*)"\)$',
                      re.sub(r'/\*.*?\*/', '', (TOP / 'src/core/entities.def').read_text(), flags=re.S), re.M)
    words.update(row.replace('\\\\', '\\') for row in rows)
    return words


def table(language):
    text = (TOP / f'web/words/{language}.js').read_text()
    script = re.sub(r'^export default', 'module.exports =', text, flags=re.M)
    return json.loads(subprocess.run(['node', '-e', f'{script}\nconsole.log(JSON.stringify(module.exports))'], check=True, capture_output=True, text=True).stdout)


def wrong(language):
    """Sentences that lack, that nobody says, or whose places for values differ."""
    words, known = spoken(), table(language)
    places = lambda s: sorted(re.findall(r'\{\d\}', s))
    return ([f'missing: {w}' for w in sorted(words - known.keys())] + [f'not used: {w}' for w in sorted(known.keys() - words)] +
            [f'values differ: {w}' for w in sorted(words & known.keys()) if places(w) != places(known[w])])


if __name__ == '__main__':
    found = {language: wrong(language) for language in ('fr', 'zh')}
    for language, lines in found.items():
        print(*(f'{language}: {line}' for line in lines), sep='\n')
    sys.exit(any(found.values()))
