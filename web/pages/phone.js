// phone.js - one phone: how it is now, what is set, what its file says, what happened.
import { html, useState } from '../lib/dom.js';
import { ask, may, path, useGet } from '../lib/api.js';
import { useEntity } from '../lib/schema.js';
import { Fields } from '../lib/form.js';
import { Do, Facts, Head, LinkButton, Loading, notesOf, Refusal, Rows, say, State } from '../lib/parts.js';
import { setQuery } from '../lib/router.js';
import { plain } from '../lib/table.js';
import { number, t, time, title } from '../lib/words.js';
import { Aftermath, Conflict, remove, useRecord } from './entity.js';

const section = (/** @type {any} */ data, /** @type {string} */ name) => data.sections?.find((/** @type {any} */ s) => s.name === name);

/** @param {{data: any, entity: any}} p */
function Now({ data, entity }) {
    const r = data.record;
    const own = new Set(entity.fields.map((/** @type {any} */ f) => f.name));
    const boot = section(data, 'boot');
    const contacts = section(data, 'contacts');
    const live = Object.entries(r).filter(([k, v]) => !own.has(k) && !['lines', 'speed_dials', 'status', 'reason', 'since', 'state'].includes(k) && v !== '' && v !== null && typeof v !== 'object' && !k.endsWith('_us'));

    return html`<div class="cards">
        <section class="card"><h2>${t('State')}</h2><${Facts} rows=${[[t('Status'), html`<${State} of=${r.status} />`], [t('Since'), time(r.since)], [t('Reason'), r.reason],
            [t('Lines'), (r.lines || '').replaceAll(';', ', ')], [t('Speed dials'), (r.speed_dials || '').replaceAll(';', ', ')],
            ...live.map(([k, v]) => [title(k.replaceAll('_', ' ')), plain(v)])]} /></section>
        ${boot && html`<section class="card"><h2>${boot.title}</h2><${Rows} label=${t('Boot')} columns=${[t('ms'), t('Took'), t('Stage'), t('Times'), t('Detail')]}
            rows=${boot.items.map((/** @type {any} */ s) => [number(s.ms), number(s.took), s.stage, s.times, s.detail])} /></section>`}
        ${contacts && html`<section class="card"><h2>${t('Contacts')}</h2><${Rows} label=${t('Contacts')} columns=${Object.keys(contacts.items[0] || {}).map((c) => title(c))}
            rows=${contacts.items.map((/** @type {any} */ c) => Object.values(c).map(plain))} /></section>`}
    </div>`;
}

/** @param {{data: any}} p */
function History({ data }) {
    const events = section(data, 'history')?.items || [];
    const boots = section(data, 'boots')?.items || [];

    return html`<div class="cards"><section class="card"><h2>${t('What happened')}</h2><${Rows} label=${t('What happened')} empty=${t('Nothing yet.')}
            columns=${[t('Time'), t('Event'), t('Reason'), t('Meaning')]}
            rows=${[...events].reverse().map((/** @type {any} */ e) => [time(e.time), e.event, e.reason ?? '', e.meaning])} /></section>
        ${boots.length > 0 && html`<section class="card"><h2>${t('Boots')}</h2><${Rows} label=${t('Boots')} columns=${[t('Began'), t('ms'), t('Outcome')]}
            rows=${boots.map((/** @type {any} */ b) => [time(b.began), number(b.ms), b.outcome])} /></section>`}</div>`;
}

