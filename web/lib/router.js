// router.js - one address, one page. Links are ordinary links; a click on one changes the page without a load.
import { useChanges } from './dom.js';

/** @type {Set<() => void>} */
const watchers = new Set();
/** Says why the page should not be left ('' when it may).
 * @type {() => string} */
let guard = () => '';

function changed() {
    for (const tell of watchers)
        tell();
}

addEventListener('popstate', changed);
addEventListener('beforeunload', (e) => guard() && e.preventDefault());

/** @param {() => string} why */
export function setGuard(why) {
    guard = why;
}

/** @param {string} to
 * @param {boolean} [replace] */
export function go(to, replace) {
    if (!replace && guard() && !confirm(guard()))
        return;
    guard = replace ? guard : () => '';
    history[replace ? 'replaceState' : 'pushState'](null, '', to);
    changed();
    if (!replace)
        scrollTo(0, 0);
}

/** Puts words into the query of the address, without a new page; empty ones go.
 * @param {Record<string, any>} words */
export function setQuery(words) {
    const query = new URLSearchParams(location.search);

    for (const [key, value] of Object.entries(words))
        if (value === '' || value === null || value === undefined)
            query.delete(key);
        else
            query.set(key, String(value));
    go(`${location.pathname}?${query}`.replace(/\?$/, ''), true);
}

export function useLocation() {
    useChanges((tell) => {
        watchers.add(tell);
        return () => watchers.delete(tell);
    });
    return { path: location.pathname, query: Object.fromEntries(new URLSearchParams(location.search)) };
}

/** Clicks on links of ours, from the whole document.
 * @param {MouseEvent} e */
export function onClick(e) {
    const link = e.target instanceof Element ? e.target.closest('a') : null;

    if (!link || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || link.target ||
        link.origin !== location.origin || link.hasAttribute('download') || link.pathname.startsWith('/api/'))
        return;
    e.preventDefault();
    if (link.hash && link.pathname === location.pathname)
        document.getElementById(link.hash.slice(1))?.focus();
    else
        go(link.pathname + link.search);
}

/** The first row whose pattern ("/phone/:name") fits, and what the names stand for.
 * @template {{path: string}} T
 * @param {T[]} rows
 * @param {string} at
 * @returns {{row: T, params: Record<string, string>} | null} */
export function match(rows, at) {
    const words = at.split('/').filter(Boolean);

    for (const row of rows) {
        const wanted = row.path.split('/').filter(Boolean);
        /**
         * @type {Record<string, string>} */
        const params = {};

        if (wanted.length === words.length && wanted.every((w, i) => {
            if (w[0] !== ':')
                return w === words[i];
            try {
                params[w.slice(1)] = decodeURIComponent(words[i]);
                return true;
            } catch {
                return false;
            }
        }))
            return { row, params };
    }
    return null;
}
