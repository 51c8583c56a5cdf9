// handset.js - a phone to be pressed: display, keys with lamps, softkeys, keypad, by mouse and by keyboard.
import { html } from './dom.js';
import { State } from './parts.js';
import { t } from './words.js';

/** Keys of the computer while the phone has the focus.
 * @type {Record<string, [string, any]>} */
const typed = {
    F1: ['softkey', 1], F2: ['softkey', 2], F3: ['softkey', 3], F4: ['softkey', 4], F5: ['softkey', 5], ArrowUp: ['up', 1], ArrowDown: ['down', 1],
    Enter: ['select', 1], Escape: ['back', 1], Backspace: ['back', 1], h: ['hook', 1], s: ['settings', 1], m: ['messages', 1], d: ['directories', 1], v: ['services', 1],
};

const lamps = /** @type {Record<string, () => string>} */ ({ on: () => t('on'), off: () => t('unlit'), wink: () => t('winking'), flash: () => t('flashing'), blink: () => t('blinking') });

/** What the phone says to a key that does nothing.
 * @param {string} said */
const answer = (said) => (/not registered/.test(said) ? t('The phone is not registered: the key does nothing.')
    : /^SIP/.test(said) ? t('SIP phones make no calls here: the key does nothing.') : said ? t('This phone has no such key now.') : '');

/** @param {{p: any}} p */
const Display = ({ p }) => html`<div class=${`lcd ${!p.powered ? 'dark' : p.depth >= 12 ? 'colour' : 'green'}`} style=${{ '--columns': Math.max(20, p.columns) }} role="img"
    aria-label=${p.powered ? t('Display: {0}', p.rows.map((/** @type {any} */ r) => r.text.trim()).filter(Boolean).join(', ') || t('empty')) : t('Display: {0}', t('without power'))}>
    ${p.rows.map((/** @type {any} */ r, /** @type {number} */ i) => html`<div key=${i} class=${`lcd-row ${r.reverse ? 'reverse' : ''}`}>${r.text || ' '}</div>`)}
</div>`;

/** @param {{p: any, press: (key: string, n?: any) => void}} p */
const Softkeys = ({ p, press }) => html`<div class="softkeys">${Array.from({ length: p.softkeys_max }, (_, i) => html`<button key=${i} type="button" class="softkey"
    disabled=${!p.softkeys[i]} aria-label=${t('Softkey {0}: {1}', i + 1, p.softkeys[i] || t('empty'))} onClick=${() => press('softkey', i + 1)}><span>${p.softkeys[i] || ''}</span></button>`)}</div>`;

/** @param {{p: any, press: (key: string, n?: any) => void}} p */
const Lines = ({ p, press }) => html`<ol class="line-keys">${p.keys.map((/** @type {any} */ k, /** @type {number} */ i) => html`<li key=${i}><button type="button" class=${`line-key lamp-${k.lamp}`}
    aria-label=${t('Key {0}: {1}, lamp {2}', i + 1, k.label || t('empty'), lamps[k.lamp]())} onClick=${() => press('line', i + 1)}><span class="lamp"></span><span class="words">${k.label || '–'}</span></button></li>`)}</ol>`;

const functions = /** @type {[string, () => string][]} */ ([
    ['hook', () => t('Handset')], ['speaker', () => t('Speaker')], ['messages', () => t('Messages')], ['directories', () => t('Directories')],
    ['services', () => t('Services')], ['settings', () => t('Settings')], ['up', () => t('Up')], ['down', () => t('Down')], ['select', () => t('Select')], ['back', () => t('Back')],
]);

/** @param {{p: any, press: (key: string, n?: any) => void}} p p: the picture as the server sends it */
export function Handset({ p, press }) {
    const onKeyDown = (/** @type {KeyboardEvent} */ e) => {
        const button = e.target instanceof Element && e.target.closest('button');
        const [key, n] = /^[0-9*#]$/.test(e.key) ? ['digit', e.key] : typed[e.key] || [];

        if (!key || e.ctrlKey || e.metaKey || e.altKey || (button && e.key === 'Enter'))
            return;
        e.preventDefault();
        press(key, n);
    };

    return html`<div class=${`handset ${p.ringing ? 'ringing' : ''}`} role="application" tabindex="0" aria-label=${t('{0} {1}: digits, F1 to F5, arrows, Enter and Escape press its keys', p.title, p.device)} onKeyDown=${onKeyDown}>
        <div class="handset-top"><span class=${`lamp waiting lamp-${p.message_lamp}`}></span><strong>${p.title}</strong><span class="mono device">${p.device}</span><${State} of=${p.powered ? p.state : 'off'} /></div>
        <div class="handset-face">
            <div><${Display} p=${p} />${p.softkeys_max > 0 && html`<${Softkeys} p=${p} press=${press} />`}</div>
            <${Lines} p=${p} press=${press} />
        </div>
        <div class="handset-keys">
            <div class="keypad">${['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'].map((d) => html`<button key=${d} type="button" aria-label=${t('Digit {0}', d)} onClick=${() => press('digit', d)}>${d}</button>`)}</div>
            <div class="functions">${functions.map(([key, words]) => html`<button key=${key} type="button" aria-pressed=${key === 'hook' ? p.off_hook : key === 'speaker' ? p.speaker : undefined}
                onClick=${() => press(key)}>${words()}</button>`)}</div>
        </div>
        <p class="handset-said" role="status">${answer(p.said)}</p>
    </div>`;
}

