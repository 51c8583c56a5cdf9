// entity.js - one record of any entity: add, copy, change, delete; two writers see each other.
import { html, useEffect, useState } from '../lib/dom.js';
import { ask, get, may, path } from '../lib/api.js';
import { onLive } from '../lib/live.js';
import { blank, changesOf, formOf, keyOf, useEntity, useModels } from '../lib/schema.js';
import { Picture } from '../lib/picture.js';
import { Fields } from '../lib/form.js';
import { Aftermath, PlanDialog } from '../lib/plan.js';
import { confirmed, Do, Head, LinkButton, Loading, Notice, notesOf, Refusal, say } from '../lib/parts.js';
import { go, setGuard } from '../lib/router.js';
import { plain } from '../lib/table.js';
import { useKey } from '../lib/keys.js';
import { t, title } from '../lib/words.js';
import { routes } from '../routes.js';

/** Phones that see a change of this record only after a reset, as the API selects them.
 * @param {string} noun
 * @param {string} name
 * @param {any} record */
export function concerned(noun, name, record) {
    if (noun === 'phone')
        return { names: [name] };
    if (noun === 'line')
        return record?.phones?.length ? { names: record.phones } : null;
    if (['pool', 'template', 'softkeys', 'location'].includes(noun))
        return { [noun]: name };
    return ['group', 'callmanager', 'server', 'datetime', 'defaults'].includes(noun) ? { all: true } : null;
}

/** Somebody else was first: both values of each field, and whose is taken.
 * @param {{entity: import('../lib/schema.js').Entity, base: any, mine: any, theirs: any, onTake: (form: any) => void}} p */
export function Conflict({ entity, base, mine, theirs, onTake }) {
    const [chosen, choose] = useState(/** @type {Record<string, boolean>} */ ({}));
    const differs = (/** @type {any} */ a, /** @type {any} */ b) => (/** @type {any} */ f) => JSON.stringify(a[f.name]) !== JSON.stringify(b[f.name]);
    const rows = entity.fields.filter((f) => differs(base, theirs)(f) || differs(mine, base)(f));
    /* what only the other one changed is taken from him when nothing else is chosen; what is typed meanwhile counts */
    const isMine = (/** @type {any} */ f) => chosen[f.name] ?? differs(mine, base)(f);
    const take = () => onTake(Object.fromEntries(entity.fields.map((f) => [f.name, (isMine(f) ? mine : theirs)[f.name]])));
    return html`<${Notice} kind="warn">
        <p>${t('Somebody else changed this meanwhile. Nothing is lost: choose what stays, then save.')}</p>
        <div class="scroll" tabindex="0" role="region" aria-label=${t('Both values')}><table class="plain"><thead><tr><th scope="col">${t('Field')}</th><th scope="col">${t('Theirs')}</th><th scope="col">${t('Yours')}</th></tr></thead>
        <tbody>${rows.map((f) => html`<tr key=${f.name}><th scope="row">${title(f.title)}</th>
            ${[theirs, mine].map((from, i) => html`<td key=${i}><label><input type="radio" name=${`take-${f.name}`} checked=${isMine(f) === Boolean(i)}
                onChange=${() => choose({ ...chosen, [f.name]: Boolean(i) })} /> ${f.kind === 'secret' ? (i ? t('(what you typed)') : t('unchanged')) : plain(from[f.name]) || '–'}</label></td>`)}</tr>`)}</tbody></table></div>
        <p class="actions"><button type="button" class="button" onClick=${take}>${t('Take these')}</button></p>
    </${Notice}>`;
}

/** What a change under a new name leaves to do, for the page of that name. */
let left = { at: '', answer: /** @type {any} */ (null) };

/** The state of a form: what was read, what is typed, who was faster.
 * @param {import('../lib/schema.js').Entity | null | undefined} entity
 * @param {string} noun
 * @param {string} name '' for a new one
 * @param {{copyOf?: string, preset?: any}} [o] */
