"""browser.py - Debian's Chromium on the web page: opens, waits, types, looks with axe, takes pictures."""
import json
import os
import pathlib
import time

from selenium import webdriver
from selenium.common.exceptions import JavascriptException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

HERE = pathlib.Path(__file__).resolve().parent
PICTURES = os.environ.get('DIALTONE_PICTURES')  # a folder: pictures for docs/ are written
WIDE, NARROW = (1440, 900), (390, 844)


class Browser:
    def __init__(self, base):
        options = Options()
        for word in ('--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--disable-dev-shm-usage', '--lang=en',
                     '--disable-background-networking', '--force-prefers-reduced-motion', '--disable-component-update', '--no-first-run'):
            options.add_argument(word)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        options.binary_location = '/usr/bin/chromium'
        self.base = base
        self.driver = webdriver.Chrome(options=options, service=Service('/usr/bin/chromedriver'))
        self.driver.set_script_timeout(120)
        self.size(WIDE)

    def size(self, size):
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': size[0], 'height': size[1], 'deviceScaleFactor': 1, 'mobile': size[0] < 500})

    def load(self, path):
        """A whole load, as a newcomer's."""
        self.driver.get(self.base + path)
        self.until(lambda: self.all('.bar, .login form'))
        self.settle()

    def go(self, path):
        """As a click on a link."""
        self.run('const a = document.createElement("a"); a.href = arguments[0]; document.body.append(a); a.click(); a.remove();', path)
        self.settle()

    def settle(self):
        """The page of the address is drawn, and nothing of it is on its way."""
        self.until(lambda: self.run('return !document.querySelector(".loading, .first, [aria-busy=true]") && Boolean(document.querySelector("h1, .notice"))'))

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def ask(self, method, path, body=None):
        """The API with the session of the page."""
        return self.driver.execute_async_script('''
            const [method, path, body, done] = arguments;
            fetch('/api/v1/session').then((r) => r.json()).then((s) => fetch('/api/v1/' + path, { method, body: body === null ? undefined : JSON.stringify(body),
                headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': s.csrf } })).then((r) => r.json()).then(done, (e) => done({ error: String(e) }));''', method, path, body)

    def until(self, truth, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = truth()
            except (StaleElementReferenceException, JavascriptException):
                answer = None
            if answer:
                return answer
            assert time.monotonic() < deadline, f'not within {seconds} s at {self.driver.current_url}:\n{self.text("main")[:1500]}\n{self.text("dialog")[:800]}\n{self.text(".messages")}'
            time.sleep(0.02)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.until(lambda: self.all(css))[0]

    def text(self, css='body'):
        return self.run('return (document.querySelector(arguments[0]) || {}).innerText || ""', css)

    def said(self, words, css='body'):
        return self.until(lambda: words in self.text(css))

    def button(self, words, css='button, a, label.button'):
        """The one that is called so: found in the page, since each question to the browser costs as much as a click."""
        return self.until(lambda: self.run('''
            const [words, css] = arguments;
            return [...document.querySelectorAll(css)].find((b) => (b.innerText.trim() === words || b.getAttribute('aria-label') === words) &&
                !b.disabled && b.checkVisibility({ visibilityProperty: true })) || null;''', words, css))

    def click(self, words, css='button, a, label.button'):
        self.until(lambda: self.button(words, css).click() is None)

    def field(self, label):
        """The field with that label; its star is no part of it."""
        found = self.until(lambda: self.run('''
            const l = [...document.querySelectorAll('label')].find((l) => l.textContent.replace(' *', '').trim() === arguments[0] && l.offsetParent);
            return l ? document.getElementById(l.htmlFor) || l.querySelector('input') : document.querySelector(`[aria-label="${arguments[0]}"]`);''', label))
        return found

    def type(self, label, text):
        field = self.field(label)
        field.send_keys(Keys.CONTROL, 'a')
        field.send_keys(Keys.DELETE)
        field.send_keys(text)

    def keys(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def reach(self, words, most=120):
        """By the keyboard alone: Tab until what is called so has the focus, and is seen to have it."""
        self.until(lambda: self.run('''return [...document.querySelectorAll('button, a, summary, label, input, select')].some((e) =>
            [e.innerText.replace(' *', '').trim(), e.getAttribute('aria-label')].includes(arguments[0]));''', words))
        for _ in range(most):
            names, seen = self.run("""
                const e = document.activeElement;
                const style = getComputedStyle(e);
                const words = e.labels?.length ? e.labels[0].textContent : e.tagName === 'BODY' ? '' : e.innerText;
                return [[e.getAttribute('aria-label'), (words || '').replace(' *', '').trim()], style.outlineStyle !== 'none' && style.outlineWidth !== '0px' || style.boxShadow !== 'none'];""")
            if words in names:
                assert seen, f'{words} has the focus, and nobody sees it'
                return self
            self.keys(Keys.TAB)
        raise AssertionError(f'{words} is not reached with Tab at {self.driver.current_url}')

    def press(self, words):
        self.reach(words).keys(Keys.ENTER)

    def axe(self, rules=None):
        """What a machine can see that people with other senses cannot use. `rules`: these only; otherwise all that it knows,
        also those that are experimental or go further than WCAG's AA."""
        if not self.run('return Boolean(window.axe)'):
            self.driver.execute_cdp_cmd('Runtime.evaluate', {'expression': (HERE / 'axe.min.js').read_text()})
        found = self.driver.execute_async_script('''
            const [rules, done] = arguments;
            axe.run({ exclude: [['tbody tr:nth-child(n+7)'], ['.event:nth-child(n+7)']] }, { // the other rows are like the first
                resultTypes: ['violations'], runOnly: rules || axe.getRules().map((r) => r.ruleId) })
                .then((r) => done(r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(' | ')}`)), (e) => done([String(e)]));''', rules)
        return found

    def complaints(self):
        """What the browser wrote into its console since the last time."""
        return [m['message'] for m in self.driver.get_log('browser') if m['level'] == 'SEVERE']

    def picture(self, name):
        if PICTURES:
            pathlib.Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(f'{PICTURES}/{name}.png')

    def close(self):
        self.driver.quit()
