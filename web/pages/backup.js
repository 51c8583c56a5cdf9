// backup.js - the whole database out and in; phones and everything else as lists. What comes in is looked at first.
import { html, useState } from '../lib/dom.js';
import { ask } from '../lib/api.js';
import { confirmed, Do, Facts, Head, Notice, notesOf, Refusal, Rows, say } from '../lib/parts.js';
import { download } from '../lib/files.js';
import { number, t, title } from '../lib/words.js';

const show = (/** @type {any} */ v) => (typeof v === 'number' ? number(v) : v === null || typeof v === 'object' ? JSON.stringify(v) : String(v));

const actions = /** @type {Record<string, () => string>} */ ({ add: () => t('added'), set: () => t('changed'), delete: () => t('deleted') });

/** @param {{fields: any}} p */
const Changes = ({ fields }) => Object.entries(fields || {}).map(([k, v]) => {
    const c = /** @type {any} */ (v);

    return html`<div key=${k}>${k}: ${c && typeof c === 'object' && 'new' in c ? html`<span class="soft">${show(c.old ?? '')}</span> → ${show(c.new ?? '')}` : show(v)}</div>`;
});

/** What a file would do.
 * @param {{plan: any}} p */
const Plan = ({ plan }) => html`
    ${plan.record && html`<${Facts} rows=${Object.entries(plan.record).map(([k, v]) => [title(k.replaceAll('_', ' ')), show(v)])} />`}
    ${notesOf(plan).map((/** @type {string} */ n) => html`<p key=${n}>${n}</p>`)}
    ${plan.items?.length > 0 && html`<${Notice} kind="bad"><p>${t('These lines are refused; nothing is taken as long as there are any.')}</p>
        <${Rows} label=${t('Refused lines')} columns=${Object.keys(plan.items[0]).map((c) => title(c.replaceAll('_', ' ')))} rows=${plan.items.slice(0, 50).map((/** @type {any} */ r) => Object.values(r).map(show))} /></${Notice}>`}
    ${plan.changes?.length > 0 && html`<${Rows} label=${t('Changes')} columns=${[t('Kind'), t('Name'), t('What'), t('Fields')]} rows=${plan.changes.slice(0, 100).map((/** @type {any} */ c) => [c.noun, c.name, actions[c.action]?.() || c.action, html`<${Changes} fields=${c.fields} />`])} />
        ${plan.total > plan.changes.length && html`<p class="soft">${t('And {0} more.', number(plan.total - plan.changes.length))}</p>`}`}`;

/** A file, first looked at, then taken.
 * @param {{at: string, accept: string, label: string, take: string, question: string, typeOf: (name: string) => string}} p */
function Incoming({ at, accept, label, take, question, typeOf }) {
    const [file, setFile] = useState(/** @type {File | null} */ (null));
    const [plan, setPlan] = useState(/** @type {any} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const send = (/** @type {File} */ f, /** @type {any} */ query) => ask('POST', at, { query, body: f, headers: { 'Content-Type': typeOf(f.name) } });
    const choose = async (/** @type {any} */ e) => {
        const f = e.target.files[0] || null;

        setFile(f);
        setPlan(null);
        setError(null);
        if (!f)
            return;
        try {
            setPlan((await send(f, { plan: 1 })).data);
        } catch (refused) {
            setError(refused);
            setPlan(/** @type {any} */ (refused).body?.items ? /** @type {any} */ (refused).body : null);
        }
    };
    const run = async () => {
        if (!file || !await confirmed(question, { yes: take, danger: at === 'restore', about: file.name }))
            return;
        const { data } = await send(file, {});

        say([t('Done.'), ...notesOf(data)]);
        setPlan(null);
        setFile(null);
    };

    return html`<label class="field"><span class="soft">${label}</span><input type="file" accept=${accept} onChange=${choose} /></label>
        <${Refusal} error=${error} />
        ${plan && html`<div class="plan"><${Plan} plan=${plan} /></div>`}
        ${plan && !error && !plan.items?.length && html`<div class="actions"><${Do} kind="primary" run=${run}>${take}</${Do}></div>`}`;
}

export default function Backup() {
    return html`<section class="page">
        <${Head} title=${t('Backup, import, export')} about=${t('Out and in again. What comes in is looked at first: nothing changes until you say so.')} />
        <div class="cards">
            <section class="card form"><h2>${t('Export')}</h2><p class="soft">${t('Phones as a table for a spreadsheet, or everything but secrets as JSON.')}</p>
                <div class="actions"><${Do} run=${() => download('export', { format: 'csv' }, 'phones.csv')}>${t('Phones as CSV')}</${Do}><${Do} run=${() => download('export', { format: 'json' }, 'dialtone.json')}>${t('Everything as JSON')}</${Do}></div></section>
            <section class="card form"><h2>${t('Import')}</h2><p class="soft">${t('CSV with a header line (name,model,lines …), a CallManager bulk export, or JSON. All of it is taken, or nothing.')}</p>
                <${Incoming} at="import" accept=".csv,.txt,.json" label=${t('File')} take=${t('Import')} question=${t('Take over what the file says?')} typeOf=${(/** @type {string} */ name) => (/\.json$/i.test(name) ? 'application/json' : 'text/csv')} /></section>
            <section class="card form"><h2>${t('Backup')}</h2><p class="soft">${t('The whole database, with its secrets: keep it where nobody else reads. The server goes on meanwhile.')}</p>
                <div class="actions"><${Do} kind="primary" run=${() => download('backup', {}, 'dialtone.db')}>${t('Download a backup')}</${Do}></div></section>
            <section class="card form"><h2>${t('Restore')}</h2><p class="soft">${t('A backup takes the place of everything that is configured. What is there now is kept beside it on the server.')}</p>
                <${Incoming} at="restore" accept=".db" label=${t('Backup file')} take=${t('Restore')} question=${t('Put this backup in place of everything?')} typeOf=${() => 'application/octet-stream'} /></section>
        </div>
    </section>`;
}
