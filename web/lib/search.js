// search.js - the field that narrows a list; "/" goes there. What is typed stands in the address.
import { html, useEffect, useRef, useState } from './dom.js';
import { useKey } from './keys.js';
import { setQuery } from './router.js';
import { t } from './words.js';

/** @param {{query: Record<string, string>, hint?: string, children?: any}} p */
export function Search({ query, hint, children }) {
    const field = useRef(/** @type {any} */ (null));
    const timer = useRef(0);
    const [text, set] = useState(query.search || '');

    useKey('/', t('Search'), () => field.current.focus());
    useEffect(() => () => clearTimeout(timer.current), []);
    useEffect(() => {
        if (document.activeElement !== field.current)
            set(query.search || '');
    }, [query.search]);
    const type = (/** @type {any} */ e) => {
        const wanted = e.target.value;

        set(wanted);
        clearTimeout(timer.current);
        timer.current = window.setTimeout(() => setQuery({ search: wanted }), 20);
    };
    const onKeyDown = (/** @type {KeyboardEvent} */ e) => {
        if (e.key === 'Escape') {
            type({ target: { value: '' } });
            field.current.blur();
        } else if (e.key === 'ArrowDown' || e.key === 'Enter') {
            e.preventDefault();
            /**
             * @type {HTMLElement | null} */ (document.querySelector('.table tbody tr[tabindex="0"]'))?.focus();
        }
    };

    return html`<div class="search" role="search">
        <input ref=${field} type="search" value=${text} placeholder=${hint || t('Search')} aria-label=${t('Search')} onInput=${type} onKeyDown=${onKeyDown} />
        ${children}
    </div>`;
}
