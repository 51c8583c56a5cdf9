"""places.py - pages and commands that the doctor's advice names and that do not exist, in each of its languages."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
ROUTES = (TOP / 'web/routes.js').read_text()
COMMANDS = {tuple(c) for c in re.findall(r'^COMMAND\("([^"]+)",\s*"([^"]*)"', (TOP / 'src/cli/commands.def').read_text(), re.M)}
TITLES = set(re.findall(r"title: '([^']+)'", ROUTES)) | set(re.findall(r"^\s+\['[\w-]+', '([^']+)', '\w+',$", ROUTES, re.M)) | \
    set(re.findall(r"\['\w+', '(\w+)', '\w+'\]", ROUTES))
PLAIN = ('dialtone.conf', 'Nothing to change', 'Rien à changer', '此处无需改动')
SPLIT = {'en': ('; ', ' > ', ': '), 'fr': ('\u00a0; ', ' > ', '\u00a0: '), 'zh': ('；', ' > ', '：')}


def plain(text):
    return text.replace('’', "'").replace('\u202f', '\u00a0')


def pages(language):
    if language == 'en':
        return TITLES
    table = dict(re.findall(r"^    '([^']+)': '([^']+)',$", (TOP / f'web/words/{language}.js').read_text(), re.M))
    return {plain(table.get(t, t)) for t in TITLES}


def rows(language):
    """Identifier, and what is to be done, where here, where there."""
    text = (TOP / f'src/doctor/words/{language}.def').read_text()
    for row in re.findall(r'^WORDS\((.*?)\)$', text, re.M | re.S):
        name, _, rest = row.partition(',')
        texts = ['']
        for words, comma in re.findall(r'"((?:[^"\\]|\\.)*)"|(,)', rest):
            texts[-1] += words
            texts += [''] * bool(comma)
        yield name, texts


def wrong(language):
    known, (also, below, colon) = pages(language), SPLIT[language]
    for name, texts in rows(language):
        if len(texts) != 5 and name != 'id':
            yield f'{language}: {name}: {len(texts)} texts'
            continue
        for command in re.findall(r'`dialtone ([a-z]+) ?([a-z]*)', ' '.join(texts)):
            if command not in COMMANDS and (command[0], '') not in COMMANDS:
                yield f'{language}: {name}: no command {command}'
        for part in plain(texts[3]).rstrip('.。').split(also) if texts[3] else []:
            page = part.split(below)[0].split(colon)[0].strip()
            if page not in known and not page.startswith(PLAIN) and not page.startswith('`dialtone '):
                yield f'{language}: {name}: no page {page!r}'
        if not texts[3] and name != 'HEALTHY':
            yield f'{language}: {name}: not said where'


if __name__ == '__main__':
    found = [w for language in SPLIT for w in wrong(language)]
    print(*found, sep='\n')
    print(len(found), 'places that do not exist')
    sys.exit(bool(found))
