"""The pages that watch, in Chromium: first steps, simulated phones, control center, event viewer, performance monitor, traces, backup.

Each page as it is opened is looked at with axe in test_pages.py; here, what appears while one works with it."""
import pathlib
import re
import socket
import sqlite3
import subprocess
import sys

import pytest

from conftest import judge, until
from node import DIALTONE, Node, free_port
from rest import Web, web_node

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / 'tests/web'))
from browser import NARROW, WIDE, Browser, Keys  # noqa: E402

pytestmark = pytest.mark.xdist_group('pages_watch')
TFTP = 6969


@pytest.fixture(scope='module')
def node(tmp_path_factory):
    n = web_node(tmp_path_factory.mktemp('watch'), f'tftp.port={TFTP}', 'files.http_port=6970', 'node.address=127.0.0.1', 'simulated.phones=3')
    n.root = n.web.log_in(user='root', password='correct horse')
    yield n
    assert n.stop() == 0, n.said


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    b = Browser('')
    b.downloads = tmp_path_factory.mktemp('downloads')
    b.driver.execute_cdp_cmd('Browser.setDownloadBehavior', {'behavior': 'allow', 'downloadPath': str(b.downloads)})
    yield b
    b.close()


@pytest.fixture
def page(browser, node):
    browser.base = f'http://127.0.0.1:{node.web.port}'
    if not browser.driver.current_url.startswith(browser.base):
        browser.load('/')
        browser.type('User', 'root')
        browser.type('Password', 'correct horse')
        browser.click('Log in')
        browser.one('.bar .user')
    browser.complaints()
    yield browser
    assert browser.complaints() == []


def downloaded(page, pattern):
    """What the browser has saved under such a name."""
    return until(lambda: next((f.read_bytes() for f in page.downloads.glob(pattern)), None))


def test_from_nothing_to_the_first_registered_phone(browser, tmp_path_factory):
    """The wizard: key, administrator, interface, numbers, a phone that arrives, firmware; by the keyboard alone, and nothing is typed elsewhere."""
    subprocess.run('ip link add wz0 type veth peer name wz1; ip address add 10.77.0.1/24 dev wz0; ip link set wz0 up; ip link set wz1 up', shell=True, check=True)
    port, sccp = free_port(), free_port()
    folder = tmp_path_factory.mktemp('first')
    node, page = Node(folder, f'admin.port={port}', f'sccp.port={sccp}', 'tftp.port=7069', 'node.address=127.0.0.1'), browser
    page.base = f'http://127.0.0.1:{port}'
    page.load('/')
    page.press('First start: by key')
    page.reach('Key').keys(re.search('key ([0-9a-f]{32})', node.said).group(1))
    page.press('Log in')
    page.said('Create the account')
    page.picture('first-steps')
    page.reach('User').keys('anna')
    page.reach('Password').keys('correct horse')
    page.reach('Password again').keys('correct')
    page.press('Create the account')
    page.said('The two passwords differ.')
    page.reach('Password again').keys(Keys.CONTROL, 'a')
    page.keys('correct horse')
    page.press('Create the account')
    page.said('On which interface are the phones?')
    page.press('Ask on wz0 whether a DHCP server is there already (5 s)')
    page.said('No DHCP server answers on wz0')
    assert page.field('First address').get_attribute('value') == '10.77.0.102'
    assert page.axe() == []
    page.press('Set it up')
    page.said('How do new phones get their number?')
    assert {s['id']: s['state'] for s in page.ask('GET', 'service')['items']}['dhcp'] == 'running'
    page.run('document.querySelector("input[name=numbers]:checked").focus()')  # where Tab leads, and an arrow key chooses the other
    page.keys(Keys.ARROW_DOWN)
    page.reach('First number').keys(Keys.CONTROL, 'a')
    page.keys('7300')
    page.reach('Last number').keys(Keys.CONTROL, 'a')
    page.keys('7309')
    page.press('Keep it')
    page.press('Try it with simulated phones')
    page.press('Allow simulated phones')
    page.press('Boot one')
    page.said('One phone is registered.')
    page.said('7300', 'main')
    page.picture('phones-arrive')
    page.press('Go on')
    page.press('To the overview')
    page.said('One phone is registered.')
    page.go('/simulated')
    page.click('Take it away')
    page.said('None runs.')
    page.click('Allow no more')
    page.click('Allow simulated phones')
    page.said('None runs.')
    node.stop()
    assert (folder / 'settings.conf').read_text().split('\n')[1:] == ['dhcp.interfaces = wz0', 'simulated.phones = 8', '']  # it holds
    subprocess.run(['ip', 'link', 'delete', 'wz0'], check=True)
    page.complaints()


