// services.js - the control center: every service with its state and why; start, stop, restart, one by one.
import { html } from '../lib/dom.js';
import { ask, may, path, useGet } from '../lib/api.js';
import { useLive } from '../lib/live.js';
import { confirmed, Do, Head, Loading, notesOf, Refusal, say, State } from '../lib/parts.js';
import { t, time } from '../lib/words.js';

/** @type {Record<string, (name: string) => string>} */
const dones = { start: (name) => t('{0} runs.', name), stop: (name) => t('{0} is stopped.', name), restart: (name) => t('{0} was started again.', name) };

/** @param {any} s
 * @param {string} verb
 * @param {() => void} reload */
async function control(s, verb, reload) {
    const question = verb === 'stop' ? t('Stop {0}?', s.service) : t('Restart {0}?', s.service);
    const about = s.id === 'web' ? t('This page is what stops: it can be started again from the command line only (dialtone service start web).')
        : s.id === 'callmanager' || s.id.startsWith('sip') || s.id.startsWith('sccp') ? t('Phones that are registered there lose their connection. The other services go on.')
            : t('The other services go on.');

    if (verb !== 'start' && !(await confirmed(question, { yes: verb === 'stop' ? t('Stop') : t('Restart'), danger: verb === 'stop', about })))
        return;
    const { data } = await ask('POST', `${path('service', s.id)}/${verb}`, { body: {} });

    say([dones[verb](s.service), ...notesOf(data)]);
    reload();
}

/** @param {{s: any, reload: () => void}} p */
function Service({ s, reload }) {
    const runs = s.state === 'running';

    return html`<tr class=${s.state === 'failed' ? 'failed' : ''}>
        <th scope="row">${s.service}</th>
        <td><${State} of=${s.state} /></td>
        <td class="when">${time(s.since)}</td>
        <td class="why">${s.about.replace(/[;；,，]\s?[^;；,，]*dialtone --data .*$/, '')}${(s.state === 'off' || /dialtone /.test(s.about)) && (s.id === 'dhcp' || s.id === 'discovery') && may('administer') && html` <a href="/setup">${t('Set up')}</a>`}</td>
        ${may('operate') && html`<td class="moves">
            <${Do} kind="small" disabled=${runs || s.state === 'off'} label=${t('Start {0}', s.service)} run=${() => control(s, 'start', reload)}>${t('Start')}</${Do}>
            <${Do} kind="small" disabled=${!runs || s.id === 'control'} label=${t('Stop {0}', s.service)} run=${() => control(s, 'stop', reload)}>${t('Stop')}</${Do}>
            <${Do} kind="small" disabled=${!runs || s.id === 'control' || s.id === 'web'} label=${t('Restart {0}', s.service)} run=${() => control(s, 'restart', reload)}>${t('Restart')}</${Do}></td>`}
    </tr>`;
}

/** @param {{query: Record<string, string>}} p */
export default function Services({ query }) {
    const { data, error, reload } = useGet('service');
    const live = useLive('services');
    const [asked, seen] = [data?.items, live?.items];
    const items = seen || asked;
    const failed = (items || []).filter((/** @type {any} */ s) => s.state === 'failed').length;
    const runs = (items || []).filter((/** @type {any} */ s) => s.state === 'running').length;
    const shown = (items || []).filter((/** @type {any} */ s) => !query.state || s.state === query.state);

    return html`<section class="page">
        <${Head} title=${t('Control center')} about=${items && (failed ? t('{0} services run, {1} failed.', runs, failed) : t('{0} services run, none failed.', runs))} />
        <${Refusal} error=${error} />
        ${!items ? !error && html`<${Loading} />` : html`<div class="card scroll" tabindex="0" role="region" aria-label=${t('Services')}><table class="plain services">
            <thead><tr><th scope="col">${t('Service')}</th><th scope="col">${t('State')}</th><th scope="col">${t('Since')}</th><th scope="col">${t('Why, and where')}</th>
            ${may('operate') && html`<th scope="col">${t('Control')}</th>`}</tr></thead>
            <tbody>${shown.map((/** @type {any} */ s) => html`<${Service} key=${s.id} s=${s} reload=${reload} />`)}</tbody></table></div>`}
    </section>`;
}
