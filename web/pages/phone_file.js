// phone_file.js - what a phone is told: its file value by value, each with the record that says so, and the file itself.
import { html, useEffect, useState } from '../lib/dom.js';
import { path, useGet } from '../lib/api.js';
import { Loading, Refusal, Rows } from '../lib/parts.js';
import { entityOf } from '../lib/schema.js';
import { plain } from '../lib/table.js';
import { t, title } from '../lib/words.js';

/** Fields in words, by "pool.region".
 * @param {any[]} values */
function useTitles(values) {
    const [titles, set] = useState(/** @type {Record<string, string>} */ ({}));
    const nouns = [...new Set(values.map((v) => v.noun).filter(Boolean))].join();

    useEffect(() => {
        Promise.all(nouns.split(',').map(entityOf)).then((all) => set(Object.fromEntries(all.flatMap((e) => (e?.fields || []).map((f) => [`${e?.noun}.${f.name}`, t(f.title).split(/[;:；：]/)[0].trim()])))), () => {});
    }, [nouns]);
    return titles;
}

/** Where a value comes from, as a link to the place where it is changed.
 * @param {{v: any, phone: string, titles: Record<string, string>}} p */
function From({ v, phone, titles }) {
    if (!v.noun)
        return html`<span class="soft">${title(v.from)}</span>`;
    const at = v.noun === 'parameter' ? `/parameter?search=${encodeURIComponent(v.name)}` : v.noun === 'phone' ? `/phone/${encodeURIComponent(phone)}?tab=settings`
        : `/${v.noun}/${encodeURIComponent(v.name)}`;

    return html`<a href=${at}>${title(v.noun)} ${v.noun === 'phone' ? '' : v.name}</a> <span class="soft">${v.noun === 'parameter' ? '' : titles[`${v.noun}.${v.field}`] || ''}${
        v.from === 'default' ? ` (${t('the default')})` : ''}</span>`;
}

/** @param {{name: string}} p */
export function File({ name }) {
    const values = useGet(`${path('phone', name)}/values`);
    const { data, error } = useGet(`${path('phone', name)}/file`);
    const [wanted, want] = useState('');
    const titles = useTitles(values.data?.items || []);
    const rows = (values.data?.items || []).filter((/** @type {any} */ v) => !wanted || `${v.element} ${v.value} ${v.from} ${v.name}`.toLowerCase().includes(wanted.toLowerCase()));

    return html`<section class="card"><h2>${t('Where its values come from')}</h2>
            <input type="search" class="narrow" aria-label=${t('Search')} placeholder=${t('Search')} value=${wanted} onInput=${(/** @type {any} */ e) => want(e.target.value)} />
            ${values.data ? html`<${Rows} label=${t('Where its values come from')} empty=${t('Nothing fits “{0}”.', wanted)} columns=${[t('Element'), t('Value'), t('Said by')]}
                rows=${rows.map((/** @type {any} */ v) => [html`<span class="mono">${v.element}</span>`, plain(v.value) || html`<span class="soft">–</span>`, html`<${From} v=${v} phone=${name} titles=${titles} />`])} />`
        : values.error ? html`<${Refusal} error=${values.error} />` : html`<${Loading} />`}</section>
        <section class="card"><h2>${t('Its file as it would be served now')}</h2>
            ${data ? html`<pre class="file" tabindex="0" role="region" aria-label=${t('File')}>${data.text || plain(data)}</pre>` : error ? html`<${Refusal} error=${error} />` : html`<${Loading} />`}</section>`;
}