def test_a_simulated_phone_is_booted_added_and_pressed(page):
    page.go('/simulated')
    page.click('Boot one')
    page.said('Rejected', '.handset')
    page.type('Number of SEP02D1A1000701', '7001')
    page.click('Add it')
    page.said('7001', '.handset .lcd')
    page.click('Settings', '.handset button')
    page.said('Network Configuration', '.handset .lcd')
    page.one('.handset').send_keys(Keys.ESCAPE)
    page.until(lambda: 'Network Configuration' not in page.text('.lcd'))
    page.one('.handset').send_keys('h')
    page.until(lambda: page.button('Handset').get_attribute('aria-pressed') == 'true')
    page.one('.handset').send_keys('h')
    page.until(lambda: page.button('Handset').get_attribute('aria-pressed') == 'false')
    page.click('Digit 5')
    page.click('Key 1: 7001, lamp unlit')
    assert page.axe() == []
    page.picture('simulated-phones')
    page.size(NARROW)
    assert page.run('return document.documentElement.scrollWidth <= innerWidth')
    page.size(WIDE)
    page.click('Unplug')
    page.said('Off', '.handset')
    page.click('Plug in')  # the next tests find it registered


def service(page, name):
    """The row of a service: its state, what it says of itself."""
    return page.until(lambda: [r for r in page.all('table.services tbody tr') if r.find_element('css selector', 'th').text == name])[0].text


def test_the_control_center_stops_starts_and_says_why_one_cannot(page, node):
    """The source documents' walk: a service is stopped and started, the others are not disturbed."""
    page.go('/service')
    assert 'Running' in service(page, 'Cisco TFTP')
    page.picture('control-center')
    before = {s['id']: s['since'] for s in node.root.ask('GET', 'service').json['items']}
    page.click('Stop Cisco TFTP')
    page.said('The other services go on.', 'dialog')
    page.click('Stop', 'dialog button')
    page.until(lambda: 'Stopped' in service(page, 'Cisco TFTP'))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(('0.0.0.0', TFTP))
        page.click('Start Cisco TFTP')
        page.until(lambda: 'Failed' in service(page, 'Cisco TFTP'))
        assert re.search(r'in use by (a program of user root|\S*python)', service(page, 'Cisco TFTP'))
        page.said('1 failed', '.about')
    page.click('Start Cisco TFTP')
    page.until(lambda: 'Running' in service(page, 'Cisco TFTP'))
    page.click('Restart Cisco TFTP')
    page.click('Restart', 'dialog button')
    page.said('Cisco TFTP was started again.')
    after = {s['id']: s['since'] for s in node.root.ask('GET', 'service').json['items']}
    assert {i for i in after if after[i] != before[i]} == {'tftp'}
    page.complaints()  # the refused start


def test_the_event_viewer_follows_filters_and_says_what_to_do(page, node):
    page.go('/event')
    page.said('EndPointRegistered')
    page.picture('event-viewer')
    node.root.ask('POST', 'phone/SEP02D1A1000701/reset', {})
    page.said('EndPointResetInitiated')  # without a load
    page.go('/event?severity=3')
    page.said('EndPointTransientConnection')
    page.until(lambda: 'EndPointRegistered' not in page.text('.events'))
    head = next(h for h in page.all('.event-head') if 'EndPointTransientConnection' in h.text)
    head.click()
    page.said('What to do: The phone reached the server and was not let in')
    assert page.axe() == []
    page.click('All its events')
    page.until(lambda: 'device=SEP02D1A1000701' in page.driver.current_url)
    page.until(lambda: all('SEP02D1A1000701' in h.text for h in page.all('.event-head')))
    page.type('Kind of alarm', 'EndPointRegistered' + Keys.ENTER)
    page.until(lambda: {h.find_element('css selector', '.alarm').text for h in page.all('.event-head')} == {'EndPointRegistered'})
    page.driver.refresh()  # the address is the view
    page.until(lambda: {h.find_element('css selector', '.alarm').text for h in page.all('.event-head')} == {'EndPointRegistered'})
    page.click('Following')
    page.button('Follow (0 new)')


