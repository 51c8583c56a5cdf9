// overview.js - one line of truth, what needs somebody, the last day, where the phones are.
import { html } from '../lib/dom.js';
import { useGet } from '../lib/api.js';
import { useLive } from '../lib/live.js';
import { Finding } from './doctor.js';
import { Facts, Head, Loading, Notice, Refusal, State } from '../lib/parts.js';
import { duration, number, t, time, title } from '../lib/words.js';

/** Where a finding leads. */
const ways = /** @type {Record<string, string>} */ ({ unknown: '/unknown', status: '/phone?status=rejected', service: '/service', event: '/event', phone: '/phone', load: '/load', scope: '/scope', diagnosis: '/diagnosis' });

/** What the phones of a cause have in common.
 * @param {any} f */
const shared = (f) => [['network', t('Network')], ['model', t('Model')], ['load', t('Load')], ['pool', t('Device pool')]]
    .filter(([id]) => f.common[id]).map(([id, name]) => `${name} ${f.common[id]}`).join(', ');

/** A cause that the doctor found: whose, and what they share.
 * @param {any} f */
const cause = (f) => (f.count === 1 ? `${title(f.text)}: ${f.names[0]}.`
    : `${t('{0}: {1} phones.', title(f.text), number(f.count))} ${shared(f) && t('All of them: {0}.', shared(f))}`);

/** Findings in the reader's language; those that are not known here as the server says them.
 * @param {any} f */
const sentence = (f) => (f.names ? cause(f) : {
    unknown_phones: t('Phones that boot here and are not in the database: {0}.', number(f.count)),
    rejected_phones: t('Devices that were refused: {0}.', number(f.count)),
    phones_not_well: t('Phones that are not well: {0}.', number(f.count)),
    collector_stopped: t('The RIS data collector is stopped: the state of phones is not reported.'),
}[f.id] || f.text.replace(/\.?$/, '.'));

/** Registrations upwards, losses and refusals downwards, a bar for each slot.
 * @param {{strip: any}} p */
