#!/usr/bin/env python3
"""pack.py - the files of web/ as one C source: as they are and compressed, with the hash that their addresses carry.

pack.py OUTPUT FOLDER FILE...
"""
import gzip
import hashlib
import os
import sys


def literal(data):
    """Octal digits, always three: the byte that follows never belongs to them."""
    lines = (data[at:at + 64] for at in range(0, len(data), 64))
    return '\n'.join('        "' + ''.join(f'\\{b:03o}' for b in line) + '"' for line in lines) or '""'


def main(output, folder, names):
    files = {os.path.relpath(name, folder): open(name, 'rb').read() for name in sorted(names)}
    version = hashlib.sha256(b''.join(k.encode() + b'\0' + v for k, v in files.items())).hexdigest()[:12]
    files['index.html'] = files['index.html'].replace(b'@V@', version.encode())
    with open(output, 'w') as out:
        out.write('/* Made by pack.py. */\n#include "server/web/pages.h"\n\n')
        out.write(f'const char page_version[] = "{version}";\nconst struct page_file page_files[] = {{\n')
        for path, data in files.items():
            packed = gzip.compress(data, 9, mtime=0)
            out.write(f'    {{"{path}", {len(data)}, {len(packed)},\n{literal(data)},\n{literal(packed)}}},\n')
        out.write('};\nconst size_t n_page_files = sizeof(page_files) / sizeof(*page_files);\n')


main(sys.argv[1], sys.argv[2], sys.argv[3:])
