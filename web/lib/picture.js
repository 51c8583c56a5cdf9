// picture.js - a phone as a picture: its keys in their places, what stands on its display. Drawn from the model table:
// families differ in their bodies, models in keys and displays.
import { html } from './dom.js';
import { t } from './words.js';

/** @typedef {{feature: string, label: string, number: string, n: number}} Key */

/** The keys in their physical order with what is configured there: as the server places them.
 * @param {string[]} features of the template, "any" for a free key
 * @param {any[]} buttons of the phone
 * @returns {Key[]} */
export function placed(features, buttons) {
    const left = [...buttons];
    /**
     * @type {Record<string, number>} */
    const counts = {};

    return features.map((wanted) => {
        const at = left.findIndex((b) => wanted === 'any' || (b.feature || 'line') === wanted);
        const row = at < 0 ? null : left.splice(at, 1)[0];
        const feature = row?.feature || (row ? 'line' : wanted === 'any' ? 'speed_dial' : wanted);

        counts[feature] = (counts[feature] || 0) + 1;
        return { feature, n: counts[feature], number: (row?.target || '').split('/')[0], label: row?.label || '' };
    });
}

/** What is written beside a key.
 * @param {Key} k */
export function written(k) {
    if (k.feature === 'unused')
        return '';
    if (k.feature === 'line' || k.feature === 'speed_dial')
        return k.label || k.number;
    return k.label || k.feature.replace(/_/g, ' ');
}

const cut = (/** @type {string} */ text, /** @type {number} */ n) => (text.length > n ? `${text.slice(0, n - 1)}…` : text);

/** @typedef {{first: string, second: string, softkeys: string[], on: boolean}} Said */

/** What the display says.
 * @param {any} r the phone's record
 * @returns {Said} */
function said(r) {
    const status = (r.status || '').split(' ')[0];

    if (status === 'registered')
        return { on: true, first: r.description || r.name, second: t('Your current options'), softkeys: ['Redial', 'NewCall', 'CFwdAll', 'more'] };
    if (status === 'rejected')
        return { on: true, first: r.name, second: t('Registration rejected'), softkeys: [] };
    return { on: false, first: '', second: '', softkeys: [] };
}

/** @param {{x: number, y: number, w: number, h: number, s: Said, number: string, labels: string[], softkeys: number, text?: boolean, step?: number}} p */
function Display({ x, y, w, h, s, number, labels, softkeys, text, step = 24 }) {
    const now = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const chars = Math.floor(w / 6.2);

    if (text)
        return html`<g><rect x=${x} y=${y} width=${w} height=${h} rx="3" class=${s.on ? 'lcd on' : 'lcd'} />
            <text x=${x + 7} y=${y + 16} class="pixel">${s.on ? cut(s.first, chars) : ''}</text><text x=${x + 7} y=${y + 32} class="pixel">${s.on ? cut(`${number}  ${now}`, chars) : ''}</text></g>`;
    const half = labels.length ? w * 0.52 : w;

    return html`<g><rect x=${x} y=${y} width=${w} height=${h} rx="4" class=${s.on ? 'lcd on' : 'lcd'} />
        ${s.on && html`<rect x=${x} y=${y} width=${w} height="17" rx="3" class="lcd-bar" />
            <text x=${x + 6} y=${y + 12.5} class="pixel inverse">${now}</text><text x=${x + w - 6} y=${y + 12.5} class="pixel inverse end">${cut(number, 14)}</text>
            <text x=${x + 6} y=${y + 36} class="pixel">${cut(s.first, Math.floor(half / 6))}</text>
            <text x=${x + 6} y=${y + h - (softkeys ? 24 : 8)} class="pixel small">${cut(s.second, Math.floor(half / 5))}</text>
            ${labels.map((l, i) => html`<text key=${i} x=${x + w - 7} y=${y + 33 + i * step} class="pixel end">${cut(l, Math.floor(w * 0.44 / 6.2))}</text>`)}
            ${softkeys > 0 && s.softkeys.slice(0, softkeys).map((k, i) => html`<text key=${k} x=${x + w * (i + 0.5) / softkeys} y=${y + h - 7} class="pixel small middle">${k}</text>`)}`}
    </g>`;
}

/** @param {{x: number, y: number, size?: number}} p */
const Keypad = ({ x, y, size = 1 }) => html`<g>${['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'].map((d, i) => html`<g key=${d}>
    <rect x=${x + (i % 3) * 34 * size} y=${y + Math.floor(i / 3) * 25 * size} width=${28 * size} height=${19 * size} rx="5" class="button-cap" />
    <text x=${x + (i % 3) * 34 * size + 14 * size} y=${y + Math.floor(i / 3) * 25 * size + 14 * size} class="digit">${d}</text></g>`)}</g>`;