def figure(page, counter):
    row = next((r for r in page.all('.report tbody tr') if r.find_element('css selector', 'th').text.startswith(counter)), None)
    return row and row.find_element('css selector', '.now').text


def test_the_performance_monitor_shows_a_phone_that_registers(page, node):
    """The source documents' walk: an object, its counters, the numbers change while something happens."""
    page.go('/counter')
    page.until(lambda: page.all('.tree summary'))
    page.type('Find a counter', 'RegisteredHardware')
    page.until(lambda: len(page.all('.tree input[type=checkbox]')) == 1)
    page.one('.tree input[type=checkbox]').click()
    page.until(lambda: figure(page, 'RegisteredHardwarePhones') == '1')
    page.one('.chart canvas')
    assert page.axe() == []
    page.picture('performance-monitor')
    node.root.ask('POST', 'phone', {'name': 'SEP02D1A1000802', 'model': '7940', 'lines': ['7002']}, 201)
    node.root.ask('POST', 'simulated/boot', {'model': '7940'})
    page.until(lambda: figure(page, 'RegisteredHardwarePhones') == '2')
    page.type('A phone, or a number', 'SEP02D1A1000802' + Keys.ENTER)
    page.until(lambda: figure(page, 'CallsAttempted') == '0')  # an instance of Cisco Phones
    page.click('Report')
    page.until(lambda: not page.all('.chart'))
    view = page.driver.current_url
    page.load('/')
    page.driver.get(view)
    page.until(lambda: figure(page, 'RegisteredHardwarePhones') == '2')
    assert figure(page, 'CallsAttempted') == '0'
    page.click('Remove: CallsAttempted')
    page.click('Remove: RegisteredHardwarePhones')
    page.said('Choose counters on the left')


def test_traces_are_set_and_collected_and_packets_recorded(page):
    page.go('/trace')
    page.field('Level of Cisco CallManager').send_keys('Detailed')
    page.until(lambda: page.ask('GET', 'trace')['items'][0]['level'] == 'Detailed')
    page.ask('POST', 'phone/SEP02D1A1000701/restart', {})
    page.until(lambda: page.ask('GET', 'trace')['items'][0]['lines'] > 10)
    page.click('Collect and download')
    assert downloaded(page, '*.tar.gz')[:2] == b'\x1f\x8b'
    page.click('Our own messages instead of packets (needs no rights)', 'label')
    page.click('Start')
    page.said('Running', 'main')
    page.until(lambda: [b for b in page.all('td button') if b.text == 'Stop'])[0].click()
    page.until(lambda: [b for b in page.all('td button') if b.text == 'Download'])[0].click()
    assert downloaded(page, '*.pcapng')[:4] == b'\x0a\x0d\x0d\x0a'


def test_the_packets_of_a_phone_are_seen_as_they_pass(page, tmp_path):
    page.go('/phone/SEP02D1A1000701?tab=capture')
    page.said('Registered', '.about')
    page.click('Start')
    page.said('Running', '#tab-panel')
    page.ask('POST', 'phone/SEP02D1A1000701/reset', {})
    page.said('Register SEP02D1A1000701', '#tab-panel')
    page.said('RegisterAck', '#tab-panel')
    assert 'TFTP' in page.text('#tab-panel') and page.axe() == []
    page.picture('live-capture')
    page.click('Stop')
    page.said('Ended', '#tab-panel')
    for old in page.downloads.glob('*.pcapng'):
        old.unlink()
    page.click('Download')
    (tmp_path / 'phone.pcapng').write_bytes(downloaded(page, '*.pcapng'))
    assert judge(tmp_path / 'phone.pcapng') > 20


