// login.js - who are you? The first time the key that the server shows at its start is enough.
import { html, useEffect, useRef, useState } from '../lib/dom.js';
import { logIn, logOut } from '../lib/api.js';
import { go } from '../lib/router.js';
import { Dialog, Refusal } from '../lib/parts.js';
import { chooseLanguage, language, languages, t } from '../lib/words.js';

export default function LogIn() {
    const [first, setFirst] = useState(new URLSearchParams(location.search).has('key'));
    const [form, set] = useState({ user: '', password: '', key: new URLSearchParams(location.search).get('key') || '' });
    const [error, setError] = useState(/** @type {any} */ (null));
    const [busy, setBusy] = useState(false);
    const field = useRef(/** @type {any} */ (null));
    const put = (/** @type {string} */ name) => (/** @type {any} */ e) => set({ ...form, [name]: e.target.value });
    const enter = async (/** @type {Event} */ e) => {
        e.preventDefault();
        setBusy(true);
        try {
            await logIn(first ? { key: form.key.trim() } : { user: form.user, password: form.password });
            if (first)
                go('/setup');
        } catch (refused) {
            setError(refused);
            setBusy(false);
        }
    };

    useEffect(() => {
        document.title = `${t('Log in')} – Dialtone`;
        field.current?.focus();
    }, [first]);
    return html`<main class="login" id="main">
        <form onSubmit=${enter}>
            <h1><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M4 16c2.4 0 2.4-7 4.8-7s2.4 14 4.8 14 2.4-14 4.8-14 2.4 14 4.8 14 2.4-7 4.8-7" /></svg>Dialtone</h1>
            ${first ? html`
                <p>${t('No administrator has a password yet. The server shows a key at its start, and “dialtone status” shows it again.')}</p>
                <label for="key">${t('Key')}</label>
                <input id="key" ref=${field} type="text" class="mono" autocomplete="off" spellcheck="false" required value=${form.key} onInput=${put('key')} />`
        : html`
                <label for="user">${t('User')}</label>
                <input id="user" ref=${field} type="text" autocomplete="username" required value=${form.user} onInput=${put('user')} />
                <label for="password">${t('Password')}</label>
                <input id="password" type="password" autocomplete="current-password" required value=${form.password} onInput=${put('password')} />`}
            <${Refusal} error=${error} />
            <button type="submit" class="button primary" disabled=${busy}>${t('Log in')}</button>
            <button type="button" class="button plain" onClick=${() => { setFirst(!first); setError(null); }}>${first ? t('By name and password') : t('First start: by key')}</button>
            <p class="languages">${Object.entries(languages).map(([id, name]) => html`<button key=${id} type="button" class="button plain" lang=${id}
                aria-pressed=${id === language()} onClick=${() => chooseLanguage(id)}>${name}</button>`)}</p>
        </form>
    </main>`;
}

/** Over a page whose session has ended: what is typed there waits. Somebody else gets the page anew.
 * @param {{user: string}} p who was logged in */
export function Again({ user }) {
    const [form, set] = useState({ user, password: '' });
    const [error, setError] = useState(/** @type {any} */ (null));
    const enter = async (/** @type {Event} */ e) => {
        e.preventDefault();
        try {
            await logIn(form);
        } catch (refused) {
            setError(refused);
        }
    };

    return html`<${Dialog} title=${t('Your session has ended')}><form class="form" onSubmit=${enter}>
        <div class="dialog-body"><p>${t('What you typed is still here: log in again.')}</p>
            <label class="field"><span class="soft">${t('User')}</span>
                <input type="text" autocomplete="username" required value=${form.user} onInput=${(/** @type {any} */ e) => set({ ...form, user: e.target.value })} /></label>
            <label class="field"><span class="soft">${t('Password')}</span>
                <input type="password" autocomplete="current-password" autofocus required value=${form.password} onInput=${(/** @type {any} */ e) => set({ ...form, password: e.target.value })} /></label>
            <${Refusal} error=${error} /></div>
        <footer><button type="button" class="button" onClick=${logOut}>${t('Log out')}</button><button type="submit" class="button primary">${t('Log in')}</button></footer>
    </form></${Dialog}>`;
}
