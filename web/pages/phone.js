// phone.js - one phone: how it is now, what is set, what its file says, what happened.
import { html, useEffect, useState } from '../lib/dom.js';
import { ask, may, path, useGet } from '../lib/api.js';
import { onLive } from '../lib/live.js';
import { useEntity, useModels } from '../lib/schema.js';
import { Picture, placed, written } from '../lib/picture.js';
import { Do, Facts, Head, LinkButton, Loading, notesOf, Refusal, Rows, say, State } from '../lib/parts.js';
import { setQuery } from '../lib/router.js';
import { plain } from '../lib/table.js';
import { duration, number, t, time, title } from '../lib/words.js';
import { Conflict, EntityForm, remove, useRecord } from './entity.js';
import { Aftermath } from '../lib/plan.js';
import { Finding } from './doctor.js';
import { Capture } from './phone_capture.js';
import { File } from './phone_file.js';

const section = (/** @type {any} */ data, /** @type {string} */ name) => data.sections?.find((/** @type {any} */ s) => s.name === name);

/* --- now --- */

/** Each step of the last boot with the time that it took.
 * @param {{boot: any}} p */
function Boot({ boot }) {
    const steps = boot.items;
    const whole = Math.max(1, steps.at(-1)?.ms || 0);
    const kind = (/** @type {string} */ stage) => (/missing|refused|rejected|broken|manquant|refusé|rejeté|interrompu|缺失|拒绝|中断/.test(stage) ? 'bad' : /^registered|sent|^enregistré|envoyé|已注册|已发送/.test(stage) ? 'good' : '');

    return html`<section class="card"><h2>${boot.title}</h2><ol class="boot">${steps.map((/** @type {any} */ s, /** @type {number} */ i) => html`<li key=${i} class=${kind(s.stage)}>
        <span class="at mono">${s.ms < 10000 ? `${number(s.ms)} ms` : `${(s.ms / 1000).toFixed(1)} s`}</span>
        <span class="what">${s.stage}${s.times > 1 ? ` ×${s.times}` : ''} <span class="mono soft">${s.detail}</span></span>
        <span class="bar-box" aria-hidden="true"><span style=${{ marginLeft: `${100 * (s.ms - s.took) / whole}%`, width: `${Math.max(0.6, 100 * s.took / whole)}%` }}></span></span>
    </li>`)}</ol></section>`;
}

/** Files that it asked for, and what it got.
 * @param {{rows: any[]}} p */
const Files = ({ rows }) => html`<section class="card"><h2>${t('Files asked for')}</h2><${Rows} label=${t('Files asked for')} empty=${t('None in its last boot.')} columns=${[t('ms'), t('File'), t('Answer')]}
    rows=${rows.map((f) => [number(f.ms), html`<span class="mono">${f.file}</span>`, html`<${State} of=${f.answer} />`])} /></section>`;

