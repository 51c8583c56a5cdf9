// backup.js - the whole database out and in. What comes in is looked at first.
import { html, useState } from '../lib/dom.js';
import { ask } from '../lib/api.js';
import { confirmed, Do, Facts, Head, LinkButton, notesOf, Refusal, say } from '../lib/parts.js';
import { download } from '../lib/files.js';
import { number, t, title } from '../lib/words.js';

const show = (/** @type {any} */ v) => (typeof v === 'number' ? number(v) : v === null || typeof v === 'object' ? JSON.stringify(v) : String(v));

/** A backup, first looked at, then taken. */
function Restore() {
    const [file, setFile] = useState(/** @type {File | null} */ (null));
    const [plan, setPlan] = useState(/** @type {any} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const send = (/** @type {File} */ body, /** @type {any} */ query) => ask('POST', 'restore', { query, body, headers: { 'Content-Type': 'application/octet-stream' } });
    const choose = async (/** @type {any} */ e) => {
        const chosen = e.target.files[0] || null;

        setFile(chosen);
        setPlan(null);
        setError(null);
        try {
            setPlan(chosen && (await send(chosen, { plan: 1 })).data);
        } catch (refused) {
            setError(refused);
        }
    };
    const run = async () => {
        if (!file || !await confirmed(t('Put this backup in place of everything?'), { yes: t('Restore'), danger: true, about: file.name }))
            return;
        const { data } = await send(file, {});

        say([t('Done.'), ...notesOf(data)]);
        setPlan(null);
    };

    return html`<label class="field"><span class="soft">${t('Backup file')}</span><input type="file" accept=".db" onChange=${choose} /></label>
        <${Refusal} error=${error} />
        ${plan && html`<div class="plan"><${Facts} rows=${Object.entries(plan.record || {}).map(([k, v]) => [title(k.replaceAll('_', ' ')), show(v)])} />
            ${notesOf(plan).map((/** @type {string} */ n) => html`<p key=${n}>${n}</p>`)}</div>
            <div class="actions"><${Do} kind="primary" run=${run}>${t('Restore')}</${Do}></div>`}`;
}

export default function Backup() {
    return html`<section class="page">
        <${Head} title=${t('Backup')} about=${t('Everything that is configured, as one file. A backup is looked at before it is put back.')}
            actions=${html`<${LinkButton} href="/import">${t('Import and export')}</${LinkButton}>`} />
        <div class="cards">
            <section class="card form"><h2>${t('Backup')}</h2><p class="soft">${t('The whole database, with its secrets: keep it where nobody else reads. The server goes on meanwhile.')}</p>
                <div class="actions"><${Do} kind="primary" run=${() => download('backup', {}, 'dialtone.db')}>${t('Download a backup')}</${Do}></div></section>
            <section class="card form"><h2>${t('Restore')}</h2><p class="soft">${t('A backup takes the place of everything that is configured. What is there now is kept beside it on the server.')}</p>
                <${Restore} /></section>
        </div>
    </section>`;
}
