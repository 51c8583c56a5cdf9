// overview.js - one line of truth, then what needs somebody, then the state of the services.
import { html } from '../lib/dom.js';
import { useGet } from '../lib/api.js';
import { Facts, Head, Loading, Notice, notesOf, Refusal, Rows, State } from '../lib/parts.js';
import { duration, number, t, time } from '../lib/words.js';

export default function Overview() {
    const { data, error } = useGet('status', {}, 5);

    if (!data)
        return error ? html`<${Refusal} error=${error} />` : html`<${Loading} />`;
    const r = data.record;
    const notes = notesOf(data).map((/** @type {string} */ n) => n.replace(/^! /, ''));
    const services = data.sections.find((/** @type {any} */ s) => s.name === 'services')?.items || [];
    const good = !notes.length && r.registered === r.phones;

    return html`<section class="page">
        <${Head} title=${t('Overview')} about=${t('{0}, up for {1}', r.node, duration(r.uptime))} />
        <p class=${`truth ${good ? 'good' : r.registered < r.phones ? 'warn' : ''}`}>
            <strong>${r.phones && r.registered === r.phones ? t('All {0} phones are registered.', number(r.phones))
        : t('{0} of {1} phones are registered.', number(r.registered), number(r.phones))}</strong></p>
        <p class="actions">${[['unregistered', r.unregistered], ['rejected', r.rejected]].filter(([, n]) => n).map(([s, n]) => html`<a key=${s} class="button small"
            href=${`/phone?status=${s}`}><${State} of=${s} /> ${number(n)}</a>`)}
            ${r.unknown_phones > 0 && html`<a class="button small" href="/unknown">${t('Newcomers')}: ${number(r.unknown_phones)}</a>`}</p>
        ${notes.map((/** @type {string} */ n) => html`<${Notice} key=${n} kind="warn">${n}</${Notice}>`)}
        <div class="cards">
            <section class="card"><h2>${t('Services')}</h2><${Rows} label=${t('Services')} columns=${[t('Service'), t('State'), t('Since'), t('About')]}
                rows=${services.map((/** @type {any} */ s) => [s.service, html`<${State} of=${s.state} />`, time(s.since), s.about])} /></section>
            <section class="card"><h2>${t('This node')}</h2><${Facts} rows=${[[t('Name'), r.node], [t('Version'), r.version], [t('Phones'), number(r.phones)],
                [t('Registered'), number(r.registered)], [t('Unregistered'), number(r.unregistered)], [t('Rejected'), number(r.rejected)]]} /></section>
        </div>
    </section>`;
}
