// parts.js - what pages are made of: heads, notices, messages, dialogs, marks of state.
import { html, useChanges, useEffect, useRef, useState } from './dom.js';
import { t, title } from './words.js';
import { Problem, withoutCommand } from './api.js';

/** The head of a page: what it is, what can be done. The heading takes the focus of a new page, so that a screen reader
 * says where one is.
 * @param {{title: string, about?: any, actions?: any, back?: [string, string]}} p */
export function Head({ title: name, about, actions, back }) {
    const heading = useRef(/** @type {any} */ (null));

    useEffect(() => {
        document.title = `${name} – Dialtone`;
    }, [name]);
    useEffect(() => {
        if (!document.activeElement || document.activeElement === document.body)
            heading.current.focus({ preventScroll: true });
    }, []);
    return html`<header class="head">
        <div class="head-words">
            ${back && html`<a class="back" href=${back[0]}>← ${back[1]}</a>`}
            <h1 tabindex="-1" ref=${heading}>${name}</h1>
            ${about && html`<p class="about">${about}</p>`}
        </div>
        ${actions && html`<div class="actions">${actions}</div>`}
    </header>`;
}

/** @param {{kind?: 'good' | 'bad' | 'warn' | 'info', children?: any}} p */
export const Notice = ({ kind = 'info', children }) =>
    html`<div class=${`notice ${kind}`} role=${kind === 'bad' ? 'alert' : 'status'}>${children}</div>`;

/** What the server refused, in its words.
 * @param {{error: any}} p */
export function Refusal({ error }) {
    if (!error)
        return null;
    return html`<${Notice} kind="bad">${error instanceof Problem || error.message
        ? error.message : t('The server does not answer.')}</${Notice}>`;
}

/** What an answer says besides.
 * @param {any} data */
export const notesOf = (data) => (data?.notes || []).map(withoutCommand);

export const Loading = () => html`<p class="loading" role="status">${t('Loading …')}</p>`;

/** @param {{href: string, small?: boolean, primary?: boolean, children?: any}} p */
export const LinkButton = ({ href, small, primary, children }) =>
    html`<a class=${`button ${small ? 'small' : ''} ${primary ? 'primary' : ''}`} href=${href}>${children}</a>`;

/** A button that does something that takes time: it waits, and what is refused is said in a message.
 * @param {{run: () => any, kind?: string, disabled?: boolean, title?: string, label?: string, pressed?: boolean, children?: any}} p */
export function Do({ run, kind = '', disabled, title: hint, label, pressed, children }) {
    const [busy, set] = useState(false);
    const press = async () => {
        set(true);
        try {
            await run();
        } catch (error) {
            say(/** @type {any} */ (error).message, 'bad');
        }
        set(false);
    };

    return html`<button type="button" class=${`button ${kind}`} disabled=${disabled || busy} title=${hint} aria-label=${label}
        aria-pressed=${pressed} aria-busy=${busy} onClick=${press}>${children}</button>`;
}

/* --- marks of state --- */

/** @type {Record<string, string>} */
const kinds = {
    registered: 'good', running: 'good', active: 'good', unregistered: 'off', unknown: 'off', none: 'off', stopped: 'off', off: 'off',
    rejected: 'bad', failed: 'bad', partial: 'warn', emergency: 'bad', alert: 'bad', critical: 'bad', error: 'bad',
    warning: 'warn', sent: 'good', 'envoyé': 'good', 已发送: 'good', not: 'off', absent: 'off', 不存在: 'off', refused: 'bad', 'refusé': 'bad', 被拒绝: 'bad', notice: 'info', info: 'info', debug: 'off',
};

/** A state in words, with a dot of its colour: the words alone say all.
 * @param {{of: string}} p */
export const State = ({ of }) =>
    of ? html`<span class=${`state ${kinds[of.split(' ')[0].toLowerCase()] || 'info'}`}>${title(of)}</span>` : null;