export function useRecord(entity, noun, name, o = {}) {
    const [s, set] = useState(/** @type {any} */ ({ form: null, base: null }));
    const from = o.copyOf || name;

    const read = async () => {
        if (!entity)
            return;
        if (!from) {
            const base = { ...blank(entity), ...o.preset };

            set({ base: blank(entity), form: base, record: null, etag: '', done: null });
            return;
        }
        try {
            const { data, etag } = await get(path(noun, from));
            const form = formOf(entity, data.record);
            const { answer } = left.at === `${noun}/${from}` ? left : { answer: null };

            left = { at: '', answer: null };

            if (o.copyOf)
                for (const f of entity.fields)
                    if (f.key)
                        form[f.name] = '';
            set((/** @type {any} */ old) => (old.form !== old.base ? old /* what is typed stays */
                : { base: form, form, record: data.record, etag, done: old.done ?? answer }));
        } catch (error) {
            set((/** @type {any} */ old) => (old.form ? old : { form: null, base: null, error }));
        }
    };

    useEffect(() => {
        read();
        return name ? onLive('directory', read) : undefined;
    }, [entity, noun, from]);
    const changes = entity && s.form ? changesOf(entity, s.base, s.form) : {};
    const dirty = Object.keys(changes).length > 0;

    useEffect(() => {
        setGuard(() => (dirty ? t('What you changed is not saved. Leave the page?') : ''));
        return () => setGuard(() => '');
    }, [dirty]);

    const send = (/** @type {any} */ query) => {
        const e = /** @type {import('../lib/schema.js').Entity} */ (entity);
        const key = keyOf(e, s.form);

        return o.copyOf ? ask('POST', `${path(noun, o.copyOf)}/copy`, { query, body: { ...without(changes, e), to: key } })
            : name ? ask('PATCH', path(noun, name), { query, body: changes, etag: s.etag })
                : ask('POST', noun, { query, body: { ...without(changes, e), name: key } });
    };
    const plan = async () => set({ ...s, error: null, plan: (await send({ plan: 1 })).data });
    const stored = (/** @type {string} */ key, /** @type {any} */ data) => {
        setGuard(() => '');
        set((/** @type {any} */ old) => ({ ...old, base: old.form, done: data, plan: null, error: null, theirs: null }));
        if (!name || o.copyOf || key !== name)
            say(notesOf(data));
        if (key !== name && data.reset?.count)
            left = { at: `${noun}/${key}`, answer: data };
        return key;
    };
    /** @returns {Promise<string | null>} the name of the record when it is stored */
    const save = async () => {
        const e = /** @type {import('../lib/schema.js').Entity} */ (entity);

        try {
            return stored(keyOf(e, s.form), (await send({})).data);
        } catch (error) {
            if (/** @type {any} */ (error).status !== 412) {
                set({ ...s, error, plan: null });
                return null;
            }
            const { data, etag } = await get(path(noun, name));

            set({ ...s, error: null, plan: null, theirs: formOf(e, data.record), etag });
            return null;
        }
    };

    return { ...s, changes, dirty, read, save, planned: plan, unplan: () => set({ ...s, plan: null }),
        put: (/** @type {string} */ field, /** @type {any} */ value) => set((/** @type {any} */ old) => ({ ...old, form: { ...old.form, [field]: value }, done: null })),
        take: (/** @type {any} */ form) => set((/** @type {any} */ old) => ({ ...old, base: old.theirs, form, theirs: null })),
        revert: () => set((/** @type {any} */ old) => ({ ...old, form: old.base, error: null, theirs: null })) };
}

/** A new record's name goes by itself, not as a field.
 * @param {any} changes
 * @param {import('../lib/schema.js').Entity} e */
const without = (changes, e) => Object.fromEntries(Object.entries(changes).filter(([k]) => !e.fields.find((f) => f.key && f.name === k)));

/** @param {{noun: string, name: string, record: any}} p */
export async function remove({ noun, name, record }) {
    if (!await confirmed(t('Delete {0}?', name), { yes: t('Delete'), danger: true, about: html`<p>${t('Other records that refer to it keep it from being deleted; the answer names them.')}</p>` }))
        return false;
    const { data } = await ask('DELETE', path(noun, name), { etag: record?.etag });

    say(notesOf(data));
    setGuard(() => '');
    go(`/${noun}`);
    return true;
}

/** Fields that belong together, of entities that have many.
 * @type {() => Record<string, [string, string[]][]>} */
const together = () => ({
    phone: [[t('Device'), ['name', 'model', 'protocol', 'description', 'pool', 'owner', 'load', 'css', 'location', 'quarantine']],
        [t('Keys'), ['template', 'softkeys', 'buttons']],
        ['SIP', ['sip_profile', 'security_profile', 'dial_rules', 'digest_user']]],
    'sip-profile': [[t('Profile'), ['name', 'description', 'preferred_codec', 'kpml', 'enable_vad', 'call_stats', 'telnet_level']]],
});

/** The form of one record with what saves it.
 * @param {{entity: import('../lib/schema.js').Entity, r: any, name: string, store: () => void}} p */
