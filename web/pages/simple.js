// simple.js - lists that are looked at more than changed: leases, neighbours, nodes, certificates.
import { html, useState } from '../lib/dom.js';
import { ask, may, path } from '../lib/api.js';
import { useList } from '../lib/rows.js';
import { plain, Table } from '../lib/table.js';
import { confirmed, Do, Head, notesOf, say, State } from '../lib/parts.js';
import { Search } from '../lib/search.js';
import { t, time, title } from '../lib/words.js';

/** @typedef {{verb: string, word: () => string, ask?: (name: string) => string, own?: boolean, role: 'operate' | 'administer'}} Action */

/** What can be done with a row; own: with this node only.
 * @type {Record<string, Action[]>} */
const actions = {
    lease: [{ verb: 'release', word: () => t('Release'), role: 'operate', ask: (name) => t('Give {0} back? The phone keeps it until it asks again.', name) }],
    node: [{ verb: 'drain', word: () => t('Drain'), role: 'operate', own: true, ask: (name) => t('Send all phones of {0} to the other nodes?', name) },
        { verb: 'resume', word: () => t('Resume'), role: 'operate', own: true }],
};

const empty = /** @type {Record<string, () => string>} */ ({
    lease: () => t('No address is given: DHCP is off, or nobody asked.'),
    port: () => t('No neighbours: CDP and LLDP are off, or nobody answers.'),
    certificate: () => t('No certificates yet: TLS is off.'),
});

const isTime = (/** @type {any} */ v) => typeof v === 'string' && /^\d{4}-\d\d-\d\dT/.test(v);

/** @param {{route: any, query: Record<string, string>}} p */
export default function Simple({ route, query }) {
    const [turn, again] = useState(0);
    const noun = route.noun;
    const list = useList(noun, { search: query.search }, turn);
    const names = Object.keys(list.rows[0] || {});
    const todo = (actions[noun] || []).filter((a) => may(a.role));
    const run = (/** @type {Action} */ a, /** @type {any} */ row) => async () => {
        const name = row.name || row.address;

        if (a.ask && !await confirmed(a.ask(name), { yes: a.word() }))
            return;
        say(notesOf((await ask('POST', a.own ? `${noun}/${a.verb}` : `${path(noun, name)}/${a.verb}`)).data));
        again(turn + 1);
    };
    const columns = names.map((name, i) => ({ id: name, title: title(name.replaceAll('_', ' ')), narrow: i < (todo.length ? 1 : 2), mono: /address|mac/.test(name),
        cell: (/** @type {any} */ row) => (name === 'state' || name === 'status' ? html`<${State} of=${plain(row[name])} />` : isTime(row[name]) ? time(row[name]) : plain(row[name])) }));

    return html`<section class="page list">
        <${Head} title=${t(route.title)} />
        <${Search} query=${query} />
        <${Table} list=${list} label=${t(route.title)} keyOf=${(/** @type {any} */ r) => r.name || r.address || plain(Object.values(r)[0])} empty=${empty[noun]?.()}
            columns=${todo.length && names.length ? [...columns, { id: 'do', title: t('Action'), width: `${20 + 75 * todo.length}px`, narrow: true,
        cell: (/** @type {any} */ row) => todo.filter((a) => !a.own || /this node/.test(row.state)).map((a) => html`<${Do} key=${a.verb} kind="small" run=${run(a, row)}>${a.word()}</${Do}> `) }] : columns} />
    </section>`;
}
