"""sentences.py - what the server's source refuses and notes in English and src/server/web/sentences.def lacks."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
CALL = re.compile(r'\b(?:admin_refuse|admin_refuse_as|server_refuse|web_refuse|web_refuse_for_now|note|apply_fault|fault)\(([^;]*?)\);', re.S)
TEXT = re.compile(r'(?:"(?:[^"\\]|\\.)*"\s*)+')


def literals(text):
    """Those of one call, neighbours joined; macros between them end one."""
    for piece in TEXT.findall(text):
        yield ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', piece)).replace('\\"', '"').replace('\\\\', '\\')


def bare(format):
    """A format without the kinds of its values; a full stop at the end may be there or not."""
    return re.sub(r'%[-+#0-9.*hlzj]*[a-z]', '%', format).rstrip('.')


def spoken():
    for pattern in ('src/server/**/*.c', 'src/core/**/*.c'):
        for file in sorted(TOP.glob(pattern)):
            for call in CALL.findall(re.sub(r'/\*.*?\*/', '', file.read_text(), flags=re.S)):
                for text in literals(call):
                    if re.search(r'[a-z]{2} |[a-z]{3}\.$', text) and not text.startswith('{'):
                        yield file.name, text


def known():
    rows = re.findall(r'^SENTENCE\(("(?:[^"\\]|\\.)*"),', (TOP / 'src/server/web/sentences.def').read_text(), re.M)
    return {bare(next(literals(row))) for row in rows}


PARTS = {'Log in with POST ', 'session, or send a bearer token', "The administration's API begins at ", 'openapi.json', ' Did you mean "',
         ': did you mean ', ': did you mean "', 'there is no % "%"%%%', '% is %%%', 'none runs, or several: which?%', '% %'}  # their wholes have rows

if __name__ == '__main__':
    rows = known()
    missing = sorted({(file, text) for file, text in spoken() if bare(text) not in rows | PARTS})
    print(*(f'{file}: {text}' for file, text in missing), sep='\n')
    print(len(missing), 'sentences without a row')
    sys.exit(bool(missing))