export function EntityForm({ entity, r, name, store }) {
    const editable = may('administer');
    const groups = together()[entity.noun] || [];
    const known = groups.flatMap(([, names]) => names);
    const parts = [...groups.map(([word, names]) => /** @type {[string, any[]]} */ ([word, names.map((n) => entity.fields.find((f) => f.name === n)).filter(Boolean)])),
        /**
         * @type {[string, any[]]} */ ([known.length ? t('More') : '', entity.fields.filter((f) => !known.includes(f.name))])];

    useKey('s', t('Save'), () => r.dirty && store(), [r.dirty, r.form]);
    return html`<form class="form" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); store(); }}>
        ${parts.map(([word, fields]) => html`<div key=${word} class="part">${word && html`<h2>${word}</h2>`}
            <${Fields} fields=${fields} form=${r.form} base=${r.base} set=${r.put} disabled=${!editable} /></div>`)}
        ${editable && html`<div class="save-bar ${r.dirty ? 'dirty' : ''}">
            <button type="submit" class="button primary" disabled=${name && !r.dirty}>${name ? t('Save') : t('Add')}</button>
            <${Do} disabled=${!r.dirty} run=${r.planned}>${t('What would happen?')}</${Do}>
            <button type="button" class="button" disabled=${!r.dirty} onClick=${r.revert}>${t('Undo')}</button>
            <span class="about">${r.dirty ? t('Changed: {0}', entity.fields.filter((f) => f.name in r.changes).map((f) => title(f.title).split(/[;:；：]/)[0]).join(', ')) : ''}</span></div>`}
        ${r.plan && html`<${PlanDialog} plan=${r.plan} yes=${name ? t('Save') : t('Add')} onClose=${r.unplan} onYes=${store} />`}
        ${entity.noun === 'template' && html`<${TemplatePicture} form=${r.form} />`}
    </form>`;
}

/** A template as the phone that it is for.
 * @param {{form: any}} p */
function TemplatePicture({ form }) {
    const models = useModels();
    const model = models.find((m) => m.name === String(form.model)) || models.find((m) => m.name === '7960');
    const features = form.buttons.map((/** @type {any} */ b) => b.feature || 'line');

    return model ? html`<section class="card picture-card"><h2>${model.title}</h2><${Picture} model=${model} features=${features}
        record=${{ name: form.name, status: 'registered', description: form.name, buttons: form.buttons.map((/** @type {any} */ b) => ({ feature: b.feature || 'line', label: b.label || '', target: b.label ? '' : (b.feature || 'line').replace(/_/g, ' ') })) }} /></section>` : null;
}

/** Who has a line, as links.
 * @param {any} record */
const phonesOf = (record) => (record?.phones?.length ? record.phones.map((/** @type {string} */ p, /** @type {number} */ i) => html`${i ? ', ' : ''}<a key=${p} href=${`/phone/${encodeURIComponent(p)}`}>${p}</a>`)
    : t('on no phone'));

/** @param {{params: Record<string, string>, route: any, query: Record<string, string>}} p */
export default function EntityPage({ params, route, query }) {
    const noun = params.noun || route.noun;
    const copying = route.path.startsWith('/copy/');
    const name = copying ? '' : params.name || '';
    const entity = useEntity(noun);
    const r = useRecord(entity, noun, name, { copyOf: copying ? params.name : undefined, preset: query });
    const of = routes.find((row) => row.path === `/${noun}`);
    const store = async () => {
        const key = await r.save();

        if (key && key !== name)
            go(`/${noun}/${encodeURIComponent(key)}`);
        else if (key)
            r.read();
    };

    if (entity === null)
        return html`<section class="page"><${Head} title=${t('There is no such page.')} about=${location.pathname} back=${['/', t('Overview')]} /></section>`;
    if (!entity || (!r.form && !r.error))
        return html`<${Loading} />`;
    const back = /** @type {[string, string]} */ ([`/${noun}`, t(of?.title || entity.title)]);

    if (!r.form)
        return html`<section class="page"><${Head} title=${name} back=${back} /><${Refusal} error=${r.error} /></section>`;
    const editable = may('administer');

    return html`<section class="page">
        <${Head} back=${back} title=${name || (copying ? t('Copy of {0}', params.name) : t('New: {0}', t(entity.title)))}
            about=${name ? html`${t(entity.title)}${noun === 'line' && html`: ${phonesOf(r.record)}`}` : t(of?.about || '')} actions=${name && editable && html`
                <${LinkButton} href=${`/copy/${noun}/${encodeURIComponent(name)}`}>${t('Copy')}</${LinkButton}>
                <${Do} kind="danger" run=${() => remove({ noun, name, record: r })}>${t('Delete')}</${Do}>`} />
        <${Aftermath} answer=${r.done} others=${concerned(noun, name, r.record)} />
        <${Refusal} error=${r.error} />
        ${r.theirs && html`<${Conflict} entity=${entity} base=${r.base} mine=${r.form} theirs=${r.theirs} onTake=${r.take} />`}
        <${EntityForm} entity=${entity} r=${r} name=${name} store=${store} />
    </section>`;
}
