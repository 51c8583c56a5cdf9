// loads.js - the firmware locker: what is there, what is missing, who wants it.
import { html, useState } from '../lib/dom.js';
import { ask, may, path, useGet } from '../lib/api.js';
import { useList } from '../lib/rows.js';
import { Table } from '../lib/table.js';
import { Do, Head, Loading, Notice, notesOf, Refusal, Rows, say, State } from '../lib/parts.js';
import { Search } from '../lib/search.js';
import { plain } from '../lib/table.js';
import { number, t, title } from '../lib/words.js';

/** @type {() => import('../lib/table.js').Column[]} */
const table = () => [
    { id: 'name', title: t('Load'), width: '26%', narrow: true, mono: true },
    { id: 'models', title: t('Models'), width: '18%' },
    { id: 'parts', title: t('Parts'), width: '80px' },
    { id: 'missing', title: t('Missing'), narrow: true, cell: (r) => (plain(r.missing) && plain(r.missing) !== '0' ? html`<span class="state bad">${plain(r.missing)}</span>` : '') },
    { id: 'wanted_by', title: t('Phones that want it'), width: '120px', cell: (r) => plain(r.wanted_by) },
    { id: 'advice', title: t('Advice') },
];

/** @param {{name: string}} p */
function One({ name }) {
    const { data, error, reload } = useGet(`${path('load', name)}/check`);
    const own = useGet(path('load', name));
    const [most, set] = useState(/** @type {string | null} */ (null));
    const record = data?.record || {};
    const rows = data?.items || data?.sections?.[0]?.items || [];
    const columns = Object.keys(rows[0] || {});
    const shown = most ?? String(own.data?.record?.max_downloads ?? 0);
    const save = async () => {
        say(notesOf((await ask('PATCH', path('load', name), { body: { max_downloads: shown } })).data));
        reload();
    };

    return html`<section class="page"><${Head} title=${name} about=${t('Firmware load')} back=${['/load', t('Firmware')]} />
        ${!data ? error ? html`<${Refusal} error=${error} />` : html`<${Loading} />` : html`
            ${(data.notes || []).map((/** @type {string} */ n) => html`<${Notice} key=${n}>${n}</${Notice}>`)}
            <section class="card"><h2>${t('Parts')}</h2>
                ${Object.keys(record).length > 0 && html`<p class="about">${Object.entries(record).map(([k, v]) => `${title(k)}: ${plain(v)}`).join(' · ')}</p>`}
                <${Rows} label=${t('Parts')} empty=${t('None of its files is here.')} columns=${columns.map((c) => title(c.replaceAll('_', ' ')))}
                    rows=${rows.map((/** @type {any} */ r) => columns.map((c) => (c === 'state' || c === 'status' ? html`<${State} of=${plain(r[c])} />` : plain(r[c]))))} /></section>`}
        <section class="card"><h2>${t('How many fetch it at once')}</h2>
            <div class="search"><label for="most">${title('phones of one device pool that may fetch it at once; 0: no limit')}</label>
                <input id="most" type="number" min="0" max="100000" style=${{ width: '7em' }} value=${shown} disabled=${!may('administer')} onInput=${(/** @type {any} */ e) => set(e.target.value)} />
                ${may('administer') && html`<${Do} disabled=${most === null} run=${save}>${t('Save')}</${Do}>`}</div></section>
    </section>`;
}

/** @param {{params: Record<string, string>, query: Record<string, string>}} p */
export default function Loads({ params, query }) {
    const [turn, again] = useState(0);
    const [busy, setBusy] = useState('');
    const [error, setError] = useState(/** @type {any} */ (null));
    const list = useList('load', { search: query.search }, turn);
    const bring = async (/** @type {any} */ e) => {
        const file = e.target.files[0];

        if (!file)
            return;
        setBusy(file.name);
        setError(null);
        try {
            const { data } = await ask('POST', 'load/import', { body: file, headers: { 'Content-Type': 'application/octet-stream' } });

            say([...notesOf(data), t('{0} is here.', file.name)]);
            again(turn + 1);
        } catch (refused) {
            setError(refused);
        }
        setBusy('');
        e.target.value = '';
    };
    const missing = list.rows.filter((r) => plain(r.missing) && plain(r.missing) !== '0').length;

    if (params.name)
        return html`<${One} name=${params.name} />`;
    return html`<section class="page list">
        <${Head} title=${t('Firmware')} about=${t('Loads found in the static tree, and loads that phones are told to run. An archive as its maker delivers it is put there whole.')}
            actions=${may('administer') && html`<label class="button primary">${t('Import an archive')}<input type="file" class="away" accept=".zip,.cop,.sgn,.tar,.gz,.tgz,.bin,.loads" onChange=${bring} /></label>`} />
        <${Refusal} error=${error} />
        ${busy && html`<${Notice}>${t('{0} is on its way …', busy)}</${Notice}>`}
        ${missing > 0 && html`<${Notice} kind="warn">${t('Loads with missing parts: {0}.', number(missing))}</${Notice}>`}
        <${Search} query=${query} />
        <${Table} list=${list} columns=${table()} label=${t('Firmware')} keyOf=${(/** @type {any} */ r) => r.name} hrefOf=${(/** @type {any} */ r) => `/load/${encodeURIComponent(r.name)}`}
            empty=${t('No loads: the static tree has none, and no phone is told to run one.')} />
    </section>`;
}
