// events.js - the event viewer: the newest first, as they happen; what each means and what to do.
import { html, useEffect, useMemo, useRef, useState } from '../lib/dom.js';
import { ask, onBack } from '../lib/api.js';
import { onLive } from '../lib/live.js';
import { setQuery } from '../lib/router.js';
import { Do, Facts, Head, Refusal, State } from '../lib/parts.js';
import { Search } from '../lib/search.js';
import { adviceOn } from '../lib/advice.js';
import { number, t, time, title } from '../lib/words.js';

const PAGE = 200;
const MOST = 2000; /* rows kept in the page */
const FLOOD = { rows: 60, ms: 2000 }; /* of more than are told, so many of the newest, so often */
const severities = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'];

/** @param {Record<string, string>} q
 * @param {any} e */
function fits(q, e) {
    const text = `${e.device} ${e.alarm} ${e.meaning} ${e.parameters} ${e.address}`.toLowerCase();

    return (!q.severity || severities.indexOf(e.severity) <= Number(q.severity)) && (!q.alarm || e.alarm === q.alarm) &&
        (!q.device || e.device.toLowerCase() === q.device.toLowerCase()) && (!q.search || text.includes(q.search.toLowerCase())) && !q.until;
}

/** "[Reason=13][Protocol=SIP]" as pairs.
 * @param {string} text
 * @returns {[string, string][]} */
const pairs = (text) => [...text.matchAll(/\[([^=\]]+)=([^\]]*)\]/g)].map((m) => [m[1], m[2]]);

/** @param {{e: any}} p */
const About = ({ e }) => html`<div class="event-about">
    <p><strong>${e.meaning}</strong></p>
    <p>${t('What to do: {0}', adviceOn(e.alarm, e.severity))}</p>
    <${Facts} rows=${[[t('Number'), number(e.number)], [t('Reason'), e.reason || ''], [t('Times'), e.repeated || ''], ...pairs(e.parameters)]} />
    ${e.device && html`<p class="actions"><a class="button small" href=${`/phone/${encodeURIComponent(e.device)}`}>${t('Open {0}', e.device)}</a>
        <a class="button small" href=${`/event?device=${encodeURIComponent(e.device)}`}>${t('All its events')}</a></p>`}
</div>`;

/** Drawn once: thousands of rows stay as they are while others come above them.
 * @param {{e: any, open: boolean, toggle: (n: number) => void}} p */
const Event = ({ e, open, toggle }) => useMemo(() => html`<li class=${`event ${open ? 'open' : ''}`}>
    <button type="button" class="event-head" aria-expanded=${open} onClick=${() => toggle(e.number)}>
        <span class="when">${time(e.time)}</span><${State} of=${e.severity} />
        <span class="device mono">${e.device || '–'}</span><span class="alarm">${e.alarm}</span><span class="meaning">${e.meaning}${e.repeated > 1 ? ` ×${e.repeated}` : ''}</span>
    </button>
    ${open && html`<${About} e=${e} />`}
</li>`, [e, open]);

/** The newest that fit, newest first.
 * @param {Record<string, string>} q
 * @param {AbortSignal} signal
 * @param {number} [before] number of an event: those below it
 * @param {number} [wanted] */
async function fetchEvents(q, signal, before, wanted = PAGE) {
    const { severity, device, alarm, search, since, until } = q;
    const { data } = await ask('GET', 'event', { signal, query: { severity, device, alarm, search, since, until, before, wanted } });

    return data.items.reverse();
}