/** @param {{data: any, entity: any}} p */
function Now({ data, entity }) {
    const r = data.record;
    const models = useModels();
    const model = models.find((m) => m.name === r.model);
    const template = useGet(r.template ? path('template', r.template) : null);
    const features = r.template ? (template.data?.record.buttons || []).map((/** @type {any} */ b) => b.feature || 'line') : model?.keys || [];
    const keys = placed(features, r.buttons || []);
    const own = new Set(entity.fields.map((/** @type {any} */ f) => f.name));
    const boot = section(data, 'boot');
    const contacts = section(data, 'contacts');
    const hidden = ['lines', 'speed_dials', 'status', 'reason', 'since', 'state', 'silent_ms', 'lost_after_ms', 'address', 'last_alarm', 'active_load'];
    const live = Object.entries(r).filter(([k, v]) => !own.has(k) && !hidden.includes(k) && v !== null && plain(v).trim() && typeof v !== 'object' && !k.endsWith('_us'));
    const used = keys.map((k, i) => ({ ...k, at: i + 1 })).filter((k) => k.number || k.label);

    if (!models.length) /* the picture is the first thing on the page: without it all would jump */
        return html`<${Loading} />`;
    return html`${(section(data, 'findings')?.items || []).map((/** @type {any} */ f) => html`<${Finding} key=${f.cause} f=${f} />`)}<div class="cards phone-now">
        ${model && html`<section class="card picture-card"><h2>${model.title}</h2><${Picture} record=${r} model=${model} features=${features} />
            <${Rows} short label=${t('Keys')} empty=${t('No keys are in use.')} columns=${['#', title('button'), t('Number'), t('Label')]}
                rows=${used.map((k) => [k.at, title(k.feature.replace(/_/g, ' ')), k.number, written(k)])} /></section>`}
        <section class="card"><h2>${t('State')}</h2><${Facts} rows=${[[t('Status'), html`<${State} of=${r.status} />`], [t('Since'), time(r.since)], [t('Reason'), r.reason],
            [t('Address'), r.address && html`<a href=${`http://${r.address}/`} target="_blank" rel="noreferrer">${r.address}</a>`], [t('Switch port'), r.port],
            [t('Load it runs'), r.active_load], [t('Lines'), (r.lines || '').replaceAll(';', ', ')], [t('Speed dials'), (r.speed_dials || '').replaceAll(';', ', ')],
            [t('Last heard'), r.silent_ms === undefined ? '' : t('{0} ago', duration(r.silent_ms / 1000))], [t('Lost after'), r.lost_after_ms ? duration(r.lost_after_ms / 1000) : ''],
            ...live.filter(([k]) => k !== 'port').map(([k, v]) => [title(k.replaceAll('_', ' ')), plain(v)])]} />
            ${r.last_alarm && html`<p class="help">${t('Its own last words')}: <span class="mono">${r.last_alarm}</span></p>`}</section>
        ${boot && html`<${Boot} boot=${boot} />`}
        ${section(data, 'files') && html`<${Files} rows=${section(data, 'files').items} />`}
        ${contacts && html`<section class="card"><h2>${t('Contacts')}</h2><${Rows} label=${t('Contacts')} columns=${Object.keys(contacts.items[0] || {}).map((c) => title(c.replaceAll('_', ' ')))}
            rows=${contacts.items.map((/** @type {any} */ c) => Object.values(c).map(plain))} /></section>`}
        <${History} data=${data} few />
    </div>`;
}

/** @param {{data: any, few?: boolean}} p */
function History({ data, few }) {
    const events = [...(section(data, 'history')?.items || [])].reverse().slice(0, few ? 6 : 100);
    const boots = section(data, 'boots')?.items || [];
    const name = data.record.name;

    return html`<section class="card"><h2>${t('What happened')}</h2><${Rows} label=${t('What happened')} empty=${t('Nothing yet.')}
            columns=${[t('Time'), t('Event'), t('Reason'), t('Meaning')]}
            rows=${events.map((/** @type {any} */ e) => [time(e.time), e.event, e.reason ?? '', e.meaning])} />
            <p><a href=${few ? `/phone/${encodeURIComponent(name)}?tab=history` : `/event?device=${encodeURIComponent(name)}`}>${few ? t('All of it') : t('In the event viewer')}</a></p></section>
        ${!few && boots.length > 0 && html`<section class="card"><h2>${t('Boots')}</h2><${Rows} label=${t('Boots')} columns=${[t('Began'), t('ms'), t('Outcome')]}
            rows=${boots.map((/** @type {any} */ b) => [time(b.began), number(b.ms), b.outcome])} /></section>`}`;
}

/* --- what is set --- */

/** @param {{name: string, entity: any, onStored: () => void}} p */
function Settings({ name, entity, onStored }) {
    const r = useRecord(entity, 'phone', name);
    const store = async () => {
        if (await r.save()) {
            r.read();
            onStored();
        }
    };

    if (!r.form)
        return r.error ? html`<${Refusal} error=${r.error} />` : html`<${Loading} />`;
    return html`<${Aftermath} answer=${r.done} /><${Refusal} error=${r.error} />
        ${r.theirs && html`<${Conflict} entity=${entity} base=${r.base} mine=${r.form} theirs=${r.theirs} onTake=${r.take} />`}
        <${EntityForm} entity=${entity} r=${r} name=${name} store=${store} />`;
}

