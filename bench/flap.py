#!/usr/bin/env python3
"""flap.py - the web page while phones come and go: a fleet that is registered, and a part of it that flaps.

bench/flap.py [PHONES] [DIALTONE] [FLAPPING] [SECONDS]      (100 000, build/dialtone of a release build, 1 000, 120)

The flapping phones unregister five seconds after they have registered and come back at once; the others refresh their
registrations by SIP. On the list of phones, the overview, one phone that flaps and the event viewer: tasks of the page
that take longer than 50 ms, how late what the server tells twice a second comes, what a search takes meanwhile, and
what memory the page has after a collection of garbage at the beginning and at the end."""
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from pages import DIALTONE, PHONES, SEARCH, Costs, open_page, report, start

FLAPPING = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
SECONDS = int(sys.argv[4]) if len(sys.argv) > 4 else 120
WATCH = '''
    window.tasks = []; window.told = []; window.rows = 0; window.partial = 0;
    new PerformanceObserver((l) => window.tasks.push(...l.getEntries().map((e) => e.duration))).observe({ type: 'longtask' });
    const Stream = EventSource;
    window.EventSource = class extends Stream {
        constructor(at) {
            super(at);
            super.addEventListener('phones', (e) => {
                const now = JSON.parse(e.data);
                window.told.push(performance.now()); window.rows += now.changed.length; window.partial += now.complete ? 0 : 1; window.counts = now;
            });
        }
    };'''


def fleet(port, *words):
    return subprocess.Popen([DIALTONE, 'fleet', '--server', '127.0.0.1', '--protocol', 'sip', '--transport', 'udp', '--share-socket', '--no-files', '--sip-port', str(port), '--duration', '3600', '--model', '7960,7970,7912,7941']
                            + [str(w) for w in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def memory(page):
    page.driver.execute_cdp_cmd('HeapProfiler.collectGarbage', {})
    found = {m['name']: m['value'] for m in page.driver.execute_cdp_cmd('Performance.getMetrics', {})['metrics']}
    return f'{found["JSHeapUsedSize"] / 1e6:.1f} MB, {found["Nodes"]:.0f} nodes, {found["JSEventListeners"]:.0f} listeners'


def begin(page):
    page.run('window.tasks = []; window.told = []; window.rows = 0; window.partial = 0')


def heard(page, what, since):
    """What came by the stream, how regularly, and what the page made of it."""
    tasks, told, rows, partial, counts = page.run('return [window.tasks, window.told, window.rows, window.partial, window.counts]')
    gaps = [b - a for a, b in zip(told, told[1:])] or [0]
    print(f'{what:38} {len(told) / since:3.1f} turns/s, {rows / since:5.0f} phones/s, {partial} turns told of more than they name, gap median {statistics.median(gaps):.0f} ms, worst {max(gaps):.0f} ms; '
          f'tasks over 50 ms: {len(tasks)}, worst {max(tasks, default=0):.0f} ms; {counts["registered"] if counts else "-"} registered', flush=True)


def searches(page):
    times = []
    for i in (4711, 42, 99, 60007, 777):
        times.append(page.driver.execute_async_script(SEARCH, f'SEP{i % PHONES:012X}', '1'))
        page.driver.execute_async_script(SEARCH, '', f'{PHONES:,}')
    report('search meanwhile', times)


def main():
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            sip = s.getsockname()[1]
        server, port, key = start(folder, 'sip', f'sip.port={sip}', 'node.address=127.0.0.1')
        page = open_page(port, key)
        fleets = [fleet(sip, '--count', PHONES - FLAPPING - 4, '--first-mac', f'{4:012x}', '--ramp', 5000)]
        try:
            page.driver.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': WATCH})
            page.load('/phone')
            begun = time.monotonic()
            page.until(lambda: (page.run('return (window.counts || {}).registered') or 0) >= 0.97 * (PHONES - FLAPPING), 300)
            heard(page, 'they register', time.monotonic() - begun)
            fleets.append(fleet(sip, '--count', FLAPPING, '--first-mac', f'{PHONES - FLAPPING:012x}', '--source', '127.100.0.1', '--fault', 'flap', '--ramp', max(1, FLAPPING // 5)))
            time.sleep(10)
            page.load('/phone')
            costs = Costs(page, server)
            print('memory at first   ', memory(page), flush=True)
            for path in ('/phone', '/', f'/phone/SEP{PHONES - 7:012X}', '/event', '/phone?status=registered&sort=-since', '/phone'):
                page.go(path)
                begin(page)
                costs.begin()
                time.sleep(SECONDS / 6)
                heard(page, path, SECONDS / 6)
                costs.report('  each second', SECONDS / 6)
            begin(page)
            costs.begin()
            searches(page)
            costs.report('search and the whole list again', 5)
            heard(page, 'with searches', 1)
            print('memory at the end ', memory(page))
        finally:
            page.close()
            for f in fleets:
                f.kill()
            server.terminate()
            server.wait(60)


if __name__ == '__main__':
    main()
