// parameters.js - service and enterprise parameters: value, default, range, meaning, and whether phones need a reset.
import { html, useState } from '../lib/dom.js';
import { ask, get, may, path, useGet } from '../lib/api.js';
import { Do, Head, Loading, Notice, Refusal } from '../lib/parts.js';
import { Aftermath } from '../lib/plan.js';
import { Search } from '../lib/search.js';
import { plain } from '../lib/table.js';
import { t } from '../lib/words.js';

const isFlag = (/** @type {any} */ p) => /^(true|false)$/.test(p.default); /* its range is said in words */

/** @param {{p: any, value: string, set: (v: string) => void}} p */
function Value({ p, value, set }) {
    const common = { id: `p-${p.name}`, disabled: !may('administer') };
    const take = (/** @type {any} */ e) => set(e.target.value);

    if (isFlag(p))
        return html`<select ...${common} value=${value} onChange=${take}><option value="true">${t('yes')}</option><option value="false">${t('no')}</option></select>`;
    if (p.range.includes('|'))
        return html`<select ...${common} value=${value} onChange=${take}>${p.range.split('|').map((/** @type {string} */ c) => html`<option key=${c} value=${c}>${c}</option>`)}</select>`;
    const range = /^(-?\d+) \D+ (-?\d+)$/.exec(p.range);

    return range ? html`<input ...${common} type="number" min=${range[1]} max=${range[2]} value=${value} onInput=${take} />`
        : html`<input ...${common} type="text" value=${value} onInput=${take} />`;
}

/** Stored, unless somebody else has changed it since it was read: then what he says.
 * @param {any} p as it was read
 * @param {string} value
 * @returns {Promise<any>} */
async function store(p, value) {
    const at = path('parameter', p.name);
    const now = await get(at);

    if (now.data.record.value !== p.value)
        return { theirs: now.data.record };
    try {
        return (await ask('PATCH', at, { body: { [p.name]: value }, etag: now.etag })).data;
    } catch (error) {
        if (/** @type {any} */ (error).status !== 412)
            throw error;
        return { theirs: (await get(at)).data.record };
    }
}

/** Somebody else was first: both values; saving again keeps this one.
 * @param {{p: any, mine: string, onTake: () => void}} p */
const Clash = ({ p, mine, onTake }) => html`<${Notice} kind="warn">
    <p>${t('Somebody else changed {0} meanwhile: it is {1} now, you typed {2}. Save again to have yours.', p.title, p.value || '–', mine || '–')}</p>
    <p class="actions"><button type="button" class="button small" onClick=${onTake}>${t('Take theirs')}</button></p></${Notice}>`;

/** "StationKeepaliveInterval" finds "Station KeepAlive Interval".
 * @param {string} s */
const squeezed = (s) => s.toLowerCase().replace(/[\s_]+/g, '');

/** @param {{query: Record<string, string>}} p */
export default function Parameters({ query }) {
    const { data, error, reload } = useGet('parameter');
    const [changed, set] = useState(/** @type {Record<string, string>} */ ({}));
    const [after, setAfter] = useState(/** @type {any} */ (null));
    const [theirs, setTheirs] = useState(/** @type {any[]} */ ([]));
    const wanted = squeezed(query.search || '');
    const names = Object.keys(changed);

    if (!data)
        return error ? html`<${Refusal} error=${error} />` : html`<${Loading} />`;
    const rows = data.items.filter((/** @type {any} */ p) => !wanted || squeezed(`${p.name} ${p.title} ${t(p.title)} ${p.help} ${p.service}`).includes(wanted));
    const services = [...new Set(rows.map((/** @type {any} */ p) => p.service))];
    const put = (/** @type {any} */ p, /** @type {string} */ v) => {
        const { [p.name]: _, ...rest } = changed;

        set(v === p.value ? rest : { ...changed, [p.name]: v });
    };
    const undo = (/** @type {string} */ name) => set((old) => { const { [name]: _, ...rest } = old; return rest; });
    const save = async () => {
        /** @type {any} */
        const done = { notes: [], reset: { count: 0, names: [] } };
        const clashes = [];

        for (const name of names) {
            const answer = await store(data.items.find((/** @type {any} */ p) => p.name === name), changed[name]);

            if (answer.theirs) {
                clashes.push(answer.theirs);
                continue;
            }
            done.notes.push(...(answer.notes || []));
            if (answer.reset?.count > done.reset.count)
                done.reset = answer.reset;
            undo(name);
        }
        setTheirs(clashes);
        setAfter(done);
        reload();
    };

    return html`<section class="page">
        <${Head} title=${t('Parameters')} about=${t('Service and enterprise parameters; what differs from the default is marked.')} />
        <${Search} query=${query} />
        ${theirs.filter((p) => p.name in changed).map((p) => html`<${Clash} key=${p.name} p=${p} mine=${changed[p.name]} onTake=${() => undo(p.name)} />`)}
        <${Aftermath} answer=${after} others=${{ all: true }} />
        ${!rows.length && html`<${Notice}>${t('Nothing fits “{0}”.', query.search)}</${Notice}>`}
        ${services.map((s) => html`<section key=${s} class="parameters"><h2>${s === 'Enterprise' ? t('Enterprise') : s}</h2>
            ${rows.filter((/** @type {any} */ p) => p.service === s).map((/** @type {any} */ p) => html`<div key=${p.name} class=${`parameter ${p.name in changed ? 'changed' : ''}`}>
                <label for=${`p-${p.name}`}>${p.title}${p.value !== p.default ? html` <span class="mark">${t('not the default')}</span>` : ''}</label>
                <div class="value"><${Value} p=${p} value=${changed[p.name] ?? p.value} set=${(/** @type {string} */ v) => put(p, v)} /> <span>${p.unit}</span>
                    ${(changed[p.name] ?? p.value) !== p.default && may('administer') && html`<button type="button" class="button plain small" onClick=${() => put(p, p.default)}>${t('Default')}</button>`}</div>
                <p class="help">${p.help} ${html`<span class="range">${[t('Default: {0}', isFlag(p) ? plain(p.default === 'true') : p.default || '–'), !isFlag(p) && !p.range.includes('|') && p.range, p.needs_reset && t('phones see it after a reset')].filter(Boolean).join(' · ')}</span>`}</p>
            </div>`)}</section>`)}
        ${names.length > 0 && html`<div class="save-bar dirty"><${Do} kind="primary" run=${save}>${t('Save')}</${Do}>
            <button type="button" class="button" onClick=${() => set({})}>${t('Undo')}</button>
            <span class="about">${t('Changed: {0}', names.join(', '))}</span></div>`}
    </section>`;
}
