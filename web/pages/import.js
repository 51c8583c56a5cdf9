// import.js - a file of phones, or of everything: what it would do is seen first, then it is taken whole or not at all.
import { html, useState } from '../lib/dom.js';
import { address, ask, may } from '../lib/api.js';
import { PlanView } from '../lib/plan.js';
import { Do, Facts, Head, Notice, notesOf, Refusal, Rows, say } from '../lib/parts.js';
import { plain } from '../lib/table.js';
import { number, t, title } from '../lib/words.js';

const EXAMPLE = 'name,model,protocol,description,pool,lines,speed_dials,load\nSEP001122334455,7960,sccp,Reception,Default,7001;7002,Taxi=0123,\n';

export default function Import() {
    const [text, set] = useState('');
    const [file, setFile] = useState(/** @type {File | null} */ (null));
    const [plan, setPlan] = useState(/** @type {any} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const json = file ? /\.json$/i.test(file.name) : /^\s*[[{]/.test(text);
    const send = (/** @type {any} */ query) => {
        const type = json ? 'application/json' : 'text/csv';

        return ask('POST', 'import', { query, headers: { 'Content-Type': type }, body: new Blob([file || text], { type }) });
    };
    const attempt = (/** @type {() => Promise<void>} */ step) => async () => {
        try {
            setError(null);
            await step();
        } catch (refused) {
            setPlan(null);
            setError(refused);
        }
    };
    const look = attempt(async () => setPlan((await send({ plan: 1 })).data));
    const take = attempt(async () => {
        const { data } = await send({});

        setPlan(null);
        say([...notesOf(data), t('Taken: {0} added, {1} changed.', number(data.record?.added ?? 0), number(data.record?.changed ?? 0))]);
    });
    const wrong = plan?.items || error?.body?.items || [];
    const faults = wrong.length > 0 && html`<${Rows} label=${t('Wrong lines')} columns=${Object.keys(wrong[0]).map((c) => (c === 'line' ? t('Row') : title(c)))} rows=${wrong.slice(0, 100).map((/** @type {any} */ w) => Object.values(w).map(plain))} />`;

    if (!may('administer'))
        return html`<section class="page"><${Head} title=${t('Import and export')} /><${Notice}>${t('This is for administrators.')}</${Notice}></section>`;
    return html`<section class="page">
        <${Head} title=${t('Import and export')} about=${t('A table of phones as CSV, or everything as JSON. Nothing is taken before you have seen what it would do.')} back=${['/phone', t('Phones')]}
            actions=${html`<a class="button" href=${address('export', { format: 'csv' })} download="phones.csv">${t('Export phones (CSV)')}</a>
                <a class="button" href=${address('export', { format: 'json' })} download="dialtone.json">${t('Export everything (JSON)')}</a>`} />
        <section class="card import">
            <label for="file">${t('File')}</label><input id="file" type="file" accept=".csv,.json,text/csv,application/json" onChange=${(/** @type {any} */ e) => { setFile(e.target.files[0] || null); setPlan(null); }} />
            <label for="text">${t('or typed here')}</label>
            <textarea id="text" rows="8" class="mono" spellcheck="false" disabled=${Boolean(file)} placeholder=${EXAMPLE} value=${text} onInput=${(/** @type {any} */ e) => { set(e.target.value); setPlan(null); }}></textarea>
            <p class="actions"><${Do} kind="primary" disabled=${!file && !text.trim()} run=${look}>${t('What would happen?')}</${Do}>
                <${Do} disabled=${!plan || plan.record?.refused > 0} run=${take}>${t('Import')}</${Do}>
                <button type="button" class="button plain" onClick=${() => { set(EXAMPLE); setFile(null); setPlan(null); }}>${t('An example')}</button></p>
        </section>
        <${Refusal} error=${error} />${error && faults}
        ${plan && html`<section class="card"><h2>${t('What would happen')}</h2>
            <${Facts} rows=${[[t('Read'), number(plan.record?.read)], [t('Added'), number(plan.record?.added)], [t('Changed'), number(plan.record?.changed)], [t('Refused'), number(plan.record?.refused)]]} />
            ${faults}<${PlanView} plan=${{ ...plan, total: plan.total ?? (plan.record?.added ?? 0) + (plan.record?.changed ?? 0) }} /></section>`}
    </section>`;
}
