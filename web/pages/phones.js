// phones.js - find and list phones; what is done with one or with many.
import { html, useState } from '../lib/dom.js';
import { ask, may } from '../lib/api.js';
import { useLive } from '../lib/live.js';
import { useList } from '../lib/rows.js';
import { Aftermath } from '../lib/plan.js';
import { Table } from '../lib/table.js';
import { confirmed, Do, Head, LinkButton, notesOf, Notice, say, State } from '../lib/parts.js';
import { Search } from '../lib/search.js';
import { setQuery } from '../lib/router.js';
import { number, t, time } from '../lib/words.js';
import { BulkEdit } from './phones_bulk.js';

const columns = 'name,model,lines,status,address,pool,description,since,reason,protocol';
const states = ['registered', 'unregistered', 'rejected', 'unknown'];

/** @type {() => import('../lib/table.js').Column[]} */
const table = () => [
    { id: 'name', title: t('Device name'), width: '160px', narrow: true, mono: true, sort: true },
    { id: 'model', title: t('Model'), width: '84px', sort: true },
    { id: 'lines', title: t('Lines'), width: '10%', cell: (r) => r.lines.replaceAll(';', ', '), sort: true },
    { id: 'status', title: t('Status'), width: '130px', narrow: true, cell: (r) => html`<${State} of=${r.status} />`, sort: true },
    { id: 'address', title: t('Address'), width: '140px', mono: true, sort: true },
    { id: 'pool', title: t('Device pool'), width: '10%', sort: true },
    { id: 'description', title: t('Description'), width: '14%', sort: true },
    { id: 'since', title: t('Since'), width: '140px', cell: (r) => time(r.since), sort: true },
    { id: 'reason', title: t('Reason') },
];

/** Many names, a request for each thousand at most.
 * @param {string[]} names
 * @param {(part: string[]) => Promise<any>} each */
export async function inParts(names, each) {
    const notes = [];

    for (let i = 0; i < names.length; i += 1000)
        notes.push(...notesOf((await each(names.slice(i, i + 1000))).data));
    return notes;
}

/** Without the collector nobody knows how phones are: they are not lost. */
function Unreported() {
    const silent = useLive('phones')?.reported === false;

    return silent && html`<${Notice} kind="warn">${t('The state of phones is not reported: the RIS data collector is stopped.')} <a href="/service">${t('Control center')}</a></${Notice}>`;
}

/** @param {{query: Record<string, string>}} p */
export default function Phones({ query }) {
    const [turn, again] = useState(0);
    const [chosen, choose] = useState(/** @type {Set<string>} */ (new Set()));
    const [editing, edit] = useState(false);
    const [done, setDone] = useState(/** @type {any} */ (null));
    const list = useList('phone', { columns, search: query.search, status: query.status && `${query.status}*`, pool: query.pool, model: query.model, sort: query.sort }, turn);
    const names = [...chosen];
    const all = list.rows.length > 0 && list.rows.every((r) => !r || chosen.has(r.name));
    const toggle = (/** @type {string} */ name) => {
        const next = new Set(chosen);

        if (!next.delete(name))
            next.add(name);
        choose(next);
    };
    const everything = async () => {
        const every = new Set(chosen);

        for (let offset = 0; offset < list.count; offset += 1000) {
            const { data } = await ask('GET', 'phone', { query: { ...list.query, columns: 'name', search: undefined, ...(query.search ? { search: query.search, columns } : {}), offset, limit: 1000 } });

            data.items.forEach((/** @type {any} */ r) => every.add(r.name));
        }
        choose(every);
    };
    const order = (/** @type {string} */ verb) => async () => {
        say(await inParts(names, (part) => ask('POST', `phone/${verb}`, { body: { names: part } })));
        again(turn + 1);
    };
    const remove = async () => {
        if (!await confirmed(t('Delete {0} phones?', number(names.length)), { yes: t('Delete'), danger: true,
            about: html`<p>${t('Their numbers stay. Phones that are registered are reset.')}</p>` }))
            return;
        await ask('POST', 'phone/bulk', { body: { action: 'delete', names } });
        say(t('{0} phones deleted.', number(names.length)));
        choose(new Set());
        again(turn + 1);
    };

    return html`<section class="page list">
        <${Head} title=${t('Phones')} actions=${may('administer') && html`
            <${LinkButton} href="/import">${t('Import')}</${LinkButton}>
            <${LinkButton} primary href="/add/phone">${t('Add')}</${LinkButton}>`} />
        <${Unreported} /><${Aftermath} answer=${done} />
        <${Search} query=${query} hint=${t('Name, number, address, description …')}>
            <span class="actions" role="group" aria-label=${t('Status')}>${states.map((s) => html`<button key=${s} type="button" class="button small"
                aria-pressed=${query.status === s} onClick=${() => setQuery({ status: query.status === s ? '' : s })}>${html`<${State} of=${s} />`}</button>`)}</span>
            ${['pool', 'model'].filter((f) => query[f]).map((f) => html`<button key=${f} type="button" class="button small" aria-pressed="true"
                onClick=${() => setQuery({ [f]: '' })}>${query[f]} ✕</button>`)}
        </${Search}>
        ${names.length > 0 && html`<div class="actions chosen-bar" role="group" aria-label=${t('With what is selected')}>
            <strong>${t('{0} selected', number(names.length))}</strong>
            <${Do} kind="small" disabled=${!may('operate')} run=${order('apply')}>${t('Apply')}</${Do}>
            <${Do} kind="small" disabled=${!may('operate')} run=${order('restart')}>${t('Restart')}</${Do}>
            <${Do} kind="small" disabled=${!may('operate')} run=${order('reset')}>${t('Reset')}</${Do}>
            ${may('administer') && html`<${Do} kind="small" run=${() => edit(true)}>${t('Change …')}</${Do}>
                <${Do} kind="small danger" run=${remove}>${t('Delete')}</${Do}>`}
            ${all && names.length < list.count && html`<${Do} kind="small" run=${everything}>${t('Select all {0}', number(list.count))}</${Do}>`}
            <button type="button" class="button plain small" onClick=${() => choose(new Set())}>${t('Select none')}</button>
        </div>`}
        <${Table} list=${list} columns=${table()} label=${t('Phones')} keyOf=${(/** @type {any} */ r) => r.name}
            hrefOf=${(/** @type {any} */ r) => `/phone/${encodeURIComponent(r.name)}`} sort=${query.sort} onSort=${(/** @type {string} */ by) => setQuery({ sort: by })}
            selection=${{ has: (/** @type {string} */ n) => chosen.has(n), toggle, all, toggleAll: () => choose(all ? new Set() : new Set(list.rows.filter(Boolean).map((r) => r.name))) }}
            empty=${query.search || query.status ? t('No phone fits.') : html`${t('No phones yet.')} <a href="/add/phone">${t('Add one')}</a>, <a href="/unknown">${t('adopt one that is here')}</a>.`} />
        ${editing && html`<${BulkEdit} names=${names} onClose=${(/** @type {any} */ answer) => { edit(false); setDone(answer); if (answer) again(turn + 1); }} />`}
    </section>`;
}
