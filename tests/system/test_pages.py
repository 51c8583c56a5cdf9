"""The web page in Debian's Chromium: files and headers, each page in three languages and two sizes, actions, axe."""
import gzip
import http.client
import pathlib
import re
import socket
import struct
import subprocess
import sys

import pytest

from node import DIALTONE, Node, free_port
from sccp_client import ALARM, REGISTER, REGISTER_REJECT, Phone
from sip_client import Client
from test_dhcp import packet
from test_discovery import cdp_of_a_phone, checksum

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / 'tests/web'))
import words  # noqa: E402
from browser import NARROW, PICTURES, WIDE, Browser, Keys  # noqa: E402

pytestmark = pytest.mark.xdist_group('pages')


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    port, sccp = free_port(), free_port()
    subprocess.run('ip link add pgs0 type veth peer name pgs1; ip address add 10.9.0.1/24 dev pgs0; ip link set pgs0 up; ip link set pgs1 up', shell=True, check=True)
    n = Node(tmp_path_factory.mktemp('pages'), f'admin.port={port}', f'sccp.port={sccp}', 'cdp.interfaces=pgs0', 'dhcp.interfaces=pgs0', 'sip.port=5060', 'tftp.port=6971')
    n.port, n.sccp = port, sccp
    n.key = re.search('key ([0-9a-f]{32})', n.said).group(1)
    yield n
    assert n.stop() == 0, n.said


def fetch(node, path, method='GET', **headers):
    connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=60)
    connection.request(method, path, headers={k.replace('_', '-'): v for k, v in headers.items()})
    answer = connection.getresponse()
    answer.body = answer.read()
    connection.close()
    return answer


def test_the_page_is_read_at_every_address_and_lets_nothing_foreign_in(node):
    for path in ('/', '/phone/SEP001122334455', '/server/10.1.2.3', '/no/such/page'):
        answer = fetch(node, path)
        assert answer.status == 200 and answer.getheader('Content-Type') == 'text/html; charset=utf-8'
        policy = answer.getheader('Content-Security-Policy')
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and 'unsafe' not in policy
        assert answer.getheader('Cache-Control') == 'no-cache'
        assert fetch(node, path, If_None_Match=answer.getheader('ETag')).status == 304
    assert not re.search(rb'<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|https?://', fetch(node, '/').body)
    assert fetch(node, '/', method='POST').status == 405


def test_files_of_the_page_never_change_and_are_sent_compressed(node):
    shell = fetch(node, '/').body.decode()
    paths = re.findall('(?:src|href)="(/v/[^"]+)"', shell)
    assert len(paths) > 5
    for path in paths:
        answer, packed = fetch(node, path), fetch(node, path, Accept_Encoding='gzip, br')
        assert answer.status == 200 and 'immutable' in answer.getheader('Cache-Control'), path
        assert packed.getheader('Content-Encoding') == 'gzip' and gzip.decompress(packed.body) == answer.body
        assert packed.getheader('ETag') != answer.getheader('ETag')
        assert answer.getheader('X-Content-Type-Options') == 'nosniff'
    version = paths[0].split('/')[2]
    for path in ('/v/', '/v/x', f'/v/{version}/', f'/v/{version}/../app.js', f'/v/{version}/%2e%2e/app.js', f'/v/{version}/README.md',
                 '/v/000000000000/app.js', f'/v/{version}//app.js', f'/v/{version}/lib'):
        assert fetch(node, path).status == 404, path


