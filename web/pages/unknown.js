// unknown.js - phones that boot here and nobody added: who they are, and taking them in.
import { html, useState } from '../lib/dom.js';
import { ask, may, path } from '../lib/api.js';
import { useList } from '../lib/rows.js';
import { Table } from '../lib/table.js';
import { Dialog, Head, notesOf, Refusal, say } from '../lib/parts.js';
import { Search } from '../lib/search.js';
import { FieldRow } from '../lib/form.js';
import { useEntity } from '../lib/schema.js';
import { t, time } from '../lib/words.js';

/** @type {(adopt: (row: any) => void) => import('../lib/table.js').Column[]} */
const table = (adopt) => [
    { id: 'name', title: t('Device name'), width: '160px', narrow: true, mono: true },
    { id: 'model', title: t('Model'), width: '70px' },
    { id: 'address', title: t('Address'), width: '120px', mono: true },
    { id: 'port', title: t('Switch port'), width: '9%' },
    { id: 'tries', title: t('Tries'), width: '60px' },
    { id: 'last_file', title: t('Last file'), width: '14%', mono: true },
    { id: 'refused_for', title: t('Why it is not in') },
    { id: 'near_miss', title: t('A typing error of'), width: '135px', cell: (r) => (r.near_miss || []).map((/** @type {string} */ n) => html`<a key=${n} href=${`/phone/${n}`}>${n}</a> `) },
    { id: 'last_seen', title: t('Last seen'), width: '90px', cell: (r) => time(r.last_seen) },
    { id: 'adopt', title: t('Action'), width: '100px', narrow: true, cell: (r) => may('administer') &&
        html`<button type="button" class="button small" onClick=${() => adopt(r)}>${t('Adopt')}</button>` },
];

/** @param {{row: any, onClose: (done: boolean) => void}} p */
function Adopt({ row, onClose }) {
    const e = useEntity('phone');
    const [form, set] = useState(/** @type {any} */ ({ model: row.model, description: '', pool: 'Default', lines: '' }));
    const [error, setError] = useState(/** @type {any} */ (null));
    const fields = e ? ['model', 'description', 'pool'].map((n) => /** @type {any} */ (e.fields.find((f) => f.name === n))) : [];
    const adopt = async (/** @type {Event} */ event) => {
        event.preventDefault();
        try {
            const body = Object.fromEntries(Object.entries(form).filter(([, v]) => v !== ''));

            say(notesOf((await ask('POST', `${path('unknown', row.name)}/adopt`, { body })).data));
            onClose(true);
        } catch (refused) {
            setError(refused);
        }
    };

    return html`<${Dialog} title=${t('Adopt {0}', row.name)} onClose=${() => onClose(false)}>
        <form onSubmit=${adopt}>
            <div class="dialog-body">
                <${FieldRow} f=${{ name: 'lines', title: 'lines, separated by ;', kind: 'text', key: false, standard: '' }} value=${form.lines} set=${(/** @type {any} */ v) => set({ ...form, lines: v })} />
                ${fields.map((f) => html`<${FieldRow} key=${f.name} f=${f} value=${form[f.name]} set=${(/** @type {any} */ v) => set({ ...form, [f.name]: v })} />`)}
                <${Refusal} error=${error} />
            </div>
            <footer><button type="button" class="button" onClick=${() => onClose(false)}>${t('Cancel')}</button>
                <button type="submit" class="button primary">${t('Adopt')}</button></footer>
        </form>
    </${Dialog}>`;
}

/** @param {{query: Record<string, string>}} p */
export default function Unknown({ query }) {
    const [turn, again] = useState(0);
    const [row, adopt] = useState(/** @type {any} */ (null));
    const list = useList('unknown', { search: query.search }, turn);

    return html`<section class="page list">
        <${Head} title=${t('Newcomers')} about=${t('Phones that boot here and are not in the database.')} />
        <${Search} query=${query} />
        <${Table} list=${list} columns=${table(adopt)} label=${t('Newcomers')} keyOf=${(/** @type {any} */ r) => r.name}
            hrefOf=${(/** @type {any} */ r) => `/phone/${encodeURIComponent(r.name)}`}
            empty=${t('Nobody waits. A phone that boots here and is not in the database appears at once.')} />
        ${row && html`<${Adopt} row=${row} onClose=${(/** @type {boolean} */ done) => { adopt(null); if (done) again(turn + 1); }} />`}
    </section>`;
}
