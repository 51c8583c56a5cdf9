// simulated.js - phones without a phone: they boot on the server's machine, and are pressed here.
import { html, useEffect, useState } from '../lib/dom.js';
import { ask, follow, may, path, useGet } from '../lib/api.js';
import { Do, Head, Loading, Notice, notesOf, Refusal, say } from '../lib/parts.js';
import { Handset } from '../lib/handset.js';
import { useModels } from '../lib/schema.js';
import { t } from '../lib/words.js';

const usual = ['7960', '7940', '7961', '7970', '7975', '7910', '12SP+', '8841', '8861', '9971', '7821'];

/** @param {string} name
 * @param {string} key
 * @param {any} [n] */
export const press = (name, key, n) => ask('POST', `${path('simulated', name)}/press`, { body: { key, n: n ?? 1 } }).catch((e) => say(e.message, 'bad'));

/** What runs, as it changes.
 * @returns {{phones: Record<string, any> | null, most: number, error: any, reload: () => void}} */
export function useSimulated() {
    const { data, error, reload } = useGet('simulated');
    const [news, set] = useState(/** @type {Record<string, any>} */ ({}));

    useEffect(() => follow('simulated/follow', {}, (e) => set((old) => ({ ...old, [e.name]: e.picture }))), []);
    const first = Object.fromEntries((data?.items || []).map((/** @type {any} */ p) => [p.name, p.picture || { title: p.model, starting: true }]));
    const phones = data && Object.fromEntries(Object.entries({ ...first, ...news }).filter(([, p]) => p)); /* null: taken away since */

    return { phones, most: data?.most || 0, error, reload };
}

/** A phone that nobody added gets its place here, as under Newcomers.
 * @param {{picture: any}} p */
function AddIt({ picture }) {
    const [line, set] = useState('');
    const add = async () => {
        const body = { model: picture.model, protocol: picture.protocol.toLowerCase(), ...(line && { lines: [line] }) };

        say(notesOf((await ask('POST', `${path('unknown', picture.device)}/adopt`, { body })).data));
        await press(picture.device, 'plug'); /* it would come back by itself, in a while */
        await press(picture.device, 'plug');
    };

    return html`<form class="adopt" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}><span>${t('Nobody has added it.')}</span>
        <input type="text" inputmode="numeric" aria-label=${t('Number of {0}', picture.device)} placeholder=${t('Number')} value=${line} onInput=${(/** @type {any} */ e) => set(e.target.value)} />
        <${Do} kind="primary small" run=${add}>${t('Add it')}</${Do}></form>`;
}

/** @param {{name: string, picture: any, unknown: boolean}} p */
const Phone = ({ name, picture, unknown }) => html`<section class="simulated" aria-label=${name}>
    ${picture.starting ? html`<p class="card loading">${t('{0} starts …', name)}</p>` : html`<${Handset} p=${picture} press=${(/** @type {string} */ key, /** @type {any} */ n) => press(name, key, n)} />`}
    ${unknown && may('administer') && !picture.starting && html`<${AddIt} picture=${picture} />`}
    <p class="actions"><a class="button small" href=${`/phone/${name}`}>${t('Open {0}', name)}</a>
        ${may('operate') && html`<${Do} kind="small" run=${() => press(name, 'plug')}>${picture.powered === false ? t('Plug in') : t('Unplug')}</${Do}>
        <${Do} kind="small danger" run=${() => ask('POST', `${path('simulated', name)}/unplug`, { body: {} })}>${t('Take it away')}</${Do}>`}</p>
</section>`;

/** @param {{most: number, running: number, reload: () => void}} p */
export function BootForm({ most, running, reload }) {
    const models = useModels();
    const [model, set] = useState('7960');
    const known = usual.filter((m) => models.some((k) => k.name === m));
    const rest = models.filter((m) => !usual.includes(m.name) && m.lines > 0 && m.screen && !/ATA|VG|Jabber|Communicator|Softphone/i.test(m.title));
    const boot = async () => {
        say(notesOf((await ask('POST', 'simulated/boot', { body: { model } })).data));
        reload();
    };

    return html`<form class="boot-form" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
        <select aria-label=${t('Model')} onChange=${(/** @type {any} */ e) => set(e.target.value)}>
            ${known.map((m) => html`<option key=${m} selected=${m === model}>${m}</option>`)}<optgroup label=${t('All models')}>${rest.map((m) => html`<option key=${m.name} value=${m.name}>${m.name}</option>`)}</optgroup></select>
        <${Do} kind="primary" disabled=${running >= most} run=${boot}>${t('Boot one')}</${Do}></form>`;
}

/** @param {{most: number, reload: () => void}} p */
export function Allow({ most, reload }) {
    const allow = (/** @type {number} */ n) => async () => {
        await ask('PATCH', 'config/simulated.phones', { body: { value: String(n) } });
        reload();
    };

    if (most)
        return html`<${Do} run=${allow(0)}>${t('Allow no more')}</${Do}>`;
    return html`<${Notice}><p>${t('Simulated phones run on the server’s own machine and register here like any other. They are off.')}</p>
        ${may('administer') ? html`<${Do} kind="primary" run=${allow(8)}>${t('Allow simulated phones')}</${Do}>` : html`<p>${t('An administrator can allow them.')}</p>`}</${Notice}>`;
}

export default function Simulated() {
    const { phones, most, error, reload } = useSimulated();
    const names = Object.keys(phones || {}).sort();
    const unknown = useGet(names.length ? 'unknown' : null, { search: 'SEP02D1A1' }, 3);
    const strangers = new Set((unknown.data?.items || []).map((/** @type {any} */ u) => u.name));

    return html`<section class="page">
        <${Head} title=${t('Simulated phones')} about=${most ? t('{0} of at most {1} run.', names.length, most) : ''}
            actions=${most > 0 && may('operate') && html`<${BootForm} most=${most} running=${names.length} reload=${reload} />${may('administer') && html`<${Allow} most=${most} reload=${reload} />`}`} />
        <${Refusal} error=${error} />
        ${!phones ? !error && html`<${Loading} />` : html`
            ${!most && html`<${Allow} most=${most} reload=${reload} />`}
            ${most > 0 && !names.length && html`<p class="card empty">${t('None runs. Choose a model and boot it: TFTP, configuration and registration are as with a real one.')}</p>`}
            <div class="simulated-phones">${names.map((n) => html`<${Phone} key=${n} name=${n} picture=${phones[n]} unknown=${strangers.has(n)} />`)}</div>`}
    </section>`;
}
