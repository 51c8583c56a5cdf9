// phones_bulk.js - the same change to many phones at once: only the fields that are ticked.
import { html, useState } from '../lib/dom.js';
import { ask, path } from '../lib/api.js';
import { blank, sent, useEntity } from '../lib/schema.js';
import { FieldRow } from '../lib/form.js';
import { Dialog, Loading, Notice, say } from '../lib/parts.js';
import { number, t, title } from '../lib/words.js';

const single = ['name', 'buttons', 'activation_code', 'activation_until', 'auto_registered', 'quarantine']; /* of one phone only */

/** @param {{names: string[], onClose: (done: boolean) => void}} p */
export function BulkEdit({ names, onClose }) {
    const e = useEntity('phone');
    const [form, set] = useState(/** @type {any} */ ({}));
    const [done, setDone] = useState(-1);
    const [failed, fail] = useState(/** @type {string[]} */ ([]));
    const ticked = Object.keys(form);

    if (!e)
        return html`<${Dialog} title=${t('Change {0} phones', number(names.length))} onClose=${() => onClose(false)}><${Loading} /></${Dialog}>`;
    const tick = (/** @type {string} */ name) => {
        const { [name]: was, ...rest } = form;

        set(was === undefined ? { ...form, [name]: blank(e)[name] } : rest);
    };
    const save = async () => {
        const body = Object.fromEntries(e.fields.filter((f) => f.name in form).map((f) => [f.name, sent(f, form[f.name])]));
        const refused = [];

        for (const [i, name] of names.entries()) {
            setDone(i);
            try {
                await ask('PATCH', path('phone', name), { body });
            } catch (error) {
                refused.push(`${name}: ${/** @type {any} */ (error).message}`);
                if (refused.length >= 20)
                    break;
            }
        }
        setDone(-1);
        fail(refused);
        if (!refused.length) {
            say(t('{0} phones changed. Those that are registered see it after a reset.', number(names.length)));
            onClose(true);
        }
    };

    return html`<${Dialog} title=${t('Change {0} phones', number(names.length))} onClose=${() => onClose(false)} wide>
        <div class="dialog-body">
            <p>${t('Tick what is to change; everything else stays as it is on each phone.')}</p>
            ${failed.length > 0 && html`<${Notice} kind="bad">${failed.map((f) => html`<p key=${f}>${f}</p>`)}</${Notice}>`}
            <div class="fields bulk">${e.fields.filter((f) => !single.includes(f.name)).map((f) => html`<div key=${f.name} class="bulk-field">
                <label><input type="checkbox" checked=${f.name in form} onChange=${() => tick(f.name)} /> ${title(f.title)}</label>
                ${f.name in form && html`<${FieldRow} f=${f} value=${form[f.name]} set=${(/** @type {any} */ v) => set({ ...form, [f.name]: v })} />`}
            </div>`)}</div>
        </div>
        <footer>${done >= 0 && html`<progress max=${names.length} value=${done} aria-label=${t('Change {0} phones', number(names.length))}></progress>`}
            <button type="button" class="button" onClick=${() => onClose(failed.length > 0)}>${t('Cancel')}</button>
            <button type="button" class="button primary" disabled=${!ticked.length || done >= 0} onClick=${save}>${t('Change {0} phones', number(names.length))}</button></footer>
    </${Dialog}>`;
}
