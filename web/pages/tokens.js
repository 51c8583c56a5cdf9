// tokens.js - what programs show instead of a log-in: made here, told once, worth nothing when they are deleted.
import { html, useState } from '../lib/dom.js';
import { ask, path, useGet } from '../lib/api.js';
import { confirmed, Do, Head, Loading, Notice, Refusal, say } from '../lib/parts.js';
import { t, title } from '../lib/words.js';

const roles = () => /** @type {[string, string][]} */ ([['viewer', t('may read')], ['operator', t('may reset and start, too')], ['administrator', t('may do everything')]]);

/** @param {{made: (token: any) => void}} p */
function Make({ made }) {
    const [form, set] = useState({ name: '', description: '', role: 'viewer', expires: '' });
    const [error, setError] = useState(/** @type {any} */ (null));
    const put = (/** @type {string} */ name) => (/** @type {any} */ e) => set({ ...form, [name]: e.target.value });
    const make = async (/** @type {Event} */ e) => {
        e.preventDefault();
        setError(null);
        try {
            const { data } = await ask('POST', 'token', { body: Object.fromEntries(Object.entries(form).filter(([, v]) => v)) });

            made({ name: form.name, token: data.record?.token || data.token });
            set({ name: '', description: '', role: 'viewer', expires: '' });
        } catch (refused) {
            setError(refused);
        }
    };

    return html`<form class="card form" onSubmit=${make}><h2>${t('A new token')}</h2><div class="fields bare">
        <label class="field"><span class="soft">${t('Name')}</span><input type="text" required maxlength="64" autocomplete="off" value=${form.name} onInput=${put('name')} /></label>
        <label class="field"><span class="soft">${t('What for')}</span><input type="text" maxlength="100" autocomplete="off" value=${form.description} onInput=${put('description')} /></label>
        <label class="field"><span class="soft">${t('Role')}</span><select onChange=${put('role')}>${roles().map(([v, words]) => html`<option key=${v} value=${v} selected=${v === form.role}>${title(v)}: ${words}</option>`)}</select></label>
        <label class="field"><span class="soft">${t('Last day (empty: no end)')}</span><input type="date" value=${form.expires} onInput=${put('expires')} /></label></div>
        <${Refusal} error=${error} /><div class="actions"><button type="submit" class="button primary">${t('Make it')}</button></div></form>`;
}

export default function Tokens() {
    const { data, error, reload } = useGet('token', { limit: 1000 });
    const [made, setMade] = useState(/** @type {any} */ (null));
    const drop = async (/** @type {string} */ name) => {
        if (!await confirmed(t('Delete {0}?', name), { yes: t('Delete'), danger: true, about: t('Programs that show it are refused from then on.') }))
            return;
        await ask('DELETE', path('token', name));
        reload();
    };

    return html`<section class="page">
        <${Head} title=${t('Tokens')} about=${t('For programs that cannot log in each day: Authorization: Bearer dt_…')} />
        ${made && html`<${Notice} kind="good"><p>${t('The token of {0}, for this one time:', made.name)}</p><p class="mono token">${made.token}</p>
            <div class="actions"><${Do} kind="small" run=${() => navigator.clipboard.writeText(made.token).then(() => say(t('Copied.')))}>${t('Copy')}</${Do}></div></${Notice}>`}
        <${Refusal} error=${error} />
        ${!data ? !error && html`<${Loading} />` : html`<div class="card scroll" tabindex="0" role="region" aria-label=${t('Tokens')}>${!data.items.length ? html`<p class="soft">${t('There are none.')}</p>` : html`<table class="plain"><thead><tr>
            <th scope="col">${t('Name')}</th><th scope="col">${t('Role')}</th><th scope="col">${t('Last day')}</th><th scope="col">${t('Who made it')}</th><th scope="col">${t('What for')}</th><th scope="col">${t('Action')}</th></tr></thead>
            <tbody>${data.items.map((/** @type {any} */ k) => html`<tr key=${k.name}><th scope="row">${k.name}</th><td>${title(k.role)}</td><td>${k.expires || t('no end')}</td><td>${k.owner}</td><td>${k.description}</td>
                <td><${Do} kind="small danger" label=${t('Delete {0}', k.name)} run=${() => drop(k.name)}>${t('Delete')}</${Do}></td></tr>`)}</tbody></table>`}</div>
        <${Make} made=${(/** @type {any} */ token) => { setMade(token); reload(); }} />`}
    </section>`;
}
