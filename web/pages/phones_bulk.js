// phones_bulk.js - the same change to many phones at once: only the fields that are ticked.
import { html, useState } from '../lib/dom.js';
import { ask } from '../lib/api.js';
import { PlanView } from '../lib/plan.js';
import { blank, sent, useEntity } from '../lib/schema.js';
import { FieldRow } from '../lib/form.js';
import { Dialog, Do, Loading, Refusal } from '../lib/parts.js';
import { number, t, title } from '../lib/words.js';

const single = ['name', 'buttons', 'activation_code', 'activation_until', 'auto_registered', 'quarantine']; /* of one phone only */

/** @param {{names: string[], onClose: (answer: any) => void}} p */
export function BulkEdit({ names, onClose }) {
    const e = useEntity('phone');
    const [form, set] = useState(/** @type {any} */ ({}));
    const [plan, setPlan] = useState(/** @type {any} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const ticked = Object.keys(form);

    if (!e)
        return html`<${Dialog} title=${t('Change {0} phones', number(names.length))} onClose=${() => onClose(null)}><${Loading} /></${Dialog}>`;
    const tick = (/** @type {string} */ name) => {
        const { [name]: was, ...rest } = form;

        set(was === undefined ? { ...form, [name]: blank(e)[name] } : rest);
    };
    const send = (/** @type {any} */ query) => ask('POST', 'phone/bulk', { query, body: { action: 'set', names,
        set: Object.fromEntries(e.fields.filter((f) => f.name in form).map((f) => [f.name, sent(f, form[f.name])])) } });
    const attempt = async (/** @type {() => Promise<void>} */ step) => {
        try {
            setError(null);
            await step();
        } catch (refused) {
            setError(refused);
        }
    };
    const look = () => attempt(async () => setPlan((await send({ plan: 1 })).data));
    const save = () => attempt(async () => onClose((await send({})).data));

    return html`<${Dialog} title=${t('Change {0} phones', number(names.length))} onClose=${() => onClose(null)} wide>
        <div class="dialog-body">
            <p>${t('Tick what is to change; everything else stays as it is on each phone.')}</p>
            <${Refusal} error=${error} />${error?.body?.faults?.length > 1 && html`<ul>${error.body.faults.slice(0, 10).map((/** @type {any} */ f, /** @type {number} */ i) => html`<li key=${i}>${f.text}</li>`)}</ul>`}
            ${plan && html`<${PlanView} plan=${plan} />`}
            <div class="fields bulk">${e.fields.filter((f) => !single.includes(f.name)).map((f) => html`<div key=${f.name} class="bulk-field">
                <label><input type="checkbox" checked=${f.name in form} onChange=${() => tick(f.name)} /> ${title(f.title)}</label>
                ${f.name in form && html`<${FieldRow} f=${f} value=${form[f.name]} set=${(/** @type {any} */ v) => set({ ...form, [f.name]: v })} />`}
            </div>`)}</div>
        </div>
        <footer><button type="button" class="button" onClick=${() => onClose(null)}>${t('Cancel')}</button>
            <${Do} disabled=${!ticked.length} run=${look}>${t('What would happen?')}</${Do}>
            <${Do} kind="primary" disabled=${!ticked.length} run=${save}>${t('Change {0} phones', number(names.length))}</${Do}></footer>
    </${Dialog}>`;
}
