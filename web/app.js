// app.js - the shell: navigation, shortcuts, who is logged in; it shows the page that the address names.
import { Component, html, render, useChanges, useEffect, useState } from './lib/dom.js';
import { address, isAnswering, isEnded, logOut, may, onSession, resume, who } from './lib/api.js';
import { onLive } from './lib/live.js';
import { addKey, allKeys, useKey } from './lib/keys.js';
import { chooseLanguage, language, languages, loadWords, t } from './lib/words.js';
import { go, match, onClick, useLocation } from './lib/router.js';
import { Dialog, Head, Loading, Messages, Notice, Questions } from './lib/parts.js';
import { groups, routes } from './routes.js';

/* --- the navigation --- */

/** @param {{at: string, open: boolean, onClose: () => void}} p */
function Navigation({ at, open, onClose }) {
    const top = `/${at.split('/')[1]}`;
    const item = (/** @type {import('./routes.js').Route} */ r) => html`<li key=${r.path}>
        <a href=${r.path} aria-current=${r.path === top ? 'page' : undefined} onClick=${onClose}>${t(r.title || '')}</a></li>`;

    return html`<nav id="navigation" class=${open ? 'open' : ''} aria-label=${t('Pages')}>
        ${groups.map((g) => {
        const rows = routes.filter((r) => r.nav === g && r.title && (!r.role || may(r.role)));

        return rows.length > 0 && html`<div key=${g} class="group">${g && html`<h2>${t(g)}</h2>`}<ul>${rows.map(item)}</ul></div>`;
    })}
    </nav>`;
}

/* --- the bar --- */

function cycleTheme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;

    root.dataset.theme = dark ? 'light' : 'dark';
    try {
        localStorage.setItem('theme', root.dataset.theme);
    } catch { /* for this page only, then */ }
}

/** The contents of this page for a program.
 * @param {import('./routes.js').Route} route
 * @param {Record<string, string>} params
 * @param {Record<string, string>} query
 * @param {string} at */
function twinOf(route, params, query, at) {
    return route.twin ? address(route.twin(params, query)) : address(at.slice(1), query);
}

/** @param {{twin: string, menu: boolean, onMenu: () => void, onHelp: () => void}} p */
function Bar({ twin, menu, onMenu, onHelp }) {
    const user = who();

    return html`<header class="bar">
        <button type="button" class="button plain menu" aria-label=${t('Menu')} aria-expanded=${menu} aria-controls="navigation" onClick=${onMenu}>☰</button>
        <a class="brand" href="/"><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M4 16c2.4 0 2.4-7 4.8-7s2.4 14 4.8 14 2.4-14 4.8-14 2.4 14 4.8 14 2.4-7 4.8-7" /></svg>Dialtone</a>
        <span class="grow"></span>
        ${twin && html`<a class="button plain twin" href=${twin} target="_blank" title=${t('This page as JSON')} aria-label=${t('This page as JSON')}>${'{ }'}</a>`}
        <select aria-label=${t('Language')} onChange=${(/** @type {any} */ e) => chooseLanguage(e.target.value)}>
            ${Object.entries(languages).map(([id, name]) => html`<option key=${id} value=${id} selected=${id === language()} lang=${id}>${name}</option>`)}</select>
        <button type="button" class="button plain" aria-label=${t('Light or dark')} title=${t('Light or dark')} onClick=${cycleTheme}>◐</button>
        <button type="button" class="button plain wide-only" aria-label=${t('Shortcuts')} title=${t('Shortcuts')} onClick=${onHelp}>?</button>
        ${user && html`<span class="user wide-only">${user.user}</span>
            <button type="button" class="button plain" onClick=${logOut}>${t('Log out')}</button>`}
    </header>`;
}

/** @param {{onClose: () => void}} p */
const Help = ({ onClose }) => html`<${Dialog} title=${t('Shortcuts')} onClose=${onClose}>
    <div class="dialog-body"><dl class="keys">${[...allKeys(), { keys: '↑ ↓ Enter', help: t('In a table: move, open') }, { keys: 'Space', help: t('In a table: select') }].map(
    ({ keys, help }) => html`<div key=${keys}><dt>${keys.split(' ').map((k) => html`<kbd key=${k}>${k}</kbd> `)}</dt><dd>${help}</dd></div>`)}</dl></div>
</${Dialog}>`;

