#!/usr/bin/env python3
"""pages.py - the web page with many phones: first useful paint and search, in Debian's Chromium.

bench/pages.py [PHONES] [DIALTONE]      (100 000, build/dialtone of a release build; see also flap.py)

Paint: from the begin of the navigation until rows of the list are drawn, the page's files from the browser's cache and
not. Search: from the key until the rows that fit are drawn; the field waits 20 ms for a further key."""
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / 'tests/web'))
from browser import Browser  # noqa: E402

PHONES = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
DIALTONE = sys.argv[2] if len(sys.argv) > 2 else str(TOP / 'build/dialtone')
PAINTED = '''
    window.painted = 0;
    addEventListener('DOMContentLoaded', () => new MutationObserver((_, o) => {
        if (!window.painted && document.querySelector(window.name || 'tbody tr[data-row] td a')) {
            o.disconnect();
            requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = performance.now(); }));
        }
    }).observe(document, { childList: true, subtree: true }));'''
SEARCH = '''
    const [text, wanted, done] = arguments;
    const field = document.querySelector('input[type=search]');
    const begun = performance.now();
    const fits = () => document.querySelector('.count').textContent.startsWith(wanted + ' ') && !document.querySelector('[aria-busy=true]');
    new MutationObserver((_, o) => { if (fits()) { o.disconnect(); requestAnimationFrame(() => done(performance.now() - begun)); } })
        .observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));'''


class Costs:
    """CPU time of the page's main thread and of the server: what the times above would be with a core for each."""

    def __init__(self, page, server):
        self.page, self.server = page, server
        page.driver.execute_cdp_cmd('Performance.enable', {})
        self.begin()

    def spent(self):
        busy = {m['name']: m['value'] for m in self.page.driver.execute_cdp_cmd('Performance.getMetrics', {})['metrics']}['TaskDuration']
        fields = pathlib.Path(f'/proc/{self.server.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return 1000 * busy, 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def begin(self):
        self.before = self.spent()

    def report(self, what, n):
        page, server = (after - before for before, after in zip(self.before, self.spent()))
        print(f'{what:46} CPU: page {page / n:5.0f} ms, server {server / n:5.1f} ms each')


def report(what, times):
    print(f'{what:46} median {statistics.median(times):6.0f} ms, worst {max(times):6.0f} ms of {len(times)}')


def start(folder, protocol='sccp', *settings):
    """A server with so many phones in its database. Returns its process, the port of the page, the first key."""
    rows = ''.join(f'SEP{i:012X},{("7960", "7970", "7912", "7941")[i % 4]},{protocol},Desk {i} of building {i % 37},Default,{100000 + i}\n' for i in range(PHONES))
    pathlib.Path(folder, 'phones.csv').write_text('name,model,protocol,description,pool,lines\n' + rows)
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    quiet = ['sccp.port=0', 'sccp.tls_port=0', 'sip.port=0', 'sip.tls_port=0', 'tftp.port=0', 'files.http_port=0', 'cluster.port=0', f'admin.port={port}', *settings]
    server = subprocess.Popen([DIALTONE, 'serve', '--data', f'{folder}/data'] + [w for s in quiet + [f'admin.web={TOP}/web' if '--disk' in sys.argv else 'admin.web='] for w in ('--set', s)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ''
    while 'Ready.' not in said:
        said += server.stdout.readline()
    threading.Thread(target=lambda: [None for _ in server.stdout], daemon=True).start()  # a pipe that nobody reads would stop it
    begun = time.monotonic()
    subprocess.run([DIALTONE, '--data', f'{folder}/data', 'import', f'{folder}/phones.csv'], check=True, stdout=subprocess.DEVNULL)
    print(f'{PHONES} phones imported in {time.monotonic() - begun:.1f} s', flush=True)
    return server, port, re.search('key ([0-9a-f]{32})', said).group(1)


def open_page(port, key):
    page = Browser(f'http://127.0.0.1:{port}')
    page.load('/?key=' + key)
    page.click('Log in')
    page.one('.bar .user')
    return page


def main():
    with tempfile.TemporaryDirectory() as folder:
        server, port, key = start(folder)
        page = open_page(port, key)
        try:
            page.driver.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': PAINTED})
            for path, css in (('/phone', ''), ('/', '.truth')):
                for what, cached in (('empty', False), ('warm', True)):
                    times = []
                    for _ in range(7):
                        page.run('window.name = arguments[0]', css)
                        if not cached:
                            page.driver.execute_cdp_cmd('Network.clearBrowserCache', {})
                        page.driver.get(page.base + path)
                        times.append(page.until(lambda: page.run('return window.painted')))
                    report(f'{path}: rows drawn, {what} cache', times)
            page.run('window.name = ""')
            page.load('/phone')
            page.until(lambda: page.all('tbody tr[data-row]'))
            costs = Costs(page, server)
            times = []
            for i in (4711, 42, 99, 60007, 777):
                i %= PHONES
                times.append(page.driver.execute_async_script(SEARCH, f'SEP{i:012X}', '1'))
                page.driver.execute_async_script(SEARCH, '', f'{PHONES:,}')
            report('search: one of all', times)
            costs.report('search and the whole list again', len(times))
            costs.begin()
            times = []
            for _ in range(5):
                begun = time.monotonic()
                page.run('document.querySelector(".table-box").scrollTop = 1e9 * Math.random()')
                page.until(lambda: page.run('return !document.querySelector(".coming, [aria-busy=true]")'))
                times.append(1000 * (time.monotonic() - begun))
                page.run('document.querySelector(".table-box").scrollTop = 0')
            report('scrolled to anywhere: rows drawn', times)
            costs.report('scrolled to anywhere and back', len(times))
            print(f'rows in the document: {page.run("return document.querySelectorAll(`tbody tr`).length")}')
        finally:
            page.close()
            server.terminate()
            server.wait(60)


if __name__ == '__main__':
    main()
