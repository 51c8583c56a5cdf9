// form.js - fields of an entity as a form. One component a kind of field; the description says which.
import { html, useEffect, useMemo, useRef, useState } from './dom.js';
import { suggest, useModels } from './schema.js';
import { choice, t, title } from './words.js';

let made = 0;
const useId = () => useMemo(() => `f${++made}`, []);

/** @param {{id: string, f: import('./schema.js').Field, value: any, set: (v: any) => void, disabled?: boolean, label?: string}} p */
function Reference({ id, f, value, set, disabled, label }) {
    const [names, setNames] = useState(/** @type {string[]} */ ([]));
    const timer = useRef(0);
    const ask = (/** @type {string} */ text) => {
        clearTimeout(timer.current);
        timer.current = window.setTimeout(() => suggest(/** @type {string} */ (f.entity), text).then(setNames, () => {}), 120);
    };

    useEffect(() => () => clearTimeout(timer.current), []);
    return html`<span class="with-link">
        <input id=${id} type="text" list=${`${id}-list`} value=${value} disabled=${disabled} aria-label=${label} autocomplete="off"
            onFocus=${() => ask('')} onInput=${(/** @type {any} */ e) => { set(e.target.value); ask(e.target.value); }} />
        <datalist id=${`${id}-list`}>${names.map((n) => html`<option key=${n} value=${n}></option>`)}</datalist>
        ${value && !label && html`<a class="go" href=${`/${f.entity}/${encodeURIComponent(value)}`} aria-label=${t('Open {0}', value)}>→</a>`}
    </span>`;
}

/** @param {{id: string, f: import('./schema.js').Field, value: any, set: (v: any) => void, disabled?: boolean, label?: string}} p */
function Model({ id, f, value, set, disabled, label }) {
    const models = useModels();

    return html`<input id=${id} type="text" list=${`${id}-list`} value=${value === '0' || value === 'any' ? '' : value} disabled=${disabled} aria-label=${label}
            placeholder=${f.any ? t('any') : '7960'} autocomplete="off" onInput=${(/** @type {any} */ e) => set(e.target.value || (f.any ? '0' : ''))} />
        <datalist id=${`${id}-list`}>${models.map((m) => html`<option key=${m.name} value=${m.name}>${m.title}</option>`)}</datalist>`;
}

/** @param {{id: string, f: import('./schema.js').Field, value: any, set: (v: any) => void, disabled?: boolean, label?: string}} p
 * label: where there is no visible one */
function Input({ id, f, value, set, disabled, label }) {
    const take = (/** @type {any} */ e) => set(e.target.value);

    switch (f.kind) {
    case 'flag':
        return html`<input id=${id} type="checkbox" checked=${Boolean(value)} disabled=${disabled} aria-label=${label}
            onChange=${(/** @type {any} */ e) => set(e.target.checked)} />`;
    case 'choice':
        return html`<select id=${id} value=${value} disabled=${disabled} aria-label=${label} onChange=${take}>
            ${(f.choices || []).map((c) => html`<option key=${c} value=${c}>${choice(c)}</option>`)}</select>`;
    case 'number':
        return html`<input id=${id} type="number" min=${f.min} max=${f.max} value=${value} disabled=${disabled} aria-label=${label} onInput=${take} />`;
    case 'secret':
        return html`<input id=${id} type="password" maxlength=${f.max} value=${value} disabled=${disabled} aria-label=${label}
            autocomplete="new-password" placeholder=${t('unchanged')} onInput=${take} />`;
    case 'model':
        return html`<${Model} id=${id} f=${f} value=${value} set=${set} disabled=${disabled} label=${label} />`;
    case 'reference':
        return html`<${Reference} id=${id} f=${f} value=${value} set=${set} disabled=${disabled} label=${label} />`;
    default:
        return html`<input id=${id} type="text" maxlength=${f.max} value=${value} disabled=${disabled} aria-label=${label}
            autocomplete="off" spellcheck="false" onInput=${take} />`;
    }
}