/* --- the page --- */

/** What a page throws stays in that page. */
class Fence extends Component {
    constructor() {
        super();
        this.state = { error: null };
    }
    /**
     * @param {any} error */
    static getDerivedStateFromError(error) {
        return { error };
    }
    render(/** @type {any} */ props, /** @type {any} */ state) {
        if (state.error)
            console.error(state.error);
        return state.error ? html`<${Notice} kind="bad">${t('This page failed: {0}', state.error.message)}</${Notice}>` : props.children;
    }
}

/** @param {{found: ReturnType<typeof match>, query: Record<string, string>}} p */
function Page({ found, query }) {
    const [page, set] = useState(/** @type {any} */ ({}));
    const route = /** @type {import('./routes.js').Route | undefined} */ (found?.row);

    useEffect(() => {
        let live = true;

        document.querySelector('main')?.classList.add('turning');
        route?.page().then((module) => live && set({ route, View: module.default }),
            () => live && set({ route, View: () => html`<${Notice} kind="bad">${t('This page could not be fetched; the server may be newer than the page. Load it again.')}</${Notice}>` }));
        return () => {
            live = false;
        };
    }, [route]);
    if (!route)
        return html`<section class="page"><${Head} title=${t('There is no such page.')} about=${location.pathname} back=${['/', t('Overview')]} /></section>`;
    if (page.route !== route)
        return html`<${Loading} />`;
    return html`<${Fence} key=${location.pathname}><${page.View} params=${found?.params || {}} query=${query} route=${route} /></${Fence}>`;
}

function App() {
    const { path, query } = useLocation();
    const [help, setHelp] = useState(false);
    const [menu, setMenu] = useState(false);
    const [logIn, setLogIn] = useState(/** @type {any} */ (null));
    const found = match(routes, path);
    const user = who();

    useChanges(onSession);
    useEffect(() => {
        if (user === null || isEnded())
            import('./pages/login.js').then(setLogIn);
    }, [user, isEnded()]);
    useEffect(() => (user ? onLive('services', () => {}) : undefined), [user]); /* whether the server is there is known on every page */
    useKey('?', t('Shortcuts'), () => setHelp(true));
    useEffect(() => setMenu(false), [path]);
    useEffect(() => {
        const close = (/** @type {KeyboardEvent} */ e) => e.key === 'Escape' && setMenu(false);

        document.addEventListener('keydown', close);
        return () => document.removeEventListener('keydown', close);
    }, []);
    if (user === undefined)
        return html`<p class="first">Dialtone</p>`;
    if (user === null)
        return logIn && html`<${logIn.default} />`;
    return html`
        <a class="skip" href="#main">${t('To the contents')}</a>
        <${Bar} menu=${menu} onMenu=${() => setMenu(!menu)} onHelp=${() => setHelp(true)}
            twin=${found && twinOf(/** @type {any} */ (found.row), found.params, query, path)} />
        ${!isAnswering() && html`<p class="notice bad away-notice" role="alert">${t('The server does not answer. What is seen here is as it was then; the page asks again until it is back.')}</p>`}
        <div class="body">
            <${Navigation} at=${path} open=${menu} onClose=${() => setMenu(false)} />
            <main id="main" tabindex="-1"><${Page} key=${user.user} found=${found} query=${query} /></main>
        </div>
        <${Messages} /><${Questions} />
        ${help && html`<${Help} onClose=${() => setHelp(false)} />`}
        ${isEnded() && logIn && html`<${logIn.Again} user=${user.user} />`}`;
}

document.addEventListener('click', onClick);
match(routes, location.pathname)?.row.page().catch(() => {}); /* comes while it is asked who is here */
await Promise.all([loadWords(), resume()]);
for (const r of routes)
    if (r.key)
        addKey(`g ${r.key}`, t(r.title || ''), () => go(r.path));
const place = /** @type {Element} */ (document.getElementById('app'));
place.replaceChildren();
render(html`<${App} />`, place);