/** @param {{x: number, y: number, h: number}} p */
const Receiver = ({ x, y, h }) => html`<g class="receiver"><rect x=${x + 14} y=${y} width="34" height=${h} rx="15" />
    <rect x=${x} y=${y - 8} width="62" height="66" rx="22" /><rect x=${x} y=${y + h - 58} width="62" height="66" rx="22" /></g>`;

/** @param {{keys: Key[], x: number, y: number, columns: number, w: number}} p */
const Caps = ({ keys, x, y, columns, w }) => html`<g>${keys.map((k, i) => {
    const [cx, cy] = [x + (i % columns) * (w + 6), y + Math.floor(i / columns) * 24];

    return html`<g key=${i} class=${k.feature === 'unused' ? 'blind' : ''}><title>${`${i + 1}: ${k.feature.replace(/_/g, ' ')} ${k.number}`}</title>
        <rect x=${cx} y=${cy} width=${w} height="18" rx="5" class="button-cap" /><text x=${cx + w / 2} y=${cy + 12.5} class="cap">${cut(written(k), Math.floor(w / 5))}</text></g>`;
})}</g>`;

/** @param {{r: any, model: any, keys: Key[]}} p */
function Desk({ r, model, keys }) {
    const s = said(r);
    const lcd = /^(\d+)x(\d+)(x\d+)?( characters)?$/.exec(model.screen || '');
    const text = Boolean(lcd?.[4]);
    const number = keys.find((k) => k.feature === 'line')?.number || '';
    const beside = text || !lcd ? [] : keys.filter((k) => ['line', 'speed_dial', 'blf', 'service', 'feature', 'unused'].includes(k.feature)).slice(0, model.lines > 1 ? 10 : 0);
    const rest = keys.filter((k) => !beside.includes(k));
    const modern = /88|89|99|78|69/.test(model.name.slice(0, 2)) && beside.length > 2;
    const right = modern ? beside.slice(Math.ceil(beside.length / 2)) : beside;
    const left = modern ? beside.slice(0, Math.ceil(beside.length / 2)) : [];
    const high = Math.max(right.length, left.length, 4) * 24;
    const screenH = !lcd ? 0 : text ? 42 : Math.min(198, Math.max(112, high + 46));
    const x = 112 + (left.length ? 26 : 0);
    const w = text ? 210 : 250;
    const below = 34 + screenH + (model.softkeys && !text ? 40 : 20);
    const columns = rest.length > 12 ? 3 : rest.length > 4 ? 2 : 1;
    const padH = Math.max(104, Math.ceil(rest.length / columns) * 24);
    const H = below + padH + 26;
    const cap = columns === 1 ? 118 : columns === 2 ? 66 : 58;
    const W = Math.max(x + w + (right.length ? 52 : 30), rest.length ? x + 118 + columns * (cap + 6) + 24 : 0);

    return html`<svg viewBox=${`0 0 ${W} ${H}`} class="phone-picture" role="img" aria-label=${t('Picture of a {0}: {1}', model.title, keys.map(written).filter(Boolean).join(', ') || t('no keys in use'))}>
        <rect x="2" y="2" width=${W - 4} height=${H - 4} rx="22" class="body" />
        <rect x="96" y="18" width=${W - 112} height=${H - 36} rx="12" class="face" />
        <${Receiver} x=${18} y=${28} h=${Math.min(H - 56, 260)} />
        ${lcd && html`<${Display} x=${x} y=${34} w=${w} h=${screenH} s=${left.length ? { ...s, first: '' } : s} number=${number} labels=${right.map(written)} softkeys=${text ? 0 : model.softkeys} text=${text} />`}
        ${right.map((k, i) => html`<g key=${i}><title>${`${k.feature.replace(/_/g, ' ')} ${k.number}`}</title><rect x=${x + w + 8} y=${56 + i * 24} width="22" height="14" rx="6" class=${`side ${k.number ? 'used' : ''}`} /></g>`)}
        ${left.map((k, i) => html`<g key=${i}><title>${`${k.feature.replace(/_/g, ' ')} ${k.number}`}</title><rect x=${x - 30} y=${56 + i * 24} width="22" height="14" rx="6" class=${`side ${k.number ? 'used' : ''}`} />
            ${s.on && html`<text x=${x + 7} y=${67 + i * 24} class="pixel">${cut(written(k), 16)}</text>`}</g>`)}
        ${model.softkeys > 0 && !text && Array.from({ length: model.softkeys }, (_, i) => html`<rect key=${i} x=${x + w * (i + 0.5) / model.softkeys - 16} y=${40 + screenH} width="32" height="13" rx="6" class="side" />`)}
        <${Keypad} x=${x} y=${below} />
        <${Caps} keys=${rest} x=${x + 118} y=${below} columns=${columns} w=${cap} />
        <circle cx="49" cy="14" r="5" class=${s.on ? 'lamp on' : 'lamp'} />
        <text x=${W - 22} y=${H - 9} class="brand-name">${model.name}</text>
    </svg>`;
}

