// traces.js - what services write down, collected as one archive; packets of a phone, recorded on the server.
import { html, useState } from '../lib/dom.js';
import { ask, may, path, useGet } from '../lib/api.js';
import { setQuery } from '../lib/router.js';
import { Do, Head, Loading, Notice, notesOf, Refusal, say, State } from '../lib/parts.js';
import { download, size } from '../lib/files.js';
import { number, t, time } from '../lib/words.js';

const levels = ['Off', 'Error', 'Special', 'StateTransition', 'Significant', 'EntryExit', 'Arbitrary', 'Detailed'];
const spans = () => /** @type {[string, string][]} */ ([['10m', t('The last 10 minutes')], ['1h', t('The last hour')], ['24h', t('The last day')], ['7d', t('The last week')]]);

/** @param {{label: string, value: any, set: (v: any) => void, help?: string, list?: string[], type?: string}} p */
const Field = ({ label, value, set, help, list, type = 'text' }) => html`<label class="field"><span class="soft">${label}</span>
    <input type=${type} value=${value} autocomplete="off" list=${list && `list-${label}`} onInput=${(/** @type {any} */ e) => set(e.target.value)} />
    ${list && html`<datalist id=${`list-${label}`}>${list.map((v) => html`<option key=${v} value=${v}></option>`)}</datalist>`}${help && html`<span class="help">${help}</span>`}</label>`;

/** @param {{label: string, value: string, set: (v: string) => void, options: [string, string][]}} p */
const Select = ({ label, value, set, options }) => html`<label class="field"><span class="soft">${label}</span>
    <select onChange=${(/** @type {any} */ e) => set(e.target.value)}>${options.map(([v, words]) => html`<option key=${v} value=${v} selected=${v === value}>${words}</option>`)}</select></label>`;

function Levels() {
    const { data, error, reload } = useGet('trace', {}, 5);
    const level = async (/** @type {string} */ name, /** @type {string} */ wanted) => {
        try {
            say(notesOf((await ask('PATCH', path('trace', name), { body: { level: wanted } })).data));
        } catch (e) {
            say(/** @type {any} */ (e).message, 'bad');
        }
        reload();
    };

    if (!data)
        return error ? html`<${Refusal} error=${error} />` : html`<${Loading} />`;
    return html`<div class="card scroll" tabindex="0" role="region" aria-label=${t('Levels')}><h2>${t('Levels')}</h2><table class="plain"><thead><tr>
        <th scope="col">${t('Service')}</th><th scope="col">${t('Level')}</th><th scope="col">${t('Files')}</th><th scope="col">${t('Size')}</th><th scope="col">${t('Lines written')}</th><th scope="col">${t('Newest file')}</th></tr></thead>
        <tbody>${data.items.map((/** @type {any} */ s) => html`<tr key=${s.name}><th scope="row">${s.service}</th>
            <td><select class="short" aria-label=${t('Level of {0}', s.service)} disabled=${!may('administer')} onChange=${(/** @type {any} */ e) => level(s.name, e.target.value)}>
                ${levels.map((l) => html`<option key=${l} value=${l} selected=${l === s.level}>${l}</option>`)}</select></td>
            <td>${number(s.files)}</td><td>${size(s.bytes)}</td><td>${number(s.lines)}</td><td class="mono">${s.newest}${s.error && html` <${State} of="failed" /> ${s.error}`}</td></tr>`)}</tbody></table></div>`;
}

const settings = /** @type {[string, string, () => string, string][]} */ ([
    ['phones', 'trace_devices', () => t('Only these phones, separated by ; (empty: all)'), 'text'], ['size', 'trace_file_size', () => t('A file has at most (MB)'), 'number'],
    ['files', 'trace_files', () => t('Files kept of each service'), 'number'], ['minutes', 'trace_file_minutes', () => t('A file lasts at most (minutes)'), 'number'], ['days', 'trace_days', () => t('Files are kept for (days)'), 'number'],
]);

/** What is written, and how long it is kept: of all services. */
function Rotation() {
    const { data, reload } = useGet('parameter', { search: 'trace', limit: 1000 });
    const [form, set] = useState(/** @type {Record<string, string>} */ ({}));
    const now = (/** @type {string} */ id) => data?.items.find((/** @type {any} */ p) => p.name === id)?.value ?? '';
    const save = async () => {
        say(notesOf((await ask('PATCH', 'trace/all', { body: form })).data));
        set({});
        reload();
    };

    return html`<details class="card"><summary>${t('What is written, and how long it is kept')}</summary><div class="form">
        <div class="fields">${settings.map(([field, id, words, type]) => html`<${Field} key=${field} label=${words()} type=${type} value=${form[field] ?? now(id)} set=${(/** @type {string} */ v) => set({ ...form, [field]: v })} />`)}</div>
        <div class="actions"><${Do} kind="primary" disabled=${!may('administer') || !Object.keys(form).length} run=${save}>${t('Save')}</${Do}></div></div></details>`;
}