/** Children in order: added, taken away, moved.
 * @param {{f: import('./schema.js').Field, value: any[], set: (v: any[]) => void, disabled?: boolean}} p */
function ListInput({ f, value, set, disabled }) {
    const fields = f.fields || [];
    const id = useId();
    const put = (/** @type {number} */ i, /** @type {any} */ item) => set(value.map((v, k) => (k === i ? item : v)));
    const move = (/** @type {number} */ i, /** @type {number} */ by) => {
        const list = [...value];

        [list[i], list[i + by]] = [list[i + by], list[i]];
        set(list);
    };

    return html`<div class="children">
        ${value.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label=${title(f.title)}><table class="plain"><thead><tr><th scope="col">#</th>
            ${fields.map((c) => html`<th scope="col" key=${c.name}>${title(c.title)}</th>`)}<td></td></tr></thead>
            <tbody>${value.map((item, i) => html`<tr key=${i}><th scope="row">${i + 1}</th>
                ${fields.map((c) => html`<td key=${c.name}><${Input} id=${`${id}-${i}-${c.name}`} f=${c} value=${item[c.name] ?? c.standard} disabled=${disabled}
                    label=${`${title(c.title)} ${i + 1}`} set=${(/** @type {any} */ v) => put(i, { ...item, [c.name]: v })} /></td>`)}
                <td class="moves">
                    <button type="button" class="button plain" disabled=${disabled || !i} aria-label=${t('Up: {0}', i + 1)} onClick=${() => move(i, -1)}>↑</button>
                    <button type="button" class="button plain" disabled=${disabled || i === value.length - 1} aria-label=${t('Down: {0}', i + 1)} onClick=${() => move(i, 1)}>↓</button>
                    <button type="button" class="button plain" disabled=${disabled} aria-label=${t('Remove: {0}', i + 1)}
                        onClick=${() => set(value.filter((_, k) => k !== i))}>✕</button>
                </td></tr>`)}</tbody></table></div>`}
        <button type="button" class="button small" disabled=${disabled}
            onClick=${() => set([...value, Object.fromEntries(fields.map((c) => [c.name, c.standard]))])}>${t('Add a row')}</button>
    </div>`;
}

/** must: it cannot be empty
 * @param {{f: import('./schema.js').Field, must?: boolean, value: any, set: (v: any) => void, disabled?: boolean, changed?: boolean, help?: any}} p */
export function FieldRow({ f, must, value, set, disabled, changed, help }) {
    const id = useId();

    if (f.kind === 'list')
        return html`<fieldset class=${`field is-list ${changed ? 'changed' : ''}`}><legend>${title(f.title)}</legend>
            <${ListInput} f=${f} value=${value || []} set=${set} disabled=${disabled} /></fieldset>`;
    return html`<div class=${`field is-${f.kind} ${changed ? 'changed' : ''}`}>
        <label for=${id}>${title(f.title)}${must ? html`<span class="must" aria-hidden="true"> *</span>` : ''}</label>
        <${Input} id=${id} f=${f} value=${value} set=${set} disabled=${disabled} />
        ${help && html`<p class="help">${help}</p>`}
    </div>`;
}

/** All fields of an entity.
 * @param {{fields: import('./schema.js').Field[], form: any, base?: any, set: (name: string, v: any) => void, disabled?: boolean}} p */
export const Fields = ({ fields, form, base, set, disabled }) => html`<div class="fields">${fields.map((f) =>
    html`<${FieldRow} key=${f.name} f=${f} must=${f.key && f === fields.find((g) => g.key)} value=${form[f.name]} disabled=${disabled} set=${(/** @type {any} */ v) => set(f.name, v)}
        changed=${base && JSON.stringify(base[f.name]) !== JSON.stringify(form[f.name])} />`)}</div>`;
