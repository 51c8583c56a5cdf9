// table.js - a table of any length: only the rows that are seen are drawn. Arrows, Page, Home and End move, Enter opens,
// the space bar selects.
import { html, useEffect, useLayoutEffect, useMedia, useRef, useState } from './dom.js';
import { go } from './router.js';
import { number, t } from './words.js';
import { Refusal } from './parts.js';

const SPARE = 8; /* rows drawn above and below what is seen */

/** @typedef {{id: string, title: string, width?: string, narrow?: boolean, mono?: boolean, cell?: (row: any) => any, sort?: boolean}} Column
 * width: of the grid, as CSS has it; narrow: also on a telephone's screen.
 * @typedef {{has: (key: string) => boolean, toggle: (key: string) => void, all: boolean, toggleAll: () => void}} Selection
 * @param {{list: import('./rows.js').List, columns: Column[], keyOf: (row: any) => string, hrefOf?: (row: any) => string, label: string,
 *   empty?: any, selection?: Selection, sort?: string, onSort?: (by: string) => void}} p */
export function Table({ list, columns, keyOf, hrefOf, label, empty, selection, sort, onSort }) {
    const narrow = useMedia('(max-width: 700px)');
    const height = narrow ? 44 : 30;
    const box = useRef(/** @type {any} */ (null));
    const [view, setView] = useState({ top: 0, size: 900 });
    const [at, setAt] = useState(0);
    const [held, hold] = useState(false); /* the focus is on a row */
    const shown = columns.filter((c) => !narrow || c.narrow);
    const count = list.count;
    const from = Math.max(0, Math.floor(view.top / height) - SPARE);
    const to = Math.min(count, Math.ceil((view.top + view.size) / height) + SPARE);

    useEffect(() => {
        const measure = () => box.current && setView({ top: box.current.scrollTop, size: box.current.clientHeight });
        const watch = new ResizeObserver(measure);

        watch.observe(box.current);
        return () => watch.disconnect();
    }, []);
    useEffect(() => {
        list.need(from, to);
    }, [list, from, to]);
    useEffect(() => {
        if (view.top) /* asking the box itself would lay it out once more */
            box.current.scrollTop = 0;
        setAt(0);
    }, [list.at, JSON.stringify(list.query)]);
    useLayoutEffect(() => {
        if (held)
            box.current?.querySelector(`tr[data-row="${at}"]`)?.focus({ preventScroll: true });
    }, [at, held, from, list.rows[at] === undefined]);

    const move = (/** @type {number} */ wanted) => {
        const row = Math.max(0, Math.min(list.count - 1, wanted));
        const head = height + 2;

        if (row * height < box.current.scrollTop)
            box.current.scrollTop = row * height;
        else if ((row + 1) * height > box.current.scrollTop + box.current.clientHeight - head)
            box.current.scrollTop = (row + 1) * height - box.current.clientHeight + head;
        setAt(row);
        hold(true);
    };
    const onKeyDown = (/** @type {KeyboardEvent} */ e) => {
        const page = Math.max(1, Math.floor(view.size / height) - 2);
        /**
         * @type {Record<string, () => void>} */
        const keys = {
            ArrowDown: () => move(at + 1), ArrowUp: () => move(at - 1), j: () => move(at + 1), k: () => move(at - 1),
            PageDown: () => move(at + page), PageUp: () => move(at - page), Home: () => move(0), End: () => move(list.count - 1),
            Enter: () => list.rows[at] && hrefOf && go(hrefOf(list.rows[at])),
            ' ': () => list.rows[at] && selection?.toggle(keyOf(list.rows[at])),
        };

        if (e.target instanceof Element && e.target.closest('a, button, input') && (e.key === 'Enter' || e.key === ' '))
            return;
        if (keys[e.key] && !e.ctrlKey && !e.metaKey && !e.altKey) {
            e.preventDefault();
            keys[e.key]();
        }
    };
    const open = (/** @type {MouseEvent} */ e, /** @type {any} */ row) => {
        if (hrefOf && !(e.target instanceof Element && e.target.closest('a, button, input, label')) && !String(getSelection()))
            go(hrefOf(row));
    };
    const heading = (/** @type {Column} */ c, /** @type {number} */ i) => {
        const by = sort === c.id ? 'ascending' : sort === `-${c.id}` ? 'descending' : undefined;

        return html`<th scope="col" key=${c.id} style=${{ width: narrow ? (i ? 'auto' : '46%') : c.width || 'auto' }} aria-sort=${by} title=${c.title}>${c.sort && onSort
            ? html`<button type="button" onClick=${() => onSort(by === 'ascending' ? `-${c.id}` : c.id)}>${c.title}${
                by ? (by === 'ascending' ? ' ▲' : ' ▼') : ''}</button>` : c.title}</th>`;
    };
    const line = (/** @type {any} */ row, /** @type {number} */ i) => {
        const key = keyOf(row);
        const chosen = selection?.has(key) || false;

        return html`<tr key=${i} data-row=${i} aria-rowindex=${i + 2} aria-selected=${selection ? chosen : undefined} class=${chosen ? 'chosen' : ''}
            tabindex=${i === at ? 0 : -1} onFocus=${() => { setAt(i); hold(true); }} onClick=${(/** @type {any} */ e) => open(e, row)}>
            ${selection && html`<td class="tick"><input type="checkbox" tabindex="-1" checked=${chosen} aria-label=${t('Select {0}', key)}
                onChange=${() => selection.toggle(key)} /></td>`}
            ${shown.map((c, k) => {
        const value = c.cell ? c.cell(row) : plain(row[c.id]);

        return html`<td key=${c.id} class=${c.mono ? 'mono' : ''} title=${typeof value === 'string' ? value : undefined}>${!k && hrefOf
            ? html`<a href=${hrefOf(row)} tabindex="-1">${value || '–'}</a>` : value}</td>`;
    })}</tr>`;
    };
    const lines = [];

    for (let i = from; i < to; i++)
        lines.push(list.rows[i] ? line(list.rows[i], i)
            : html`<tr key=${i} class="coming" aria-hidden="true"><td colspan=${shown.length + (selection ? 1 : 0)}>…</td></tr>`);
    const nothing = list.done && !list.count;
    const rows = (/** @type {number} */ n) => (n === 1 ? t('1 row') : t('{0} rows', number(n)));

    return html`<div class="table">
        <${Refusal} error=${list.error} />
        <div class="table-box" ref=${box} onScroll=${() => box.current && setView({ top: box.current.scrollTop, size: box.current.clientHeight })} onKeyDown=${onKeyDown}
            onFocusOut=${(/** @type {FocusEvent} */ e) => e.relatedTarget && !box.current.contains(e.relatedTarget) && hold(false)}
            tabindex=${nothing ? 0 : undefined} role=${nothing ? 'region' : undefined} aria-label=${nothing ? label : undefined}>
            <table role="grid" aria-label=${label} aria-rowcount=${list.done ? list.count + 1 : list.total ?? -1} aria-busy=${list.busy}>
                <thead><tr>${selection && html`<th scope="col" class="tick"><input type="checkbox" checked=${selection.all}
                    aria-label=${t('Select all')} onChange=${selection.toggleAll} /></th>`}${shown.map(heading)}</tr></thead>
                <tbody>
                    ${from > 0 && html`<tr key="above" aria-hidden="true" class="space" style=${{ height: `${from * height}px` }}></tr>`}
                    ${lines}
                    ${to < count && html`<tr key="below" aria-hidden="true" class="space" style=${{ height: `${(count - to) * height}px` }}></tr>`}
                </tbody>
            </table>
            ${nothing && !list.error && html`<div class="empty">${empty || t('Nothing here.')}</div>`}
        </div>
        <p class="count" role="status">${list.done ? rows(list.count)
        : list.total !== null ? rows(list.total) : t('{0} rows and more', number(list.rows.length))}</p>
    </div>`;
}

/** A value of the API in a cell.
 * @param {any} value
 * @returns {string} */
export function plain(value) {
    if (value === null || value === undefined)
        return '';
    if (value === true || value === false)
        return value ? t('yes') : t('no');
    if (Array.isArray(value))
        return value.map((v) => (v && typeof v === 'object' ? Object.values(v).join(' ') : String(v))).join(', ');
    return String(value);
}