/** @param {{name: string}} p */
function File({ name }) {
    const { data, error } = useGet(`${path('phone', name)}/file`);

    if (!data)
        return error ? html`<${Refusal} error=${error} />` : html`<${Loading} />`;
    return html`<section class="card"><h2>${t('Its file as it would be served now')}</h2>
        <pre class="file" tabindex="0" aria-label=${t('File')}>${data.text || plain(data)}</pre></section>`;
}

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
    return html`<${Aftermath} notes=${r.notes} phones=${{ names: [name] }} /><${Refusal} error=${r.error} />
        ${r.theirs && html`<${Conflict} entity=${entity} base=${r.base} mine=${r.form} theirs=${r.theirs} onTake=${r.take} />`}
        <form class="form" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); store(); }}>
            <${Fields} fields=${entity.fields} form=${r.form} base=${r.base} set=${r.put} disabled=${!may('administer')} />
            ${may('administer') && html`<div class="save-bar ${r.dirty ? 'dirty' : ''}"><button type="submit" class="button primary" disabled=${!r.dirty}>${t('Save')}</button>
                <button type="button" class="button" disabled=${!r.dirty} onClick=${r.revert}>${t('Undo')}</button>
                <span class="about">${r.dirty ? t('Changed: {0}', entity.fields.filter((/** @type {any} */ f) => f.name in r.changes).map((/** @type {any} */ f) => title(f.title)).join(', ')) : ''}</span></div>`}
        </form>`;
}

/** @param {{params: Record<string, string>, query: Record<string, string>}} p */
export default function Phone({ params, query }) {
    const name = params.name;
    const { data, error, etag, reload } = useGet(path('phone', name), {}, 5);
    const entity = useEntity('phone');
    const [tabs] = useState([['now', 'Now'], ['settings', 'Settings'], ['file', 'File'], ['history', 'History']]);
    const back = /** @type {[string, string]} */ (['/phone', t('Phones')]);

    if (!data || !entity)
        return error ? html`<section class="page"><${Head} title=${name} back=${back} /><${Refusal} error=${error} /></section>` : html`<${Loading} />`;
    const r = data.record;
    const stranger = r.status?.startsWith('unknown:');
    const tab = query.tab || 'now';
    const order = (/** @type {string} */ verb) => async () => {
        say(notesOf((await ask('POST', `${path('phone', name)}/${verb}`)).data));
        reload();
    };

    return html`<section class="page">
        <${Head} title=${name} back=${back} about=${html`<${State} of=${r.status} /> ${[r.model, r.description].filter(Boolean).join(' · ')}`}
            actions=${stranger ? html`<${LinkButton} primary href=${`/unknown?search=${name}`}>${t('Adopt')}</${LinkButton}>` : html`
                <${Do} disabled=${!may('operate')} run=${order('apply')}>${t('Apply')}</${Do}>
                <${Do} disabled=${!may('operate')} run=${order('restart')}>${t('Restart')}</${Do}>
                <${Do} disabled=${!may('operate')} run=${order('reset')}>${t('Reset')}</${Do}>
                ${may('administer') && html`<${LinkButton} href=${`/copy/phone/${encodeURIComponent(name)}`}>${t('Copy')}</${LinkButton}>
                <${Do} kind="danger" run=${() => remove({ noun: 'phone', name, record: { etag } })}>${t('Delete')}</${Do}>`}`} />
        ${!stranger && html`<div class="tabs" role="tablist" aria-label=${t('Parts')}>${tabs.map(([id, word]) => html`<button key=${id} type="button" role="tab"
            id=${`tab-${id}`} aria-selected=${tab === id} aria-controls="tab-panel" tabindex=${tab === id ? 0 : -1}
            onClick=${() => setQuery({ tab: id === 'now' ? '' : id })}
            onKeyDown=${(/** @type {KeyboardEvent} */ e) => { const to = tabs[tabs.findIndex((x) => x[0] === tab) + (e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 9)]; if (to) { setQuery({ tab: to[0] }); document.getElementById(`tab-${to[0]}`)?.focus(); } }}>${t(word)}</button>`)}</div>`}
        <div id="tab-panel" role=${stranger ? undefined : 'tabpanel'} aria-labelledby=${stranger ? undefined : `tab-${tab}`} class="panel">
            ${stranger || tab === 'now' ? html`<${Now} data=${data} entity=${entity} />` : tab === 'settings' ? html`<${Settings} name=${name} entity=${entity} onStored=${reload} />`
        : tab === 'file' ? html`<${File} name=${name} />` : html`<${History} data=${data} />`}
        </div>
    </section>`;
}