/** @param {{query: Record<string, string>}} p */
function Collect({ query }) {
    const since = query.since || '1h';

    return html`<div class="card form"><h2>${t('Collect')}</h2><p class="soft">${t('Traces, events and captures of a time, and of a phone if one is named, as one archive (tar.gz) for the doctor or for support.')}</p>
        <div class="fields bare"><${Select} label=${t('Time')} value=${since} set=${(/** @type {string} */ v) => setQuery({ since: v })} options=${spans()} />
            <${Field} label=${t('Phone (empty: all)')} value=${query.phone || ''} set=${(/** @type {string} */ v) => setQuery({ phone: v })} /></div>
        <div class="actions"><${Do} kind="primary" disabled=${!may('operate')} run=${() => download('trace/collect', { since, device: query.phone }, 'dialtone-traces.tar.gz')}>${t('Collect and download')}</${Do}></div></div>`;
}

/** @param {{query: Record<string, string>, reload: () => void}} p */
function Start({ query, reload }) {
    const interfaces = useGet('interface');
    const [form, set] = useState({ phone: query.phone || '', interface: '', duration: '5m', max_size: '10', secrets: false, messages: false });
    const put = (/** @type {string} */ name) => (/** @type {any} */ v) => set({ ...form, [name]: v });
    const flag = (/** @type {'secrets' | 'messages'} */ name, /** @type {string} */ words) => html`<label class="check"><input type="checkbox" checked=${form[name]} onChange=${(/** @type {any} */ e) => put(name)(e.target.checked)} /><span>${words}</span></label>`;
    const start = async () => {
        const { data } = await ask('POST', 'capture/start', { body: Object.fromEntries(Object.entries(form).filter(([, v]) => v !== '' && v !== false)) });

        say([t('The recording runs.'), ...notesOf(data)]);
        reload();
    };

    return html`<div class="form"><div class="fields bare">
        <${Field} label=${t('Phone (empty: all)')} value=${form.phone} set=${put('phone')} />
        <${Field} label=${t('Interface (empty: all)')} value=${form.interface} set=${put('interface')} list=${(interfaces.data?.items || []).map((/** @type {any} */ i) => i.name)} />
        <${Select} label=${t('For')} value=${form.duration} set=${put('duration')} options=${[['1m', t('{0} min', 1)], ['5m', t('{0} min', 5)], ['30m', t('{0} min', 30)], ['2h', t('{0} h', 2)], ['24h', t('{0} h', 24)]]} />
        <${Field} label=${t('At most (MB)')} type="number" value=${form.max_size} set=${put('max_size')} />
        ${flag('secrets', t('With the secrets that open TLS'))}${flag('messages', t('Our own messages instead of packets (needs no rights)'))}</div>
        ${form.secrets && html`<${Notice} kind="warn">${t('Whoever has the file can read passwords and keys in it.')}</${Notice}>`}
        <div class="actions"><${Do} kind="primary" run=${start}>${t('Start')}</${Do}></div></div>`;
}

/** @param {{query: Record<string, string>}} p */
function Captures({ query }) {
    const { data, error, reload } = useGet('capture', {}, 2);
    const stop = async (/** @type {any} */ c) => {
        await ask('POST', `${path('capture', c.name)}/stop`, { body: {} });
        reload();
    };

    return html`<div class="card form"><h2>${t('Packets')}</h2>${may('administer') ? html`<${Start} query=${query} reload=${reload} />` : html`<p class="soft">${t('Only administrators record packets.')}</p>`}
        <${Refusal} error=${error} />
        ${data?.items.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label=${t('Recordings')}><table class="plain"><thead><tr><th scope="col">${t('Recording')}</th><th scope="col">${t('State')}</th><th scope="col">${t('Of')}</th>
            <th scope="col">${t('Packets')}</th><th scope="col">${t('Size')}</th><th scope="col">${t('Lost')}</th><th scope="col">${t('Action')}</th></tr></thead><tbody>${data.items.map((/** @type {any} */ c) => html`<tr key=${c.name}>
            <th scope="row" class="mono">${c.name}</th><td><${State} of=${c.state} />${c.seconds_left ? html` <span class="soft">${t('{0} s left', c.seconds_left)}</span>` : ''}</td><td>${c.of}</td><td>${number(c.frames)}</td><td>${size(c.bytes)}</td><td>${number(c.dropped)}</td>
            <td>${may('administer') && (c.state === 'running' ? html`<${Do} kind="small" label=${t('Stop {0}', c.name)} run=${() => stop(c)}>${t('Stop')}</${Do}>`
        : html`<${Do} kind="small" label=${t('Download {0}', c.name)} run=${() => download(`${path('capture', c.name)}/fetch`, {}, `${c.name}.pcapng`)}>${t('Download')}</${Do}>`)}</td></tr>`)}</tbody></table></div>`}</div>`;
}

/** @param {{query: Record<string, string>}} p */
export default function Traces({ query }) {
    return html`<section class="page">
        <${Head} title=${t('Traces and captures')} about=${t('What services write down, and what passes by on the wire.')} />
        <${Levels} /><${Rotation} />
        <div class="cards"><${Collect} query=${query} /><${Captures} query=${query} /></div>
    </section>`;
}