/* --- messages that go by themselves --- */

/** @type {{text: string, kind: string, id: number}[]} */
let said = [];
let told = () => {};
let next = 1;

/** @param {string | string[]} text
 * @param {'good' | 'bad' | 'info'} [kind] */
export function say(text, kind = 'good') {
    const id = next++;
    const words = Array.isArray(text) ? text.join(' ') : text;

    if (!words)
        return;
    said = [...said.slice(-3), { text: words, kind, id }];
    told();
    setTimeout(() => {
        said = said.filter((s) => s.id !== id);
        told();
    }, kind === 'bad' ? 15000 : 7000);
}

export function Messages() {
    useChanges((changed) => {
        told = changed;
        return () => {};
    });
    return html`<div class="messages" role="status" aria-live="polite">
        ${said.map((s) => html`<div key=${s.id} class=${`message ${s.kind}`}>${s.text}</div>`)}
    </div>`;
}

/* --- dialogs --- */

/** Without `onClose` it stays until what it asks for is done.
 * @param {{title: string, onClose?: () => void, wide?: boolean, children?: any}} p */
export function Dialog({ title: name, onClose, wide, children }) {
    const box = useRef(/** @type {any} */ (null));

    useEffect(() => {
        const was = document.activeElement;

        box.current.showModal();
        return () => was instanceof HTMLElement && was.focus();
    }, []);
    return html`<dialog ref=${box} class=${wide ? 'wide' : ''} aria-label=${name} onClose=${onClose} onCancel=${onClose || ((/** @type {Event} */ e) => e.preventDefault())}>
        <header><h2>${name}</h2>
            ${onClose && html`<button type="button" class="button plain" aria-label=${t('Close')} onClick=${onClose}>✕</button>`}</header>
        ${children}
    </dialog>`;
}

/** A question before something that cannot be undone.
 * @type {(question: any) => void} */
let putQuestion = () => {};

/** @param {string} question
 * @param {{yes: string, danger?: boolean, about?: any}} o
 * @returns {Promise<boolean>} */
export const confirmed = (question, o) => new Promise((answer) => putQuestion({ question, answer, ...o }));

export function Questions() {
    const [q, set] = useState(/** @type {any} */ (null));

    putQuestion = set;
    if (!q)
        return null;
    const close = (/** @type {boolean} */ yes) => {
        set(null);
        q.answer(yes);
    };

    return html`<${Dialog} title=${q.question} onClose=${() => close(false)}>
        ${q.about && html`<div class="dialog-body">${q.about}</div>`}
        <footer>
            <button type="button" class="button" onClick=${() => close(false)}>${t('Cancel')}</button>
            <button type="button" class=${`button ${q.danger ? 'danger' : 'primary'}`} autofocus onClick=${() => close(true)}>${q.yes}</button>
        </footer>
    </${Dialog}>`;
}

/** Name and value pairs.
 * @param {{rows: [string, any][]}} p */
export const Facts = ({ rows }) => html`<dl class="facts">${rows.filter(([, v]) => v !== '' && v !== null && v !== undefined).map(
    ([k, v]) => html`<div key=${k}><dt>${k}</dt><dd>${v}</dd></div>`)}</dl>`;

/** A plain table of few rows; on a narrow screen each row is a block, unless its cells are `short`.
 * @param {{columns: string[], rows: any[][], label: string, empty?: string, short?: boolean}} p */
export function Rows({ columns, rows, label, empty, short }) {
    if (!rows.length && empty)
        return html`<p class="empty">${empty}</p>`;
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table class=${short ? 'plain' : 'plain rows'}><thead><tr>
        ${columns.map((c) => html`<th scope="col" key=${c}>${c}</th>`)}</tr></thead>
        <tbody>${rows.map((row, i) => html`<tr key=${i}>${row.map((cell, k) => html`<td key=${k} data-title=${columns[k]}>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}
