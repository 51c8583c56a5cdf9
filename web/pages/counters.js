// counters.js - the performance monitor: choose counters, watch them as a chart or as a report. What is chosen stands in
// the address: an address is a saved view.
import { html, useEffect, useMemo, useRef, useState } from '../lib/dom.js';
import { ask, useGet } from '../lib/api.js';
import { setQuery } from '../lib/router.js';
import { Head, Loading, Refusal } from '../lib/parts.js';
import { number, t } from '../lib/words.js';
import uPlot from '../vendor/uplot.js';

const KEPT = 600; /* samples */
const colours = ['#0e8f88', '#c2571a', '#3f6fd1', '#a3436f', '#7a8a1c', '#7d52c7', '#1c84b0', '#b08a00', '#5c6b66', '#d14b4b', '#2f9e5b', '#8a5a2b'];
const dashes = [[], [6, 4], [2, 3]];
const idOf = (/** @type {any} */ c) => `${c.object}\\${c.name}`;
/** "Cisco Phones(SEP001122334455)" is an instance: the server tells those that are asked for.
 * @param {string} id */
const instanceOf = (id) => /^(Cisco (Phones|Lines)\([^)]*\))\\/.exec(id)?.[1];
const isGauge = (/** @type {any} */ c) => /^(Gauge|Jauge|当前值)/.test(c.help || '');

/** The samples of a while: numbers by counter, one column a moment. */
class Series {
    constructor() {
        /**
         * @type {number[]} */
        this.times = [];
        /**
         * @type {Map<string, (number | null)[]>} */
        this.values = new Map();
    }

    /** @param {number} at seconds
     * @param {any[]} counters */
    add(at, counters) {
        const seen = new Set();

        for (const c of counters) {
            const id = idOf(c);
            let list = this.values.get(id);

            if (!list)
                this.values.set(id, list = this.times.map(() => null));
            list.push(c.value);
            seen.add(id);
        }
        for (const [id, list] of this.values)
            if (!seen.has(id))
                list.push(null);
        this.times.push(at);
        if (this.times.length > KEPT) {
            this.times.shift();
            for (const list of this.values.values())
                list.shift();
        }
    }

    /** Values, or how much they grew a second.
     * @param {string} id
     * @param {boolean} rate */
    column(id, rate) {
        const list = this.values.get(id) || this.times.map(() => null);

        return !rate ? list : list.map((v, i) => (i && v !== null && list[i - 1] !== null
            ? Math.max(0, (v - /** @type {number} */ (list[i - 1])) / Math.max(0.001, this.times[i] - this.times[i - 1])) : null));
    }
}

/** @param {{object: string, counters: any[], chosen: string[], toggle: (ids: string[], on: boolean) => void, search: string}} p */
function Branch({ object, counters, chosen, toggle, search }) {
    const picked = counters.filter((c) => chosen.includes(idOf(c))).length;

    return html`<details open=${Boolean(search) || picked > 0}><summary>${object} <span class="soft">${picked ? `${picked} / ` : ''}${counters.length}</span></summary>
        <ul>${counters.map((c) => html`<li key=${idOf(c)}><label title=${c.help}><input type="checkbox" checked=${chosen.includes(idOf(c))}
            onChange=${(/** @type {any} */ e) => toggle([idOf(c)], e.target.checked)} /> <span>${c.name}</span></label></li>`)}</ul></details>`;
}

/** One phone or number of the original's objects of many instances.
 * @param {{toggle: (ids: string[], on: boolean) => void}} p */
function Instance({ toggle }) {
    const [name, set] = useState('');
    const phones = useGet('phone', { search: name, status: 'registered', limit: 20, offset: 0, columns: 'name,lines' });
    const add = async (/** @type {Event} */ e) => {
        const wanted = name.trim();

        e.preventDefault();
        if (wanted)
            toggle([/^[A-Z]{3}[0-9A-F]{12}$/i.test(wanted) ? `Cisco Phones(${wanted.toUpperCase()})\\CallsAttempted` : `Cisco Lines(${wanted})\\Active`], true);
        set('');
    };

    return html`<form class="adopt" onSubmit=${add}><input type="text" list="instances" aria-label=${t('A phone, or a number')} placeholder=${t('A phone, or a number')} value=${name} onInput=${(/** @type {any} */ e) => set(e.target.value)} />
        <datalist id="instances">${(phones.data?.items || []).map((/** @type {any} */ p) => html`<option key=${p.name} value=${p.name}>${p.lines}</option>`)}</datalist>
        <button type="submit" class="button small">${t('Add')}</button></form>`;
}