def test_a_backup_is_taken_and_looked_at_before_it_is_put_back(page, node, tmp_path):
    page.go('/backup')
    page.click('Download a backup')
    copy = tmp_path / 'copy.db'
    copy.write_bytes(downloaded(page, '*.db'))
    assert sqlite3.connect(copy).execute('select count(*) from sqlite_master').fetchone()[0] > 5
    node.root.ask('DELETE', 'phone/SEP02D1A1000802')
    page.field('Backup file').send_keys(str(copy))
    page.until(lambda: page.all('.plan'))
    assert node.root.ask('GET', 'phone/SEP02D1A1000802').json['record']['status'].startswith('unknown')
    page.click('Restore', '.card button')
    page.click('Restore', 'dialog button')
    until(lambda: node.root.ask('GET', 'phone/SEP02D1A1000802').json['record'].get('lines') == '7002')


def test_a_token_is_told_once_works_and_is_taken_back_and_all_of_it_stands_in_the_audit_log(page, node):
    page.go('/token')
    page.type('Name', 'exporter')
    page.type('What for', 'Prometheus')
    page.click('Make it')
    token = page.one('.token').text
    assert token.startswith('dt_') and Web(node.web.port, token).ask('GET', 'phone').json['items']
    assert page.axe() == []
    page.click('Delete exporter')
    page.click('Delete', 'dialog button')
    page.said('There are none.')
    Web(node.web.port, token).ask('GET', 'phone', status=401)
    page.go('/audit')
    page.said('token add exporter')
    page.type('User', 'nobody' + Keys.ENTER)
    page.said('Nothing here.')


