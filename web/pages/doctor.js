// doctor.js - why phones do not register: the live doctor's findings, and the story of one phone.
import { html } from '../lib/dom.js';
import { path, useGet } from '../lib/api.js';
import { useList } from '../lib/rows.js';
import { Table } from '../lib/table.js';
import { Head, LinkButton, Loading, Notice, Refusal, State } from '../lib/parts.js';
import { Search } from '../lib/search.js';
import { language, t, time, title } from '../lib/words.js';

/** What is wrong and what to do, with the way there. The near name of a mistyped phone is where it is repaired.
 * @param {{f: any}} p */
export function Finding({ f }) {
    const near = /(SEP[0-9A-F]{12}) is configured/.exec(f.detail || '')?.[1];

    return html`<${Notice} kind=${f.severity === 'fatal' ? 'bad' : 'warn'}>
        <p><strong>${title(f.finding)}</strong>${f.certain ? '' : ` (${t('probably')})`}${f.detail ? `: ${f.detail}` : ''}</p>
        <p>${f.todo}</p>
        <p class="actions"><a href=${`/diagnosis/${encodeURIComponent(f.name)}`}>${t('The whole story')}</a>
            ${near && html`<${LinkButton} small href=${`/phone/${near}?tab=settings`}>${t('Correct {0}', near)}</${LinkButton}>
                <${LinkButton} small href=${`/unknown?search=${f.name}`}>${t('Adopt {0}', f.name)}</${LinkButton}>`}</p>
    </${Notice}>`;
}

/** @type {() => import('../lib/table.js').Column[]} */
const table = () => [
    { id: 'name', title: t('Phone'), width: '165px', narrow: true, mono: true },
    { id: 'severity', title: t('Severity'), width: '90px', cell: (r) => html`<${State} of=${r.severity === 'fatal' ? 'error' : 'warning'} />` },
    { id: 'finding', title: t('Finding'), width: '26%', narrow: true },
    { id: 'detail', title: t('Detail') },
    { id: 'todo', title: t('What to do') },
    { id: 'since', title: t('Since'), width: '120px', cell: (r) => time(r.since) },
];

/** @param {{name: string}} p */
function Story({ name }) {
    const { data, error } = useGet(path('diagnosis', name), { lang: language() }, 10);

    return html`<section class="page">
        <${Head} title=${t('The story of {0}', name)} back=${['/diagnosis', t('Doctor')]} actions=${html`<${LinkButton} href=${`/phone/${encodeURIComponent(name)}`}>${t('The phone')}</${LinkButton}>`} />
        ${!data ? error ? html`<${Refusal} error=${error} />` : html`<${Loading} />` : html`
            ${(data.sections?.[0]?.items || []).map((/** @type {any} */ f) => html`<${Finding} key=${f.cause} f=${f} />`)}
            <section class="card"><pre class="file story" tabindex="0" role="region" aria-label=${t('The story of {0}', name)}>${data.text}</pre></section>`}
    </section>`;
}

/** @param {{params: Record<string, string>, query: Record<string, string>}} p */
export default function Doctor({ params, query }) {
    const list = useList('diagnosis', { search: query.search });

    if (params.name)
        return html`<${Story} name=${params.name} />`;
    return html`<section class="page list">
        <${Head} title=${t('Doctor')} about=${t('Phones that are not well: why, and what to do.')} />
        <${Search} query=${query} />
        <${Table} list=${list} columns=${table()} label=${t('Doctor')} keyOf=${(/** @type {any} */ r) => `${r.name} ${r.cause}`} hrefOf=${(/** @type {any} */ r) => `/diagnosis/${encodeURIComponent(r.name)}`}
            empty=${t('All phones that were here are well.')} />
    </section>`;
}
