// entities.js - find and list: the records of any entity.
import { html, useState } from '../lib/dom.js';
import { ask, may } from '../lib/api.js';
import { keyOf, useEntity } from '../lib/schema.js';
import { useList } from '../lib/rows.js';
import { Table } from '../lib/table.js';
import { confirmed, Do, Head, LinkButton, Loading, say } from '../lib/parts.js';
import { setQuery } from '../lib/router.js';
import { Search } from '../lib/search.js';
import { choice, number, t, title } from '../lib/words.js';

/** What is shown of entities with many fields; of the others the first six.
 * @type {Record<string, string>} */
const columns = {
    line: 'number partition description alerting_name phones css forward_all',
    template: 'name model buttons',
    pool: 'name group datetime region location softkeys css',
    autoregistration: 'name enabled start end next partition pool quarantine',
    scope: 'name enabled subnet first last routers tftp',
    user: 'name first_name last_name role mail',
    'security-profile': 'name protocol device_security_mode transport digest_authentication description',
    'sip-profile': 'name description timer_register_expires timer_keep_alive_expires preferred_codec',
};

/** Fields that are counted beside the description.
 * @type {Record<string, string>} */
const extra = { phones: 'phones' };

/** @param {import('../lib/schema.js').Entity} e
 * @returns {import('../lib/table.js').Column[]} */
export function columnsOf(e) {
    const names = columns[e.noun]?.split(' ') || e.fields.filter((f) => f.kind !== 'secret').slice(0, 6).map((f) => f.name);

    return names.map((name, i) => {
        const f = e.fields.find((x) => x.name === name);

        return { id: name, title: title(f ? f.title : extra[name] || name).split(/[;:；：]/)[0].trim(), narrow: i < 2, sort: Boolean(f),
            cell: f?.kind === 'list' ? (/** @type {any} */ row) => listWords(row[name], f) : f?.kind === 'choice' ? (/** @type {any} */ row) => choice(String(row[name] ?? '')) : undefined };
    });
}

/** Children in short: "line ×2, speed dial ×4".
 * @param {any} list
 * @param {import('../lib/schema.js').Field} f */
function listWords(list, f) {
    if (!Array.isArray(list))
        return String(list ?? '');
    /**
     * @type {[string, number][]} */
    const runs = [];

    for (const item of list) {
        const value = String(Object.values(item)[0] ?? '');
        const word = f.fields?.[0].kind === 'choice' ? choice(value) : value;

        if (runs.length && runs[runs.length - 1][0] === word)
            runs[runs.length - 1][1]++;
        else
            runs.push([word, 1]);
    }
    return runs.map(([word, n]) => (n > 1 ? `${word} ×${n}` : word)).join(', ');
}

/** Lines that no phone has, left over from phones that are gone. */
const NOBODY = { toString: () => '' };

/** @param {{route: any, query: Record<string, string>}} p */
export default function Entities({ route, query }) {
    const e = useEntity(route.noun);
    const [turn, again] = useState(0);
    const [chosen, choose] = useState(/** @type {Set<string>} */ (new Set()));
    const list = useList(route.noun, { search: query.search, sort: query.sort, ...(query.unassigned && { phones: NOBODY }) }, turn);
    const names = [...chosen];

    if (!e)
        return html`<${Loading} />`;
    const here = () => list.rows.filter(Boolean).map((r) => keyOf(e, r));
    const all = names.length > 0 && here().every((n) => chosen.has(n));
    const toggle = (/** @type {string} */ name) => {
        const next = new Set(chosen);

        if (!next.delete(name))
            next.add(name);
        choose(next);
    };
    const remove = async () => {
        if (!await confirmed(t('Delete {0} records?', number(names.length)), { yes: t('Delete'), danger: true,
            about: html`<p>${t('All or none: what others refer to stays, and the answer says which.')}</p>` }))
            return;
        await ask('POST', `${e.noun}/bulk`, { body: { action: 'delete', names } });
        say(t('{0} records deleted.', number(names.length)));
        choose(new Set());
        again(turn + 1);
    };

    return html`<section class="page list">
        <${Head} title=${t(route.title)} about=${t(route.about)} actions=${may('administer') && html`<${LinkButton} primary href=${`/add/${e.noun}`}>${t('Add')}</${LinkButton}>`} />
        <${Search} query=${query}>${e.noun === 'line' && html`<button type="button" class="button small" aria-pressed=${Boolean(query.unassigned)}
            onClick=${() => setQuery({ unassigned: query.unassigned ? '' : 1 })}>${t('On no phone')}</button>`}</${Search}>
        ${names.length > 0 && html`<div class="actions chosen-bar" role="group" aria-label=${t('With what is selected')}><strong>${t('{0} selected', number(names.length))}</strong>
            <${Do} kind="small danger" run=${remove}>${t('Delete')}</${Do}>
            <button type="button" class="button plain small" onClick=${() => choose(new Set())}>${t('Select none')}</button></div>`}
        <${Table} list=${list} columns=${columnsOf(e)} label=${t(route.title)} keyOf=${(/** @type {any} */ r) => keyOf(e, r)}
            hrefOf=${(/** @type {any} */ r) => `/${e.noun}/${encodeURIComponent(keyOf(e, r))}`} sort=${query.sort} onSort=${(/** @type {string} */ by) => setQuery({ sort: by })}
            selection=${may('administer') ? { has: (/** @type {string} */ n) => chosen.has(n), toggle, all, toggleAll: () => choose(all ? new Set() : new Set(here())) } : undefined}
            empty=${query.search ? t('Nothing fits “{0}”.', query.search) : html`${t('Nothing here yet.')}${may('administer') && html` <a href=${`/add/${e.noun}`}>${t('Add')}</a>`}`} />
    </section>`;
}