def test_a_thousand_phones_are_followed_while_some_come_and_go(page, node):
    """What is drawn is what is seen, and what is told of many costs the page little of its processor's time, however busy the machine is."""
    rows = ''.join(f'SEP0000AB{i:06X},7960,sccp,Desk {i},Default,{20000 + i}\n' for i in range(1000))
    node.root.raw('POST', '/api/v1/import', ('name,model,protocol,description,pool,lines\n' + rows).encode(), {'Content-Type': 'text/csv'})
    page.go('/phone?search=SEP0000AB&sort=-since')
    page.until(lambda: page.text('.count') == '1,000 rows')
    page.driver.execute_cdp_cmd('Performance.enable', {'timeDomain': 'threadTicks'})
    busy = lambda: next(m['value'] for m in page.driver.execute_cdp_cmd('Performance.getMetrics', {})['metrics'] if m['name'] == 'TaskDuration')
    before = busy()
    fleet = subprocess.Popen([DIALTONE, 'fleet', '--server', '127.0.0.1', '--no-files', '--sccp-port', str(node.sccp), '--count', '1000', '--first-mac', '0000ab000000',
                              '--source', '127.70.0.1', '--duration', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    page.until(lambda: page.ask('GET', 'phone?status=registered*&search=SEP0000AB&limit=1&offset=0')['total'] == 1000, 120)
    page.until(lambda: page.text('tbody').count('Registered') > 20)
    some = [f'SEP0000AB{i:06X}' for i in range(30)]
    for name in some[10:20]:  # they go …
        node.root.ask('DELETE', f'phone/{name}')
    page.until(lambda: page.text('.count') == '990 rows')
    node.root.ask('POST', 'phone/reset', {'names': some[:10]})  # … and others come back, the newest first
    page.until(lambda: set(some[:10]) <= set(page.text('tbody').split()))
    page.type('Search', some[25])
    page.until(lambda: page.text('.count') == '1 row')
    assert busy() - before < 15 and page.run('return document.querySelectorAll("tbody tr").length') < 100
    page.go('/event?alarm=EndPointRegistered&search=SEP0000AB')
    page.click('Older events')
    page.until(lambda: len(page.all('.event')) > 200)  # all of the same second
    assert page.ask('GET', 'event?until=2001-01-01T00:00:00Z&wanted=5')['items'] == []
    fleet.terminate()
    fleet.wait(60)
    page.complaints()


def test_what_no_walk_presses_does_what_it_says(page, node):
    """Theme, menu, order of rows, undo, filters, ways from page to page."""
    page.go('/phone?pool=Default')
    page.click('Light or dark')
    assert page.run('return document.documentElement.dataset.theme') == 'dark'
    page.click('Light or dark')
    page.click('Shortcuts')
    page.said('In a table: move, open', 'dialog')
    page.click('Close')
    page.until(lambda: not page.all('dialog'))
    page.size(NARROW)
    page.click('Menu')
    page.click('Control center', 'nav a')
    page.said('Control center', 'h1')
    assert not page.one('nav').is_displayed()
    page.size(WIDE)
    page.go('/phone?pool=Default')
    page.click('Select all', 'input')
    page.click('Apply', '.chosen-bar button')
    page.one('.messages .message')
    page.click('Default ✕')
    page.until(lambda: 'pool' not in page.driver.current_url)
    page.go('/line')
    page.click('On no phone')
    page.until(lambda: 'unassigned=1' in page.driver.current_url)
    page.go('/phone/SEP02D1A1000701')
    page.click('Apply', '.actions button')
    page.until(lambda: 'SEP02D1A1000701' in page.text('.messages'))
    page.go('/add/template')
    page.type('Name', 'Order')
    for _ in range(3):
        page.click('Add a row')
    page.field('Feature 3').send_keys('hold')
    page.click('Up: 3')
    page.click('Down: 1')
    page.click('Remove: 3')
    page.click('What would happen?')
    page.said('added', 'dialog')
    page.click('Add', 'dialog button')
    page.said('Order', 'h1')
    assert [b['feature'] for b in page.ask('GET', 'template/Order')['record']['buttons']] == ['hold', 'line']
    page.type('Name', 'Disorder')
    page.click('Undo')
    assert page.field('Name').get_attribute('value') == 'Order'
    page.go('/parameter?search=StationKeepaliveInterval')
    field = page.field('Station KeepAlive Interval')
    for word, then in (('Undo', ''), ('Take theirs', '70')):
        was = field.get_attribute('value')
        field.send_keys(Keys.CONTROL, 'a')
        field.send_keys('60')
        if then:
            node.root.ask('PATCH', 'parameter/station_keepalive_interval', {'value': then})
            page.click('Save')
        page.click(word)
        page.until(lambda: field.get_attribute('value') == (then or was))
    node.root.ask('PATCH', 'parameter/station_keepalive_interval', {'value': '30'})
    page.go('/counter')
    page.click('A view to begin with')
    for word, then in (('Growth a second', 'mode=rate'), ('Values', 'c='), ('Report', 'view=report'), ('Chart', 'c=')):
        page.click(word)
        page.until(lambda: then in page.driver.current_url and page.button(word).get_attribute('aria-pressed') == 'true')
    page.one('.chart canvas')
    page.go('/backup')
    page.click('Import and export', '.head a')
    page.click('An example')
    page.until(lambda: 'SEP001122334455' in page.field('or typed here').get_attribute('value'))
    page.click('Export phones (CSV)')
    assert b'SEP02D1A1000701' in downloaded(page, '*.csv')
    page.click('Export everything (JSON)')
    assert b'SEP02D1A1000701' in downloaded(page, '*.json')
    page.go('/setup?step=network')
    page.click('Later')
    page.said('Numbers', '.step-name')
    page.until(lambda: [b for b in page.all('.steps button') if 'Phones arrive' in b.text])[0].click()
    page.click('Press their keys')
    page.said('Simulated phones', 'h1')
    for word in ('Speaker', 'Messages', 'Directories', 'Services', 'Up', 'Down', 'Select', 'Back'):
        page.click(word, '.handset button')
    page.go('/setup?step=firmware')
    page.click('Firmware', '.actions a')
    page.said('Firmware', 'h1')
    page.go('/node')
    page.click('Drain')
    page.click('Drain', 'dialog button')
    page.until(lambda: not page.all('dialog') and page.all('.messages .message'))  # refused where phones have nowhere to go
    page.click('Resume')
    page.until(lambda: page.ask('GET', 'node')['items'][0]['state'] == 'this node')
    page.go('/')
    page.click('Newcomers', 'nav a')
    page.said('Newcomers', 'h1')
    page.complaints()


def test_two_windows_at_one_record_lose_nothing(page, node):
    """The second to save sees both values, chooses field by field, and what he types meanwhile counts, too."""
    first = page.driver.current_window_handle
    page.go('/phone/SEP02D1A1000802?tab=settings')
    page.driver.switch_to.new_window('window')
    page.size(WIDE)
    second = page.driver.current_window_handle
    page.load('/phone/SEP02D1A1000802?tab=settings')
    page.type('Description', 'of the second')
    page.type('Owner', 'root')
    page.driver.switch_to.window(first)
    page.type('Description', 'of the first')
    page.type('Load; empty: the device default', 'P00308')
    page.click('Save')
    page.until(lambda: node.root.ask('GET', 'phone/SEP02D1A1000802').json['record']['description'] == 'of the first')
    page.driver.switch_to.window(second)
    page.click('Save')
    page.said('Somebody else changed this meanwhile')
    rows = {r.find_element('css selector', 'th').text: r for r in page.until(lambda: page.all('.notice tbody tr'))}
    assert set(rows) == {'Description', 'Load; empty: the device default', 'Owner'} and all(w in rows['Description'].text for w in ('of the first', 'of the second')), rows
    rows['Description'].find_elements('css selector', 'input')[0].click()
    page.type('Owner', '')
    page.type('Digest user; empty: the owner', 'root')
    page.click('Take these')
    page.click('Save')
    record = page.until(lambda: next((r for r in [node.root.ask('GET', 'phone/SEP02D1A1000802').json['record']] if r['digest_user'] == 'root'), None))
    assert (record['description'], record['load'], record['owner']) == ('of the first', 'P00308', '')
    page.go('/parameter?search=StationKeepaliveInterval')  # a value alone, too
    field = page.field('Station KeepAlive Interval')
    field.send_keys(Keys.CONTROL, 'a')
    field.send_keys('40')
    node.root.ask('PATCH', 'parameter/station_keepalive_interval', {'value': '50'})
    page.click('Save')
    page.said('Somebody else changed Station KeepAlive Interval meanwhile: it is 50 now, you typed 40.')
    assert page.axe() == [] and node.root.ask('GET', 'parameter/station_keepalive_interval').json['record']['value'] == '50'
    page.click('Save')
    page.until(lambda: node.root.ask('GET', 'parameter/station_keepalive_interval').json['record']['value'] == '40')
    page.driver.close()
    page.driver.switch_to.window(first)
    page.complaints()  # the refused ones


def test_what_is_typed_outlives_the_session_and_the_server(page, node):
    page.go('/phone/SEP02D1A1000802?tab=settings')
    page.type('Description', 'typed for an hour')
    assert node.stop() == 0, node.said
    page.said('The server does not answer.', '[role=alert]')
    assert page.field('Description').get_attribute('value') == 'typed for an hour'
    node.again()
    page.said('Your session has ended', 'dialog')
    page.until(lambda: 'The server does not answer.' not in page.text())
    assert page.axe() == []
    page.type('Password', 'wrong')
    page.click('Log in', 'dialog button')
    page.said('The name or the password is wrong.', 'dialog')
    page.type('Password', 'correct horse')
    page.click('Log in', 'dialog button')
    page.until(lambda: not page.all('dialog'))
    assert page.field('Description').get_attribute('value') == 'typed for an hour'
    page.click('Save')
    node.root = node.web.log_in(user='root', password='correct horse')
    until(lambda: node.root.ask('GET', 'phone/SEP02D1A1000802').json['record']['description'] == 'typed for an hour')
    page.go('/phone?search=SEP02D1A1000802')
    page.said('typed for an hour', 'tbody')
    node.root.ask('PATCH', 'phone/SEP02D1A1000802', {'description': 'it follows again'})
    page.said('it follows again', 'tbody')
    page.complaints()  # what was asked in vain