/** An adapter has no keys: lamps and sockets.
 * @param {{r: any, model: any, keys: Key[]}} p */
const Adapter = ({ r, model, keys }) => html`<svg viewBox="0 0 380 170" class="phone-picture small" role="img" aria-label=${t('Picture of a {0}: {1}', model.title, keys.map(written).filter(Boolean).join(', ') || t('no keys in use'))}>
    <rect x="10" y="30" width="360" height="110" rx="16" class="body" /><rect x="26" y="46" width="328" height="78" rx="8" class="face" />
    <circle cx="60" cy="70" r="7" class=${said(r).on ? 'lamp on' : 'lamp'} /><text x="76" y="75" class="cap start">${keys.filter((k) => k.feature === 'line').map(written).join('  ')}</text>
    ${[0, 1].map((i) => html`<rect key=${i} x=${60 + i * 70} y="90" width="44" height="22" rx="3" class="lcd" />`)}
    <text x="346" y="118" class="brand-name">${model.name}</text></svg>`;

/** Three legs, a display in the middle.
 * @param {{r: any, model: any, keys: Key[]}} p */
const Conference = ({ r, model, keys }) => html`<svg viewBox="0 0 420 360" class="phone-picture" role="img" aria-label=${t('Picture of a {0}: {1}', model.title, keys.map(written).filter(Boolean).join(', ') || t('no keys in use'))}>
    <path d="M210 350c-26 0-36-30-46-70-10-38-22-52-52-66C62 190 14 186 14 148c0-36 46-38 98-20 34 12 64 12 98 12s64 0 98-12c52-18 98-16 98 20 0 38-48 42-98 66-30 14-42 28-52 66-10 40-20 70-46 70z" class="body" />
    <${Display} x=${132} y=${150} w=${156} h=${58} s=${said(r)} number=${keys.find((k) => k.feature === 'line')?.number || ''} labels=${[]} softkeys=${0} text=${true} />
    <${Keypad} x=${172} y=${220} size=${0.8} /><circle cx="210" cy="336" r="5" class=${said(r).on ? 'lamp on' : 'lamp'} />
    <text x="392" y="176" class="brand-name">${model.name}</text></svg>`;

/** One that is carried.
 * @param {{r: any, model: any, keys: Key[]}} p */
const Wireless = ({ r, model, keys }) => html`<svg viewBox="0 0 220 430" class="phone-picture small" role="img" aria-label=${t('Picture of a {0}: {1}', model.title, keys.map(written).filter(Boolean).join(', ') || t('no keys in use'))}>
    <rect x="140" y="2" width="20" height="60" rx="10" class="body" /><rect x="30" y="30" width="160" height="396" rx="34" class="body" />
    <rect x="82" y="48" width="56" height="6" rx="3" class="lcd" />
    <${Display} x=${46} y=${70} w=${128} h=${140} s=${said(r)} number=${keys.find((k) => k.feature === 'line')?.number || ''} labels=${[]} softkeys=${2} />
    <circle cx="110" cy="246" r="24" class="face" /><circle cx="110" cy="246" r="9" class="button-cap" /><${Keypad} x=${62} y=${290} />
    <text x="180" y="414" class="brand-name">${model.name}</text></svg>`;

/** @param {{record: any, model: any, features: string[]}} p */
export function Picture({ record, model, features }) {
    const keys = placed(features, record.buttons || []);
    const kind = /ata/i.test(model.family) || /^ATA/.test(model.name) ? Adapter
        : /^(7935|7936|7937|8831|8832)/.test(model.name) ? Conference : /^792|^882/.test(model.name) ? Wireless : Desk;

    return html`<${kind} r=${record} model=${model} keys=${keys} />`;
}