/** @param {{all: any[], chosen: string[], toggle: (ids: string[], on: boolean) => void}} p */
function Tree({ all, chosen, toggle }) {
    const [search, set] = useState('');
    const objects = useMemo(() => {
        /**
         * @type {Map<string, any[]>} */
        const map = new Map();

        for (const c of all) {
            if (search && !`${idOf(c)} ${c.help}`.toLowerCase().includes(search.toLowerCase()))
                continue;
            map.set(c.object, [...(map.get(c.object) || []), c]);
        }
        return map;
    }, [all, search]);

    return html`<section class="card tree" aria-label=${t('Counters')}>
        <input type="search" aria-label=${t('Find a counter')} placeholder=${t('Find a counter')} value=${search} onInput=${(/** @type {any} */ e) => set(e.target.value)} />
        <div class="tree-box" tabindex="0" role="region" aria-label=${t('Objects and their counters')}>
        ${[...objects].map(([object, counters]) => html`<${Branch} key=${object} object=${object} counters=${counters} chosen=${chosen} toggle=${toggle} search=${search} />`)}
        ${!objects.size && html`<p class="soft">${t('Nothing here.')}</p>`}</div>
        <${Instance} toggle=${toggle} />
    </section>`;
}

/** @param {{series: Series, chosen: string[], rate: (id: string) => boolean, turn: number}} p */
function Chart({ series, chosen, rate, turn }) {
    const box = useRef(/** @type {any} */ (null));
    const plot = useRef(/** @type {any} */ (null));
    const data = () => [series.times, ...chosen.map((id) => series.column(id, rate(id)))];
    const kinds = chosen.map(rate).join();

    useEffect(() => {
        const place = box.current;
        const style = getComputedStyle(place);
        const axis = { stroke: style.getPropertyValue('--soft'), grid: { stroke: style.getPropertyValue('--line'), width: 1 }, ticks: { stroke: style.getPropertyValue('--line'), width: 1 } };
        const size = () => ({ width: Math.max(200, place.clientWidth), height: Math.max(220, Math.min(430, innerHeight - 330)) });
        const made = new uPlot({
            ...size(), legend: { show: false }, cursor: { drag: { x: false, y: false } }, scales: { y: { range: (/** @type {any} */ _, /** @type {number} */ lo, /** @type {number} */ hi) => [Math.min(0, lo ?? 0), Math.max(1, (hi ?? 1) * 1.1)] } },
            axes: [{ ...axis, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((s) => new Date(s * 1000).toLocaleTimeString([], { hourCycle: 'h23' })), space: 90, incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600] },
                { ...axis, size: 64, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((v) => number(v)) }],
            series: [{}, ...chosen.map((id, i) => ({ label: id, stroke: colours[i % colours.length], width: 2, dash: dashes[Math.floor(i / colours.length) % 3], spanGaps: true, points: { show: false } }))],
        }, /** @type {any} */ (data()), place);
        const watch = new ResizeObserver(() => made.setSize(size()));

        plot.current = made;
        watch.observe(place);
        return () => {
            watch.disconnect();
            made.destroy();
        };
    }, [chosen.join('\n'), kinds]);
    useEffect(() => plot.current?.setData(data()), [turn]);
    return html`<div ref=${box} class="chart" role="img" aria-label=${t('Chart of {0}; the table below has its numbers.', chosen.map((id) => id.split('\\').pop()).join(', '))}></div>`;
}

const round = (/** @type {number | null} */ v) => (v === null || v === undefined ? '–' : number(Math.round(v * 100) / 100));

/** @param {{series: Series, chosen: string[], rate: (id: string) => boolean, known: Map<string, any>, drop: (id: string) => void}} p */
const Report = ({ series, chosen, rate, known, drop }) => html`<div class="card scroll" tabindex="0" role="region" aria-label=${t('Report')}><table class="plain report">
    <thead><tr><th scope="col">${t('Object')}</th><th scope="col">${t('Counter')}</th><th scope="col">${t('Now')}</th><th scope="col">${t('Least')}</th><th scope="col">${t('Mean')}</th><th scope="col">${t('Most')}</th><td></td></tr></thead>
    <tbody>${chosen.map((id, i) => {
        const seen = /** @type {number[]} */ (series.column(id, rate(id)).filter((v) => v !== null));
        const c = known.get(id);
        const words = id.split('\\');

        return html`<tr key=${id}><td><span class="swatch" style=${{ background: colours[i % colours.length] }}></span>${words.slice(0, -1).join(' ')}</td>
            <th scope="row" title=${c?.help}>${words[words.length - 1]}${rate(id) ? html` <span class="soft">${t('a second')}</span>` : ''}<p class="help">${c ? c.help : t('There is no such counter.')}</p></th>
            <td class="figure now">${round(seen[seen.length - 1] ?? null)}</td><td class="figure">${round(seen.length ? Math.min(...seen) : null)}</td>
            <td class="figure">${round(seen.length ? seen.reduce((a, b) => a + b, 0) / seen.length : null)}</td><td class="figure">${round(seen.length ? Math.max(...seen) : null)}</td>
            <td><button type="button" class="button plain small" aria-label=${t('Remove: {0}', words[words.length - 1])} onClick=${() => drop(id)}>✕</button></td></tr>`;
    })}</tbody></table></div>`;