/** @param {{q: Record<string, string>, alarms: string[]}} p */
const Filters = ({ q, alarms }) => html`
    <select aria-label=${t('Severity')} onChange=${(/** @type {any} */ e) => setQuery({ severity: e.target.value })}>
        <option value="" selected=${!q.severity}>${t('All severities')}</option>
        ${severities.slice(0, 7).map((s, i) => html`<option key=${s} value=${i} selected=${q.severity === String(i)}>${t('{0} and worse', title(s))}</option>`)}</select>
    <input type="text" class="short" list="alarm-names" aria-label=${t('Kind of alarm')} placeholder=${t('Kind of alarm')} value=${q.alarm || ''} onChange=${(/** @type {any} */ e) => setQuery({ alarm: e.target.value })} />
    <datalist id="alarm-names">${alarms.map((a) => html`<option key=${a} value=${a}></option>`)}</datalist>
    <input type="text" class="short" aria-label=${t('Phone')} placeholder=${t('Phone')} value=${q.device || ''} onChange=${(/** @type {any} */ e) => setQuery({ device: e.target.value })} />
    <select aria-label=${t('Time')} onChange=${(/** @type {any} */ e) => setQuery({ since: e.target.value })}>
        ${[['', t('Any time')], ['10m', t('The last 10 minutes')], ['1h', t('The last hour')], ['24h', t('The last day')], ['7d', t('The last week')]].map(([v, words]) =>
        html`<option key=${v} value=${v} selected=${(q.since || '') === v}>${words}</option>`)}</select>`;

/** @param {{query: Record<string, string>}} p */
export default function Events({ query: q }) {
    const [rows, setRows] = useState(/** @type {any[] | null} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const [open, setOpen] = useState(0);
    const [more, setMore] = useState(true);
    const [held, hold] = useState(false);
    const waiting = useRef(/** @type {any[]} */ ([]));
    const timer = useRef(0); /* of a flood */
    const [, redraw] = useState(0);
    const key = JSON.stringify([q.severity, q.alarm, q.device, q.search, q.since, q.until]);
    const take = (/** @type {any[]} */ fresh) => setRows((old) => {
        const known = new Set((old || []).map((e) => e.number));

        return [...fresh.filter((e) => !known.has(e.number)), ...(old || [])].slice(0, MOST);
    });

    useEffect(() => {
        const stop = new AbortController();

        const read = () => fetchEvents(q, stop.signal).then((got) => {
            setRows(got);
            setError(null);
            setMore(got.length === PAGE);
        }, (e) => e.name !== 'AbortError' && setError(e));
        const back = onBack(read);

        waiting.current = [];
        read();
        return () => {
            stop.abort();
            back();
        };
    }, [key]);
    useEffect(() => onLive('events', (now) => {
        const fresh = now.items.filter((/** @type {any} */ e) => fits(q, e)).reverse();

        if (held) {
            waiting.current = [...fresh, ...waiting.current].slice(0, MOST);
            redraw((n) => n + 1);
        } else if (now.skipped) {
            timer.current ||= window.setTimeout(() => {
                timer.current = 0;
                fetchEvents(q, new AbortController().signal, undefined, FLOOD.rows).then((got) => {
                    setRows(got);
                    setMore(true);
                }, () => {});
            }, FLOOD.ms);
        } else if (timer.current) {
            /* they come with the others */
        } else {
            take(fresh);
        }
    }), [key, held]);
    useEffect(() => () => { clearTimeout(timer.current); timer.current = 0; }, [key, held]);
    const follow = () => {
        if (held)
            take(waiting.current);
        waiting.current = [];
        hold(!held);
    };
    const older = async () => {
        const last = rows?.[rows.length - 1];
        const got = last ? await fetchEvents(q, new AbortController().signal, last.number) : [];

        setRows((now) => [...(now || []), ...got]);
        setMore(got.length === PAGE);
    };
    const toggle = (/** @type {number} */ n) => setOpen((now) => (now === n ? 0 : n));
    const alarms = [...new Set((rows || []).map((e) => e.alarm))].sort();

    return html`<section class="page">
        <${Head} title=${t('Event viewer')} about=${t('Alarms as they happen, newest first.')} actions=${html`<button type="button" class="button" aria-pressed=${!held} onClick=${follow}>
            ${held ? t('Follow ({0} new)', waiting.current.length) : t('Following')}</button>`} />
        <${Search} query=${q}><${Filters} q=${q} alarms=${alarms} /></${Search}>
        <${Refusal} error=${error} />
        ${rows && (rows.length ? html`<ul class="events card" aria-label=${t('Events')}>${rows.map((e) => html`<${Event} key=${e.number} e=${e} open=${open === e.number}
            toggle=${toggle} />`)}</ul>` : html`<p class="empty card">${t('No event fits.')}</p>`)}
        ${rows && rows.length > 0 && more && html`<div><${Do} run=${older}>${t('Older events')}</${Do}></div>`}
    </section>`;
}
