// keys.js - shortcuts: a list that the help shows, and who listens. A key with a modifier belongs to the browser, and
// what is typed into a field belongs to the field.
import { useEffect } from './dom.js';

/** @type {{keys: string, help: string, run: (e: KeyboardEvent) => void}[]} */
const shortcuts = [];
let before = ''; /* the first key of two */

const inField = (/** @type {EventTarget | null} */ at) =>
    at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));

addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || (inField(e.target) && e.key !== 'Escape') ||
        document.querySelector('dialog[open]'))
        return;
    const newest = [...shortcuts].reverse();
    const hit = newest.find((s) => s.keys === `${before} ${e.key}`) || newest.find((s) => s.keys === e.key);

    before = shortcuts.some((s) => s.keys.startsWith(`${e.key} `)) && !hit ? e.key : '';
    if (hit) {
        e.preventDefault();
        hit.run(e);
    }
});

/** @param {string} keys "?" or "g p"
 * @param {string} help
 * @param {(e: KeyboardEvent) => void} run */
export function addKey(keys, help, run) {
    const row = { keys, help, run };

    shortcuts.push(row);
    return () => {
        shortcuts.splice(shortcuts.indexOf(row), 1);
    };
}

/** A shortcut as long as the component is seen.
 * @param {string} keys
 * @param {string} help
 * @param {(e: KeyboardEvent) => void} run
 * @param {any[]} [inputs] */
export function useKey(keys, help, run, inputs = []) {
    useEffect(() => addKey(keys, help, run), [keys, help, ...inputs]);
}

export const allKeys = () => shortcuts.map(({ keys, help }) => ({ keys, help }));
