// phone_add.js - a new phone: what it is and its numbers first; the rest is on its own page afterwards.
import { html, useState } from '../lib/dom.js';
import { ask } from '../lib/api.js';
import { useEntity, useModels } from '../lib/schema.js';
import { FieldRow } from '../lib/form.js';
import { Picture } from '../lib/picture.js';
import { PlanDialog } from '../lib/plan.js';
import { Do, Head, Loading, notesOf, Refusal, say } from '../lib/parts.js';
import { go } from '../lib/router.js';
import { t } from '../lib/words.js';

/** @param {{query: Record<string, string>}} p */
export default function AddPhone({ query }) {
    const e = useEntity('phone');
    const models = useModels();
    const [form, set] = useState(/** @type {any} */ ({ name: query.name || '', model: query.model || '', protocol: '', lines: query.lines || '', speed_dials: '', description: '', pool: 'Default', css: '', template: '', load: '' }));
    const [error, setError] = useState(/** @type {any} */ (null));
    const [plan, setPlan] = useState(/** @type {any} */ (null));
    const model = models.find((m) => m.name.toLowerCase() === form.model.toLowerCase());
    const speaks = model ? model.protocols.split(',') : ['sccp', 'sip'];
    const protocol = speaks.includes(form.protocol) ? form.protocol : speaks[0];
    const put = (/** @type {string} */ name) => (/** @type {any} */ v) => set({ ...form, [name]: v });

    if (!e)
        return html`<${Loading} />`;
    const own = (/** @type {string} */ name) => {
        const f = /** @type {import('../lib/schema.js').Field} */ (e.fields.find((x) => x.name === name));

        return name === 'protocol' ? { ...f, choices: speaks } : f;
    };
    const text = (/** @type {string} */ name, /** @type {string} */ title) => ({ name, title, kind: /** @type {'text'} */ ('text'), key: false, standard: '' });
    const send = (/** @type {any} */ q) => ask('POST', 'phone', { query: q, body: Object.fromEntries(Object.entries({ ...form, protocol }).filter(([, v]) => v !== '')) });
    const attempt = async (/** @type {() => Promise<void>} */ step) => {
        try {
            setError(null);
            await step();
        } catch (refused) {
            setPlan(null);
            setError(refused);
        }
    };
    const add = () => attempt(async () => {
        const { data } = await send({});

        say(notesOf(data));
        go(`/phone/${encodeURIComponent(data.record?.name || form.name)}`);
    });
    const line = (/** @type {string} */ target) => ({ feature: 'line', target });
    const dial = (/** @type {string} */ entry) => ({ feature: 'speed_dial', label: entry.split('=')[0], target: entry.split('=')[1] || '' });
    const parts = (/** @type {string} */ list) => list.split(/[;,]/).map((x) => x.trim()).filter(Boolean);

    return html`<section class="page">
        <${Head} title=${t('Add a phone')} back=${['/phone', t('Phones')]} />
        <${Refusal} error=${error} />
        <form class="form" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); add(); }}>
            <div class="cards">
                <div class="fields">
                    <${FieldRow} f=${own('name')} value=${form.name} set=${put('name')} help=${t('The Ethernet address in any form is enough: 00:11:22:33:44:55.')} />
                    <${FieldRow} f=${own('model')} value=${form.model} set=${put('model')} help=${model ? model.title : t('A product name, as on its back.')} />
                    <${FieldRow} f=${own('protocol')} value=${protocol} set=${put('protocol')} />
                    <${FieldRow} f=${text('lines', t('Numbers'))} value=${form.lines} set=${put('lines')} help=${t('Separated by ; – a partition after a slash: 7001;7002/Berlin')} />
                    <${FieldRow} f=${text('speed_dials', t('Speed dials'))} value=${form.speed_dials} set=${put('speed_dials')} help=${t('Label=number, separated by ;')} />
                    ${['description', 'pool', 'css', 'template', 'load'].map((n) => html`<${FieldRow} key=${n} f=${own(n)} value=${form[n]} set=${put(n)} />`)}
                </div>
                ${model && html`<section class="card picture-card"><h2>${model.title}</h2><${Picture} model=${model} features=${model.keys}
                    record=${{ name: form.name, status: 'registered', description: form.description, buttons: [...parts(form.lines).map(line), ...parts(form.speed_dials).map(dial)] }} /></section>`}
            </div>
            <div class="save-bar dirty"><button type="submit" class="button primary">${t('Add')}</button>
                <${Do} disabled=${!form.name || !form.model} run=${() => attempt(async () => setPlan((await send({ plan: 1 })).data))}>${t('What would happen?')}</${Do}></div>
        </form>
        ${plan && html`<${PlanDialog} plan=${plan} yes=${t('Add')} onClose=${() => setPlan(null)} onYes=${add} />`}
    </section>`;
}