def test_types_of_the_page_hold():
    checked = subprocess.run([TOP / 'tests/web/check'], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize('language', ['fr', 'zh'])
def test_every_sentence_is_said_in_every_language(language):
    assert words.wrong(language) == []


def test_every_button_is_pressed_by_a_test():
    """By its words: those of a page stand in a test of the pages, as far as its first value."""
    said = ''.join(f.read_text() for f in pathlib.Path(__file__).parent.glob('test_pages*.py'))
    missing = []
    for file in [f for f in (TOP / 'web').glob('**/*.js') if f.parent.name not in ('vendor', 'words')]:
        for button in re.findall(r'<(?:button|\$\{Do\}|\$\{LinkButton\}|a class="button)[^`]*?</(?:button|\$\{Do\}|\$\{LinkButton\}|a)>', file.read_text(), re.S):
            words_ = [re.split(r'\{\d\}', w)[0].strip() for w in re.findall(r"\bt\(\s*'((?:[^'\\]|\\.)*)'", button)]
            if words_ and not any(w and w in said for w in words_):
                missing.append(f'{file.name}: {words_}')
    assert missing == []


def test_vendored_files_are_what_their_makers_published():
    for folder in ('web/vendor', 'tests/web'):
        subprocess.run(['sha256sum', '--quiet', '-c', 'SHA256SUMS'], cwd=TOP / folder, check=True)


# --- in the browser; from here on each test finds what the one before left ---

EVIL = '"><img src=x onerror="window.evil=1"><script>window.evil=1</script>'
PHONES = [f'SEP00112233440{i}' for i in range(8)]


@pytest.fixture(scope='module')
def page(node):
    b = Browser(f'http://127.0.0.1:{node.port}')
    yield b
    b.close()


@pytest.fixture(scope='module')
def fleet(node):
    """Three of the eight phones are there, and one that nobody added."""
    fleets = [subprocess.Popen([DIALTONE, 'fleet', '--server', '127.0.0.1', '--no-files', '--sccp-port', str(node.sccp), '--count', str(n), '--first-mac', mac, '--source', source,
                                '--duration', '3600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
              for n, mac, source in ((3, '001122334400', '127.64.0.1'), (1, '0011223344aa', '127.65.0.1'))]
    yield fleets
    for f in fleets:
        f.terminate()
        f.wait(60)


def test_the_first_log_in_is_by_key_and_then_by_password(node, page):
    page.load('/phone')
    page.click('Français')
    page.said('Se connecter')
    page.click('English')
    page.said('Log in')
    assert page.axe() == []
    page.click('First start: by key')
    page.type('Key', 'f' * 32)
    page.click('Log in')
    page.said('The key is wrong')
    page.type('Key', node.key)
    page.click('Log in')
    page.one('.bar .user')
    page.go('/add/user')
    page.type('User id', 'root')
    page.field('Role').send_keys('administrator')
    page.type('Password (kept as a yescrypt hash)', 'correct horse')
    page.click('Add', '.save-bar button')
    page.one('.login form')
    page.click('By name and password') if page.all('#key') else None
    page.type('User', 'root')
    page.type('Password', 'wrong')
    page.click('Log in')
    page.said('The name or the password is wrong.')
    page.type('Password', 'correct horse')
    page.click('Log in')
    page.one('.bar .user')
    assert page.text('.bar .user') == 'root'
    page.complaints()


def test_a_phone_is_added_with_its_plan_seen_first(page):
    page.go('/add/phone')
    page.type('Device name', '00:11:22:33:44:00')
    page.type('Device type (model table)', '7960')
    page.type('Numbers', '7000;7100')
    page.type('Description', 'Reception')
    page.said('Cisco 7960')
    page.click('What would happen?')
    page.said('Records that change:', 'dialog')
    assert page.axe() == []
    page.click('Add', 'dialog button')
    page.said('SEP001122334400', 'h1')
    for i, name in enumerate(PHONES[1:], 1):
        page.ask('POST', 'phone', {'name': name, 'model': '7960' if i < 4 else ['7970', '7912', '8841', '7911'][i - 4], 'protocol': 'sip' if i == 6 else 'sccp', 'lines': [str(7000 + i)], 'description': f'Desk {i}'})
    assert not page.complaints()


def test_phones_are_found_sorted_and_opened_with_the_keyboard(page, fleet):
    page.go('/phone')
    page.until(lambda: page.text('.count') == '8 rows')
    page.until(lambda: page.text().count('Registered') >= 4)  # as it happens, without a load
    page.keys('/')
    page.keys('7003')
    page.until(lambda: page.text('.count') == '1 row' and 'search=7003' in page.driver.current_url)
    page.keys(Keys.ESCAPE)
    page.until(lambda: page.text('.count') == '8 rows')
    page.click('Device name')
    page.until(lambda: 'sort=name' in page.driver.current_url)
    page.click('Device name ▲')
    page.until(lambda: page.text('tbody tr td a') == PHONES[7])
    page.keys('/')
    page.keys(Keys.ENTER)
    page.keys(Keys.ARROW_DOWN)
    page.keys(Keys.SPACE)
    page.said('1 selected')
    page.keys(Keys.ENTER)
    page.said(PHONES[6], 'h1')
    page.driver.back()
    page.settle()
    page.run('document.activeElement.blur()')
    page.one('body').send_keys('?')
    page.said('In a table: move, open', 'dialog')
    assert page.axe() == []
    page.keys(Keys.ESCAPE)
    page.until(lambda: not page.all('dialog'))
    page.one('body').send_keys('go')
    page.said('Overview', 'h1')
    assert not page.complaints()


def take_pictures(page):
    """For docs/web.md, when they are asked for."""
    for name, path, size, theme in (('phone', f'/phone/{PHONES[0]}', WIDE, 'light'), ('phones', '/phone', WIDE, 'light'), ('overview', '/', WIDE, 'dark'),
                                    ('add-phone', '/add/phone?model=7970&lines=7016', WIDE, 'light'), ('parameters', '/parameter', WIDE, 'dark'),
                                    ('phones-narrow', '/phone', NARROW, 'light'), ('phone-narrow', f'/phone/{PHONES[0]}', NARROW, 'dark')) if PICTURES else ():
        page.size(size)
        page.run('document.documentElement.dataset.theme = arguments[0]; document.querySelector(".messages").hidden = true', theme)
        page.go(path)
        page.picture(name)
    if PICTURES:
        page.size(WIDE)
        page.run('delete document.documentElement.dataset.theme; document.querySelector(".messages").hidden = false')
        page.go(f'/phone/{PHONES[0]}')


def test_one_phone_tells_all_that_is_known_and_takes_orders(page, fleet):
    page.go('/phone/' + PHONES[0])
    page.until(lambda: 'Registered' in page.text('.about'))
    for words_ in ('Picture of a Cisco 7960', 'Last boot', 'What happened', 'EndPointRegistered'):
        page.until(lambda: words_ in page.run('return document.body.innerText + [...document.querySelectorAll("svg[aria-label]")].map((s) => s.getAttribute("aria-label"))'))
    take_pictures(page)
    page.click('Restart')
    page.said('was told to restart', '.messages')
    page.click('File')
    page.said('<processNodeName>')
    page.said('CallManager group Default'.replace('CallManager g', 'G'))
    page.click('History')
    page.said('In the event viewer')
    assert not page.complaints()


def test_two_people_at_one_phone_see_each_other(page):
    page.go(f'/phone/{PHONES[1]}?tab=settings')
    page.type('Description', 'mine')
    page.ask('PATCH', f'phone/{PHONES[1]}', {'description': 'theirs', 'load': 'P003'})
    page.click('Save')
    page.said('Somebody else changed this meanwhile')
    row = page.until(lambda: [r for r in page.all('.notice tr') if 'theirs' in r.text])[0]
    assert 'mine' in row.text
    assert page.axe() == []
    page.click('Take these')
    page.click('Save')
    page.until(lambda: page.ask('GET', f'phone/{PHONES[1]}')['record']['description'] == 'mine')
    assert page.ask('GET', f'phone/{PHONES[1]}')['record']['load'] == 'P003'
    page.complaints()  # the refused request


def test_a_phone_is_copied_changed_and_deleted(page):
    page.go('/phone/' + PHONES[0])
    page.click('Copy')
    page.type('Device name', 'SEP0011223344FF')
    page.click('Add', '.save-bar button')
    page.said('SEP0011223344FF', 'h1')
    assert page.ask('GET', 'phone/SEP0011223344FF')['record']['description'] == 'Reception'
    page.click('Delete')
    page.click('Cancel', 'dialog button')
    page.click('Delete')
    page.click('Delete', 'dialog button')
    page.until(lambda: page.driver.current_url.endswith('/phone'))
    assert page.ask('GET', 'phone/SEP0011223344FF')['status'] == 404
    page.complaints()


def test_many_phones_are_changed_and_deleted_at_once(page):
    page.ask('POST', 'pool', {'name': 'Berlin'})
    page.go('/phone?search=Desk')
    page.until(lambda: len(page.all('tbody .tick')) >= 6)
    page.click('Select all', 'input')
    page.click('Change …')
    page.click('Device pool', 'dialog label')
    field = page.one('.bulk-field .field input')
    field.send_keys(Keys.CONTROL, 'a')  # not clear(): the page hears of no input, and may draw what was there before
    field.send_keys('Berlin')
    page.click('What would happen?', 'dialog button')
    page.said('Default', 'dialog table')
    page.click('Change 6 phones', 'dialog footer button')
    page.until(lambda: not page.all('dialog') and page.text('tbody').count('Berlin') == 6)
    page.click('Select none')
    page.go('/phone?pool=Berlin&search=7007')
    page.until(lambda: page.text('.count') == '1 row')
    page.click('Select all', 'input')
    page.click('Delete', '.chosen-bar button')
    page.click('Delete', 'dialog button')
    page.said('1 phones deleted')
    assert not page.complaints()


def test_a_newcomer_is_adopted(page, fleet):
    page.go('/unknown')
    page.said('SEP0011223344AA')
    page.click('Adopt')
    page.type('Lines, separated by ;', '7200')
    page.click('Adopt', 'dialog button')
    page.until(lambda: page.ask('GET', 'phone/SEP0011223344AA').get('record', {}).get('lines') == '7200')
    page.until(lambda: 'SEP0011223344AA' not in page.text('.table'))
    assert not page.complaints()


def test_the_walks_of_the_source_documents(node, page, fleet):
    """Server names by address, a longer keepalive interval, a phone that is deleted and created again, a collector that stands still."""
    page.ask('POST', 'server', {'name': 'kormakur'})  # System > Server: a name that phones must resolve becomes an address
    page.ask('POST', 'callmanager', {'name': 'cm2', 'server': 'kormakur'})
    page.go('/server/kormakur')
    page.type('Host name or address', '192.0.2.9')
    page.click('Save')
    page.said('192.0.2.9', 'h1')
    page.said('see it only after a reset', '.notice')  # offered, also under the new name
    page.button('Reset', '.notice button')
    assert page.ask('GET', 'callmanager/cm2')['record']['server'] == '192.0.2.9'
    page.go('/parameter?search=StationKeepaliveInterval')  # Service Parameters: for phones far away
    field = page.field('Station KeepAlive Interval')
    field.send_keys(Keys.CONTROL, 'a')
    field.send_keys('90')
    page.click('Save')
    page.said('see it only after a reset', '.notice')
    page.click('Restart', '.notice button')
    page.said('told to', '.messages')
    page.ask('PATCH', 'parameter/station_keepalive_interval', {'value': '30'})
    page.go('/phone/' + PHONES[2])  # Delete and recreate: it is a newcomer meanwhile
    page.click('Delete')
    page.click('Delete', 'dialog button')
    page.until(lambda: page.driver.current_url.endswith('/phone'))
    page.go('/unknown')
    page.said(PHONES[2], '.table')
    page.go('/add/phone?name=' + PHONES[2])
    page.type('Device name', PHONES[2])
    page.type('Numbers', '7002')
    page.type('Description', 'Desk 2')
    page.click('Add', '.save-bar button')
    page.said('it will register at its next try', '.messages')
    page.go('/service')  # Not Found, but it works: the collector is started again
    page.click('Stop RIS Data Collector')
    page.click('Stop', 'dialog button')
    page.go('/phone')
    page.said('the RIS data collector is stopped', '.notice')
    page.until(lambda: 'Not reported' in page.text('tbody') and 'Registered' not in page.text('tbody'))
    page.click('Control center', '.notice a')
    page.click('Start RIS Data Collector')
    page.go('/phone')
    page.until(lambda: 'Registered' in page.text('tbody'))
    assert not page.complaints()


def test_every_entity_is_added_changed_and_deleted(page):
    for noun, label in (('pool', 'Name'), ('region', 'Name'), ('location', 'Name'), ('partition', 'Name'), ('css', 'Name'), ('datetime', 'Name'), ('group', 'Name'),
                        ('template', 'Name'), ('softkeys', 'Name'), ('line', 'Directory number'), ('scope', 'Name'), ('security-profile', 'Name')):
        page.go(f'/add/{noun}')
        page.type(label, '7999' if noun == 'line' else 'Test')
        if noun == 'scope':
            page.type('Subnet: 10.1.0.0/24', '10.9.0.0/24')
        page.click('Add', '.save-bar button')
        page.said('7999' if noun == 'line' else 'Test', 'h1')
        assert page.ask('GET', f'{noun}/{"7999" if noun == "line" else "Test"}').get('record'), noun
    page.go('/css/Test')
    page.click('Add a row')
    page.type('Partition 1', 'Test')
    page.click('Save')
    page.until(lambda: page.ask('GET', 'css/Test')['record']['members'] == [{'partition': 'Test'}])
    page.go('/partition/Test')
    page.click('Delete')
    page.click('Delete', 'dialog button')
    page.said('Test', '.messages')  # the search space still has it
    page.go('/region')
    page.click('Select Test', 'input')
    page.click('Delete', '.chosen-bar button')
    page.click('Delete', 'dialog button')
    page.until(lambda: 'Test' not in page.text('tbody'))
    page.complaints()


def test_parameters_show_range_default_and_what_differs(page):
    page.go('/parameter?search=KeepAlive Interval')
    field = page.field('Station KeepAlive Interval')
    field.send_keys(Keys.CONTROL, 'a')
    field.send_keys('20')
    page.click('Save')
    page.said('not the default')
    assert page.ask('GET', 'parameter/station_keepalive_interval')['record']['value'] == '20'
    page.click('Default')
    page.click('Save')
    page.until(lambda: 'not the default' not in page.text('.parameters'))
    assert not page.complaints()


def test_the_dial_plan_says_which_line_a_number_leads_to(page):
    page.ask('POST', 'line', {'name': '7001/Test', 'description': 'hidden'})
    page.go('/dialplan')
    page.type('Caller: a line or a phone', '7000')
    page.type('dials', '7001')
    page.click('Try')
    page.said('7001 leads to line 7001')
    page.ask('PATCH', 'line/7000', {'css': 'Test'})
    page.type('dials', '700')
    page.click('Try')
    page.said('700 is not complete')
    page.type('dials', '7001')
    page.click('Try')
    page.said('7001/Test')
    assert not page.complaints()


def test_a_file_is_imported_after_its_plan(page):
    page.go('/import')
    page.type('or typed here', 'name,model,protocol,description\nSEP0011223344EE,7960,sccp,From a file\nSEP0011223344ED,nonsense,sccp,x\n')
    page.click('What would happen?')
    page.said('nonsense')
    page.type('or typed here', 'name,model,protocol,description\nSEP0011223344EE,7960,sccp,From a file\n')
    page.click('What would happen?')
    page.said('SEP0011223344EE', '.plan')
    page.click('Import', '.import button')
    page.said('1 added')
    assert page.ask('GET', 'phone/SEP0011223344EE')['record']['description'] == 'From a file'
    page.complaints()


EVERY_TEXT = """
    const [evil, key, done] = arguments;
    const api = '/api/v1/';
    const ask = async (method, at, body) => {
        const session = await (await fetch(api + 'session')).json();
        return fetch(api + at, { method, body: body && JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf } });
    };
    (async () => {
        const schemas = (await (await fetch(api + 'openapi.json')).json()).components.schemas;
        const found = {};
        for (const [noun, schema] of Object.entries(schemas)) {
            const fields = Object.entries(schema.properties || {});
            const keys = fields.filter(([, s]) => s['x-key']).map(([name]) => name);
            const list = keys.length ? await ask('GET', `${noun}?limit=1`) : { ok: false };
            if (!list.ok)
                continue;
            const first = (await list.json()).items[0];
            const name = first && keys.map((k) => first[k]).filter((v, i) => !i || v).join('/');
            const row = found[noun] = { name, taken: [], refused: [], broken: [] };
            const put = async (field, method, at, body) => {
                const { status } = await ask(method, at, body);
                (status < 300 ? row.taken : status < 500 ? row.refused : row.broken).push(field);
                return status < 300;
            };
            const fitting = (s) => evil.find((e) => e.length <= (s.maxLength ?? 999)) || evil.at(-1).slice(0, s.maxLength);
            for (const [field, s] of first && noun !== 'parameter' ? fields : []) {
                if (s.type === 'string' && !s['x-key'] && !s.readOnly && s.format !== 'password' && !s.enum && !s['x-entity'])
                    await put(field, 'PATCH', `${noun}/${encodeURIComponent(name)}`, { [field]: fitting(s) });
                for (const [child, c] of s.type === 'array' ? Object.entries(s.items.properties || {}) : [])
                    if (c.type === 'string' && !c.enum && !c['x-entity']) {
                        const before = Object.keys(s.items.properties).map((k) => k === child ? fitting(c).replace(/[\\\\;,]/g, '\\\\$&') : s.items.properties[k].enum?.[0] ?? s.items.properties[k]['x-default'] ?? '');
                        await put(`${field}.${child}`, 'PATCH', `${noun}/${encodeURIComponent(name)}`, { [field]: before.join(',') });
                    }
            }
            if (await put('(key)', 'POST', noun, { name: key }))
                row.named = key;
        }
        return found;
    })().then(done, (e) => done({ error: String(e.stack) }));"""


def is_harmless(page):
    assert page.run('return window.evil === undefined && !document.querySelector("img[src=x], #app script")'), page.driver.current_url


def test_script_in_every_text_field_of_every_record_is_text(page, fleet):
    """By the description of the API: whatever is a text in a record. What it is refused for is no danger, what is taken is shown as it is."""
    short = '<img src=x onerror=evil=1>'
    page.ask('POST', 'dial-rules', {'name': 'Test'})
    page.ask('POST', 'reservation', {'name': '00:11:22:33:44:00', 'address': '10.9.0.7'})
    page.ask('POST', 'token', {'name': 'ci', 'role': 'viewer'})
    page.ask('PATCH', 'phone/' + PHONES[0], {'description': short})
    page.ask('PATCH', 'parameter/url_services', {'value': EVIL})
    found = page.driver.execute_async_script(EVERY_TEXT, [EVIL, '"><img src=x onerror=window.evil=1>', short], short)
    assert 'error' not in found and len(found) > 20, found
    assert [noun for noun, row in found.items() if row['broken']] == []
    taken = {f'{noun}.{field}' for noun, row in found.items() for field in row['taken']}
    assert len(taken) > 30 and {'pool.srst', 'line.alerting_name', 'template.buttons.label', 'user.mail', 'partition.(key)', 'callmanager.description'} <= taken, sorted(taken)
    for noun, row in found.items():
        for at in [noun] + [f'{noun}/{name.replace("/", "%2F").replace(" ", "%20")}' for name in (row['name'], row.get('named')) if name]:
            if noun not in ('parameter', 'load', 'token') or '/' not in at:
                page.go('/' + at)
                is_harmless(page)
        if row['taken'] and noun not in ('token', 'load', 'parameter'):
            assert 'onerror' in page.run('return document.body.innerText + [...document.querySelectorAll("input")].map((i) => i.value)'), noun
    page.go('/phone/' + PHONES[0])
    page.until(lambda: 'onerror' in page.run('return document.querySelector(".phone-picture").textContent'))
    for path in ('/', '/phone?search=' + EVIL.replace('#', ''), '/' + EVIL, '/parameter', '/audit', '/token', '/event', '/dialplan', '/diagnosis', f'/phone/{PHONES[0]}?tab=file', '/import'):
        page.go(path)
        is_harmless(page)
    page.complaints()


def lldp_of_a_phone(name):
    def tlv(kind, value):
        return struct.pack('>H', kind << 9 | len(value)) + value
    mac = b'\x00\x1d\x45\xaa\x00\x02'
    return bytes.fromhex('0180c200000e') + mac + b'\x88\xcc' + tlv(1, b'\4' + mac) + tlv(2, b'\3' + mac) + tlv(3, b'\0\xb4') + tlv(4, name) + tlv(5, name) + \
        tlv(6, name) + tlv(7, b'\0\x24\0\x24') + tlv(127, b'\x00\x12\xbb\1\0\x33\3') + tlv(0, b'')


class Here:
    """No namespace but the own one."""
    inside = staticmethod(lambda function, *arguments: function(*arguments))


def test_script_from_the_network_is_text(node, page, tmp_path):
    """What neighbours, clients and phones say of themselves before anybody knows them, and names of files."""
    evil = b'<img src=x onerror=evil=1>'
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(('pgs1', 0))
        wire.send(cdp_of_a_phone(evil, b'SEP001D45AA0001' + evil, evil))
        wire.send(lldp_of_a_phone(b'LLDP' + evil))
        dhcp = packet(1, options=bytes([12, len(evil)]) + evil + bytes([60, len(evil)]) + evil)
        udp = struct.pack('>HHHH', 68, 67, 8 + len(dhcp), 0) + dhcp
        head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b'', b'\xff' * 4)
        wire.send(b'\xff' * 6 + b'\2\0\0\0\0\1\x08\0' + head[:10] + struct.pack('>H', checksum(head)) + head[12:] + udp)
    for name in ('<img src=x>', 'SEP0011223344BB'):
        phone = Phone(socket.create_connection(('127.0.0.1', node.sccp)), name)
        phone.send(ALARM, struct.pack('<I80sI4s', 2, b'25: Name=' + evil, 0, bytes(4)))
        phone.send(REGISTER, phone.register_body())
        phone.wait(REGISTER_REJECT)
    sip = Client(Here, port=5060, source='127.0.0.1', host='127.0.0.1')
    for user, name in (('7006', PHONES[6]), (evil.decode().replace(' ', '%20'), 'SEP0011223344CC')):
        sip.register(user, name[3:], 683, headers=(f'User-Agent: {evil.decode()}', f'Reason: SIP;cause=200;text="cisco-alarm:25 Name={name} Load={evil.decode()}"'))
        sip.final()
    sip.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tftp:
        tftp.settimeout(60)
        tftp.sendto(b'\0\1SEP0011223344DD' + evil + b'.cnf.xml\0octet\0', ('127.0.0.1', 6971))
        tftp.recv(600)
    page.go('/port')
    page.said('LLDP<img src=x onerror')
    page.said('SEP001D45AA0001<img src=x onerror')
    is_harmless(page)
    page.go(f'/phone/{PHONES[6]}')
    page.until(lambda: 'onerror' in page.text('main'))
    is_harmless(page)
    for path, label in (('/import', 'File'), ('/backup', 'Backup file')):
        upload = tmp_path / f'{evil.decode()}{".csv" if "import" in path else ".db"}'
        upload.write_text(f'name,model\n{evil.decode()},{evil.decode()}\n')
        page.go(path)
        page.field(label).send_keys(str(upload))
        if path == '/import':
            page.click('What would happen?')
        page.one('.notice.bad')
        is_harmless(page)
    for path in ('/lease', '/unknown', '/event', '/event?search=onerror', '/unknown/SEP0011223344CC', '/unknown/SEP0011223344BB', '/phone/SEP0011223344BB', '/phone/%3Cimg%20src%3Dx%3E', '/diagnosis', '/'):
        page.go(path)
        is_harmless(page)
    page.go('/event?alarm=StationAlarm&search=onerror')
    page.one('.event-head').click()
    page.said('<img src=x onerror', '.event-about')
    is_harmless(page)
    page.complaints()


def addresses(page):
    """Every page, with the name of a record that is there."""
    rows = page.driver.execute_async_script("import(document.querySelector('script[type=module]').src.replace('app.js', 'routes.js')).then((m) => arguments[0](m.routes.map((r) => r.path)))")
    known = {'phone': PHONES[0], 'diagnosis': PHONES[0]}
    for path in rows:
        noun = path.split('/')[1]
        if ':noun' in path:
            yield path.replace(':noun', 'pool').replace(':name', 'Default')
        elif ':name' in path:
            if noun not in known:
                items = page.ask('GET', f'{noun}?limit=1').get('items') or [{}]
                known[noun] = items[0].get('name') or items[0].get('number') or items[0].get('mac') or 'nobody'
            yield path.replace(':name', known[noun].replace('/', '%2F'))
        else:
            yield path
    for tab in ('settings', 'file', 'history'):
        yield f'/phone/{PHONES[0]}?tab={tab}'


def fetch_kind(page, address):
    return page.driver.execute_async_script('fetch(arguments[0]).then((r) => arguments[1](r.headers.get("Content-Type").split(";")[0]), (e) => arguments[1](String(e)))', address)


# One list and one form serve them all; axe has seen them as pool, line, template, scope.
ALIKE = ('partition', 'css', 'dial-rules', 'group', 'callmanager', 'server', 'datetime', 'region', 'location', 'autoregistration', 'defaults', 'sip-profile',
         'security-profile', 'reservation', 'user', 'token')
OF_COLOURS = ['color-contrast', 'color-contrast-enhanced', 'link-in-text-block']


@pytest.mark.parametrize('language,size,axe', [('en', WIDE, True), ('fr', NARROW, True), ('zh', WIDE, False)])
def test_every_page_in_every_language_size_and_theme(page, fleet, language, size, axe):
    page.size(size)
    page.run('localStorage.language = arguments[0]; localStorage.theme = "light"', language)
    page.load('/')
    page.complaints()
    wrong, twins = [], {}
    for path in list(addresses(page)):
        page.go(path)
        heading = page.text('h1')
        if not heading or page.all('.notice.bad[role=alert]') and path.split('/')[1] not in ('', 'phone', 'diagnosis', 'load'):
            wrong.append(f'{path}: {page.text("main")[:300]}')
        if page.run('return document.documentElement.scrollWidth > innerWidth + 1 || document.querySelector("main").scrollWidth > document.querySelector("main").clientWidth + 1'):
            wrong.append(f'{path}: wider than the window')
        wrong += [f'{path}: {c}' for c in page.complaints() if not re.search(' (404|422) ', c)]
        twin = page.run('return document.querySelector(".twin").href')
        assert page.all('[aria-label="This page as JSON"]') or language != 'en'
        kind = twins[twin] = twins.get(twin) or fetch_kind(page, twin)
        wrong += [f'{path}: {twin} is {kind}'] if not kind.endswith('json') else []
        if axe and path.split('/')[1] not in ALIKE:
            wrong += [f'{path}: {v}' for v in page.axe()]
            page.run('document.documentElement.dataset.theme = "dark"')
            wrong += [f'{path}, dark: {v}' for v in page.axe(OF_COLOURS)]
            page.run('document.documentElement.dataset.theme = "light"')
    assert not wrong, '\n'.join(wrong)
    page.go('/parameter')  # what is said in words is no less a number or a choice
    page.until(lambda: page.run('return document.querySelectorAll(".parameters input[type=number]").length') > 20 and len(page.all('.parameters select')) > 5)
    page.go('/phone/' + PHONES[0])
    page.one('.boot li.good')
    assert language == 'en' or 'it was switched on' not in page.text('main')


def test_a_viewer_sees_but_changes_nothing(page):
    page.size(WIDE)
    page.run('localStorage.language = "en"; localStorage.theme = "light"')
    page.ask('POST', 'user', {'name': 'eve', 'role': 'viewer', 'password': 'looking only'})
    page.load('/')
    page.click('Log out')
    page.type('User', 'eve')
    page.type('Password', 'looking only')
    page.click('Log in')
    page.one('.bar .user')
    for path in ('/phone', f'/phone/{PHONES[0]}?tab=settings', '/pool/Default', '/parameter', '/unknown'):
        page.go(path)
        usable = [b.text for b in page.all('main button, main a.button, main input, main select') if b.is_enabled() and b.text in ('Add', 'Save', 'Delete', 'Copy', 'Reset', 'Adopt', 'Restart')]
        assert usable == [], path
    page.go('/user')
    page.said('administer')
    page.complaints()
