// audit.js - who changed what, the newest first: also log-ins, and what was refused.
import { html } from '../lib/dom.js';
import { useGet } from '../lib/api.js';
import { setQuery } from '../lib/router.js';
import { Head, Loading, Refusal, Rows } from '../lib/parts.js';
import { Search } from '../lib/search.js';
import { plain } from '../lib/table.js';
import { t, time } from '../lib/words.js';

/** @param {{changes: any[]}} p */
const Changes = ({ changes }) => html`${changes.map((c, i) => Object.entries(c.fields || {}).map(([name, v]) => html`<div key=${i + name}>${name}: <span class="soft">${plain(/** @type {any} */ (v).old)}</span> → ${plain(/** @type {any} */ (v).new)}</div>`))}`;

/** @param {{query: Record<string, string>}} p */
export default function Audit({ query: q }) {
    const { data, error } = useGet('audit', { search: q.search, since: q.since, who: q.who, limit: 300 }, 5);

    return html`<section class="page">
        <${Head} title=${t('Audit log')} about=${t('Who changed what, from where, and what was refused; the newest first.')} />
        <${Search} query=${q}>
            <input type="text" class="short" aria-label=${t('User')} placeholder=${t('User')} value=${q.who || ''} onChange=${(/** @type {any} */ e) => setQuery({ who: e.target.value })} />
            <select aria-label=${t('Time')} onChange=${(/** @type {any} */ e) => setQuery({ since: e.target.value })}>
                ${[['', t('Any time')], ['1h', t('The last hour')], ['24h', t('The last day')], ['7d', t('The last week')]].map(([v, words]) => html`<option key=${v} value=${v} selected=${(q.since || '') === v}>${words}</option>`)}</select></${Search}>
        <${Refusal} error=${error} />
        ${!data ? !error && html`<${Loading} />` : html`<div class="card"><${Rows} label=${t('Audit log')} empty=${t('Nothing here.')} columns=${[t('Time'), t('User'), t('From'), t('What'), t('Result'), t('Changes')]}
            rows=${data.items.map((/** @type {any} */ e) => [time(e.time), e.who, e.from, `${e.noun} ${e.verb} ${e.name}`, String(e.result ?? ''), html`<${Changes} changes=${e.changes || []} />`])} /></div>`}
    </section>`;
}
