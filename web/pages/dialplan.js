// dialplan.js - what happens if A dials …: which partitions A sees, in order, and which line the digits lead to.
import { html, useEffect, useState } from '../lib/dom.js';
import { get, path } from '../lib/api.js';
import { suggest } from '../lib/schema.js';
import { Head, Notice, Refusal, Rows } from '../lib/parts.js';
import { setQuery } from '../lib/router.js';
import { t } from '../lib/words.js';

const record = (/** @type {string} */ noun, /** @type {string} */ name) => (name ? get(path(noun, name)).then(({ data }) => data.record, () => null) : Promise.resolve(null));

/** Who dials: a phone (its first line) or a line on its first phone.
 * @param {string} from */
async function caller(from) {
    const line = await record('line', from);
    const phone = await record('phone', line ? line.phones?.[0] || '' : from);

    if (line || !phone)
        return { line, phone };
    return { line: await record('line', (phone.lines || '').split(';')[0]), phone };
}

/** Partitions in the order in which they are searched: those of the line's search space, then those of the phone's; what has
 * no partition is seen by everybody, last.
 * @param {any} line
 * @param {any} phone */
async function partitions(line, phone) {
    /** @type {{name: string, by: string}[]} */
    const seen = [];

    for (const [who, css] of [[t('line'), line?.css], [t('phone'), phone?.css]]) {
        const space = await record('css', css || '');

        for (const m of space?.members || [])
            if (!seen.some((s) => s.name === m.partition))
                seen.push({ name: m.partition, by: `${css} (${who})` });
    }
    return [...seen, { name: '', by: t('everybody') }];
}

/** @param {string} from
 * @param {string} digits */
async function trial(from, digits) {
    const { line, phone } = await caller(from);

    if (!line && !phone)
        return { error: t('There is no line and no phone “{0}”.', from) };
    const order = await partitions(line, phone);
    const rows = [];
    let hit = null;

    for (const p of order) {
        const { data } = await get('line', { number: `${digits}*`, partition: p.name || undefined, limit: 50, columns: 'number,partition,description,phones,forward_all' });
        const here = data.items.filter((/** @type {any} */ l) => l.partition === p.name);
        const exact = here.find((/** @type {any} */ l) => l.number === digits);

        rows.push({ ...p, exact, longer: here.length - (exact ? 1 : 0) });
        hit ||= exact || null;
    }
    return { line, phone, rows, hit, waits: rows.some((r) => r.longer) };
}

/** @param {{r: any, digits: string}} p */
function Outcome({ r, digits }) {
    if (r.error)
        return html`<${Notice} kind="bad">${r.error}</${Notice}>`;
    const line = r.hit && `${r.hit.number}${r.hit.partition ? `/${r.hit.partition}` : ''}`;

    return html`
        ${r.hit ? html`<${Notice} kind="good">${t('{0} leads to line', digits)} <a href=${`/line/${encodeURIComponent(line)}`}>${line}</a>${r.hit.description ? ` (${r.hit.description})` : ''}${
            r.hit.forward_all ? `, ${t('which forwards all calls to {0}', r.hit.forward_all)}` : ''}: ${r.hit.phones?.length
            ? r.hit.phones.map((/** @type {string} */ p) => html`<a key=${p} href=${`/phone/${p}`}>${p}</a> `) : t('no phone has it')}.</${Notice}>`
        : html`<${Notice} kind="warn">${r.waits ? t('{0} is not complete: longer numbers begin so.', digits) : t('{0} leads nowhere: no line that this caller may see has that number.', digits)}</${Notice}>`}
        <section class="card"><h2>${t('What is searched, in order')}</h2><${Rows} label=${t('What is searched, in order')} columns=${['#', t('Partition'), t('By'), t('Line'), t('Longer numbers')]}
            rows=${r.rows.map((/** @type {any} */ p, /** @type {number} */ i) => [i + 1, p.name || t('(none)'), p.by, p.exact ? html`<strong>${p.exact.number}</strong>` : '–', p.longer || '–'])} />
            <p class="help">${t('The line’s search space goes before the phone’s; the first partition with the number counts. Calls themselves come with a later version: this shows which line would match.')}</p></section>`;
}

/** @param {{query: Record<string, string>}} p */
export default function DialPlan({ query }) {
    const [form, set] = useState({ from: query.from || '', digits: query.digits || '' });
    const [result, setResult] = useState(/** @type {any} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const [names, setNames] = useState(/** @type {string[]} */ ([]));

    useEffect(() => {
        if (query.from && query.digits)
            trial(query.from, query.digits).then((r) => { setResult({ ...r, digits: query.digits }); setError(null); }, setError);
    }, [query.from, query.digits]);
    return html`<section class="page">
        <${Head} title=${t('Dial plan')} about=${t('What happens if A dials …')} />
        <form class="search dial" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); setQuery(form); }}>
            <label for="from">${t('Caller: a line or a phone')}</label>
            <input id="from" type="text" list="callers" required autocomplete="off" value=${form.from} onFocus=${() => suggest('line', form.from).then(setNames, () => {})}
                onInput=${(/** @type {any} */ e) => { set({ ...form, from: e.target.value }); suggest('line', e.target.value).then(setNames, () => {}); }} />
            <datalist id="callers">${names.map((n) => html`<option key=${n} value=${n}></option>`)}</datalist>
            <label for="digits">${t('dials')}</label>
            <input id="digits" type="text" inputmode="tel" required pattern="[0-9*#+A-D]+" autocomplete="off" value=${form.digits} onInput=${(/** @type {any} */ e) => set({ ...form, digits: e.target.value })} />
            <button type="submit" class="button primary">${t('Try')}</button>
        </form>
        <${Refusal} error=${error} />
        ${!result && !error && html`<p class="empty card">${t('Say who calls and what is dialled: here stands which line that leads to, or why to none.')}</p>`}
        ${result && html`<${Outcome} r=${result} digits=${result.digits} />`}
    </section>`;
}