function Strip({ strip }) {
    const rows = strip.rows;
    const most = (/** @type {number} */ i) => Math.max(1, ...rows.map((/** @type {number[]} */ r) => r[i]));
    const [up, down] = [most(1), Math.max(most(2), most(3))];
    const w = 960 / rows.length;
    const hour = (/** @type {number} */ at) => new Date(at * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const sum = (/** @type {number} */ i) => rows.reduce((/** @type {number} */ s, /** @type {number[]} */ r) => s + r[i], 0);
    const marks = rows.filter((/** @type {number[]} */ r) => r[0] % 10800 < strip.slot_s);

    return html`<figure class="strip"><div class="scroll" tabindex="0" role="region" aria-label=${t('The last 24 hours')}>
        <svg viewBox="0 0 960 116" role="img" aria-label=${t('The last 24 hours: {0} registrations, {1} losses, {2} refusals', number(sum(1)), number(sum(2)), number(sum(3)))}>
            ${marks.map((/** @type {number[]} */ r) => { const x = rows.indexOf(r) * w; return html`<g key=${r[0]}><line x1=${x} x2=${x} y1="0" y2="100" class="hour" />
                ${x < 930 && html`<text x=${x + 3} y="113">${hour(r[0])}</text>`}</g>`; })}
            <line x1="0" x2="960" y1="64" y2="64" class="zero" />
            ${rows.map((/** @type {number[]} */ r, /** @type {number} */ i) => r[1] + r[2] + r[3] > 0 && html`<g key=${r[0]}>
                <title>${`${time(r[0])}: +${r[1]} −${r[2]} ✕${r[3]}`}</title>
                ${r[1] > 0 && html`<rect class="up" x=${i * w + .4} width=${w - .8} y=${64 - 3 - 57 * r[1] / up} height=${3 + 57 * r[1] / up} />`}
                ${r[2] > 0 && html`<rect class="down" x=${i * w + .4} width=${w - .8} y="64" height=${3 + 32 * r[2] / down} />`}
                ${r[3] > 0 && html`<rect class="refused" x=${i * w + .4} width=${w - .8} y=${64 + (r[2] > 0 ? 3 + 32 * r[2] / down : 0)} height="4" />`}
            </g>`)}
        </svg></div>
        <figcaption class="soft"><span class="key up"></span>${t('registered: {0}', number(sum(1)))} <span class="key down"></span>${t('lost: {0}', number(sum(2)))}
            <span class="key refused"></span>${t('refused: {0}', number(sum(3)))}</figcaption>
    </figure>`;
}

/** How many of each kind are registered, as bars.
 * @param {{name: string, rows: any[], field: string}} p */
const Shares = ({ name, rows, field }) => html`<section class="card"><h2>${name}</h2><ul class="shares">
    ${[...rows].sort((a, b) => b.phones - a.phones).slice(0, 12).map((r) => html`<li key=${r.name}><a href=${`/phone?${field}=${encodeURIComponent(r.name)}`}>${r.name}</a>
        <meter min="0" max=${r.phones || 1} value=${r.registered} aria-label=${t('{0}: {1} of {2} registered', r.name, r.registered, r.phones)}></meter>
        <span class="soft">${number(r.registered)} / ${number(r.phones)}</span></li>`)}
    ${!rows.length && html`<li class="soft">${t('Nothing here yet.')}</li>`}</ul></section>`;

/** @param {{counts: any}} p as they were when the page was read; what is told since counts more */
function Truth({ counts }) {
    const c = useLive('phones') || counts;
    const whole = c.phones > 0 && c.registered >= c.phones;

    return html`<p class=${`truth ${whole ? 'good' : c.rejected ? 'bad' : 'warn'}`}>
        <strong>${!c.reported ? t('The state of phones is not reported: the RIS data collector is stopped.') : !c.phones ? t('No phones yet.')
        : whole && c.phones === 1 ? t('One phone is registered.') : whole ? t('All {0} phones are registered.', number(c.phones)) : t('{0} of {1} phones are registered.', number(c.registered), number(c.phones))}</strong>
        <span class="actions">${[['registered', c.registered], ['unregistered', c.unregistered], ['rejected', c.rejected]].filter(([, n]) => n).map(([s, n]) => html`<a key=${s}
            class="button small" href=${`/phone?status=${s}`}><${State} of=${s} /> ${number(n)}</a>`)}
            ${c.unknown_phones > 0 && html`<a class="button small" href="/unknown">${t('Newcomers')} ${number(c.unknown_phones)}</a>`}</span></p>`;
}

/** @param {{items: any[]}} p */
function Findings({ items }) {
    const found = useLive('findings');

    return (found?.items || items).map((/** @type {any} */ f) => html`<${Notice} key=${f.id + f.text} kind=${f.severity === 'error' ? 'bad' : 'warn'}>
        <span>${sentence(f)}</span>${ways[f.noun] && html` <a href=${f.names ? `/diagnosis?search=${encodeURIComponent(f.id)}` : ways[f.noun]}>${t('Look at it')}</a>`}</${Notice}>`);
}

/** What is told twice a second is drawn in its own parts: the strip of a day is not drawn again with them. */
export default function Overview() {
    const { data, error } = useGet('overview', {}, 15);
    const unwell = useGet('diagnosis', { limit: 4 }, 15);

    if (!data)
        return error ? html`<${Refusal} error=${error} />` : html`<${Loading} />`;
    const r = data.record;
    const nodes = (r.nodes || []).map((/** @type {any[]} */ row) => Object.fromEntries(row.map((v, i) => [r.node_columns[i], v])));

    return html`<section class="page">
        <${Head} title=${t('Overview')} about=${t('{0}, up for {1}', r.node, duration(r.uptime))} />
        <${Truth} counts=${r.counts} /><${Findings} items=${r.findings} />
        ${(unwell.data?.items || []).slice(0, 3).map((/** @type {any} */ f) => html`<section key=${f.name + f.cause} class="found"><h2><a href=${`/phone/${encodeURIComponent(f.name)}`}>${f.name}</a></h2><${Finding} f=${f} /></section>`)}
        <section class="card"><h2>${t('The last 24 hours')}</h2><${Strip} strip=${r.strip} /></section>
        <div class="cards">
            <${Shares} name=${t('Device pools')} rows=${r.pools} field="pool" />
            <${Shares} name=${t('Models')} rows=${r.models} field="model" />
            <section class="card"><h2>${t('Nodes')}</h2>${nodes.map((/** @type {any} */ n, /** @type {number} */ i) => html`<${Facts} key=${i} rows=${[[t('Name'), n.name || n.node], [t('State'), html`<${State} of=${n.state || n.status || 'running'} />`],
        [t('Address'), n.address], [t('Phones'), number(n.phones ?? n.registered)], [t('Version'), n.version || r.version]]} />`)}</section>
        </div>
    </section>`;
}