const tabs = () => [['now', t('Now')], ['settings', t('Settings')], ['file', t('File')], ['history', t('History')], ...(may('operate') ? [['capture', t('Capture')]] : [])];

/** @param {{tab: string}} p */
function Tabs({ tab }) {
    const all = tabs();
    const turn = (/** @type {KeyboardEvent} */ e) => {
        const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
        const to = all[all.findIndex(([id]) => id === tab) + step];

        if (!step || !to)
            return;
        setQuery({ tab: to[0] });
        document.getElementById(`tab-${to[0]}`)?.focus();
    };

    useEffect(() => {
        document.getElementById(`tab-${tab}`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }, [tab]);
    return html`<div class="tabs" role="tablist" aria-label=${t('Parts')}>${all.map(([id, word]) => html`<button key=${id} type="button" role="tab" id=${`tab-${id}`}
        aria-selected=${tab === id} aria-controls="tab-panel" tabindex=${tab === id ? 0 : -1} onClick=${() => setQuery({ tab: id === 'now' ? '' : id })} onKeyDown=${turn}>${word}</button>`)}</div>`;
}

/** @param {{params: Record<string, string>, query: Record<string, string>}} p */
export default function Phone({ params, query }) {
    const name = params.name;
    const { data, error, etag, reload } = useGet(path('phone', name), {}, 20);
    const entity = useEntity('phone');
    const back = /** @type {[string, string]} */ (['/phone', t('Phones')]);
    const [gone, leave] = useState(false);

    useEffect(() => {
        const stops = [onLive('directory', reload), onLive('phones', (now) => (now.complete === false || now.changed?.some((/** @type {any} */ p) => p.name === name)) && reload())];

        return () => stops.forEach((stop) => stop());
    }, [name]);
    if (!data || !entity)
        return error ? html`<section class="page"><${Head} title=${name} back=${back} /><${Refusal} error=${error} /></section>` : html`<${Loading} />`;
    const r = data.record;
    const stranger = r.status?.startsWith('unknown:');
    const tab = stranger ? 'now' : query.tab || 'now';
    const order = (/** @type {string} */ verb) => async () => {
        say(notesOf((await ask('POST', `${path('phone', name)}/${verb}`)).data));
        reload();
    };

    return html`<section class="page">
        <${Head} title=${name} back=${back} about=${html`<${State} of=${stranger ? t('unknown: nobody added it') : r.status} /> ${[r.model, r.description].filter(Boolean).join(' · ')}`}
            actions=${stranger ? may('administer') && html`<${LinkButton} primary href=${`/unknown?search=${name}`}>${t('Adopt')}</${LinkButton}>` : html`
                <${Do} disabled=${!may('operate')} title=${t('It takes what changed, in the mildest way')} run=${order('apply')}>${t('Apply')}</${Do}>
                <${Do} disabled=${!may('operate')} title=${t('It registers again')} run=${order('restart')}>${t('Restart')}</${Do}>
                <${Do} disabled=${!may('operate')} title=${t('It boots again')} run=${order('reset')}>${t('Reset')}</${Do}>
                ${may('administer') && html`<${LinkButton} href=${`/copy/phone/${encodeURIComponent(name)}`}>${t('Copy')}</${LinkButton}>
                <${Do} kind="danger" disabled=${gone} run=${async () => { leave(await remove({ noun: 'phone', name, record: { etag } })); }}>${t('Delete')}</${Do}>`}`} />
        ${error && html`<${Refusal} error=${error} />`}
        ${!stranger && html`<${Tabs} tab=${tab} />`}
        <div id="tab-panel" role=${stranger ? undefined : 'tabpanel'} aria-labelledby=${stranger ? undefined : `tab-${tab}`} class="panel">
            ${tab === 'now' ? html`<${Now} data=${data} entity=${entity} />` : tab === 'settings' ? html`<${Settings} name=${name} entity=${entity} onStored=${reload} />`
        : tab === 'file' ? html`<${File} name=${name} />` : tab === 'capture' ? html`<${Capture} name=${name} />` : html`<div class="cards"><${History} data=${data} /></div>`}
        </div>
    </section>`;
}