/** @param {{query: Record<string, string>}} p */
export default function Counters({ query: q }) {
    const [all, setAll] = useState(/** @type {any[] | null} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const [turn, setTurn] = useState(0);
    const series = useMemo(() => new Series(), []);
    const chosen = q.c ? q.c.split('|') : [];
    const every = Math.max(1, Number(q.every) || 1);
    const known = new Map((all || []).map((c) => [idOf(c), c]));
    const rate = (/** @type {string} */ id) => q.mode === 'rate' && !isGauge(known.get(id) || {});
    const instances = [...new Set(chosen.map(instanceOf).filter(Boolean))].join('|');
    const toggle = (/** @type {string[]} */ ids, /** @type {boolean} */ on) => setQuery({ c: [...chosen.filter((id) => !ids.includes(id)), ...(on ? ids : [])].join('|') });

    useEffect(() => {
        const stop = new AbortController();
        const look = async () => {
            if (document.hidden && turn)
                return;
            try {
                const { data } = await ask('GET', 'counter', { query: { limit: 1000 }, signal: stop.signal });
                const more = await Promise.all(instances.split('|').filter(Boolean).map((object) => ask('GET', 'counter', { query: { object }, signal: stop.signal })));
                const items = [...data.items, ...more.flatMap((m) => m.data.items)];

                series.add(Date.now() / 1000, items);
                setAll(items);
                setError(null);
                setTurn((n) => n + 1);
            } catch (e) {
                if (/** @type {any} */ (e).name !== 'AbortError')
                    setError(e);
            }
        };
        const timer = setInterval(look, every * 1000);

        look();
        return () => {
            stop.abort();
            clearInterval(timer);
        };
    }, [every, instances]);
    const report = q.view === 'report';

    return html`<section class="page">
        <link rel="stylesheet" href=${new URL('../vendor/uplot.css', import.meta.url).href} />
        <${Head} title=${t('Performance monitor')} about=${t('Choose counters. The address of this page is the view: keep it, or send it to somebody.')} actions=${html`
            <div class="switch" role="group" aria-label=${t('View')}><button type="button" class="button" aria-pressed=${!report} onClick=${() => setQuery({ view: '' })}>${t('Chart')}</button>
            <button type="button" class="button" aria-pressed=${report} onClick=${() => setQuery({ view: 'report' })}>${t('Report')}</button></div>
            <div class="switch" role="group" aria-label=${t('What is shown')}><button type="button" class="button" aria-pressed=${q.mode !== 'rate'} onClick=${() => setQuery({ mode: '' })}>${t('Values')}</button>
            <button type="button" class="button" aria-pressed=${q.mode === 'rate'} onClick=${() => setQuery({ mode: 'rate' })}>${t('Growth a second')}</button></div>
            <select class="short" aria-label=${t('How often')} onChange=${(/** @type {any} */ e) => setQuery({ every: e.target.value })}>${[1, 2, 5, 10, 30].map((n) => html`<option key=${n} value=${n} selected=${n === every}>${t('every {0} s', n)}</option>`)}</select>`} />
        <${Refusal} error=${error} />
        ${!all ? !error && html`<${Loading} />` : html`<div class="monitor">
            <${Tree} all=${all} chosen=${chosen} toggle=${toggle} />
            <div class="monitor-main">
                ${!chosen.length && html`<p class="card empty">${t('Choose counters on the left: they are drawn here from now on.')}
                    <button type="button" class="button small" onClick=${() => setQuery({ c: ['Cisco CallManager\\RegisteredHardwarePhones', 'Cisco CallManager\\SCCPConnections', 'Cisco TFTP\\Requests'].filter((id) => known.has(id)).join('|') })}>${t('A view to begin with')}</button></p>`}
                ${chosen.length > 0 && !report && html`<div class="card"><${Chart} series=${series} chosen=${chosen} rate=${rate} turn=${turn} /></div>`}
                ${chosen.length > 0 && html`<${Report} series=${series} chosen=${chosen} rate=${rate} known=${known} drop=${(/** @type {string} */ id) => toggle([id], false)} />`}
            </div></div>`}
    </section>`;
}
