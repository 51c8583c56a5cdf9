// live.js - what happens on the server, as it happens: one stream for the whole page.
import { BASE, isEnded, may, onBack, onSession, resume } from './api.js';
import { useEffect, useState } from './dom.js';
import { language } from './words.js';

const kinds = ['phones', 'events', 'services', 'findings', 'directory'];
/** @type {Map<string, Set<(data: any) => void>>} */
const listeners = new Map(kinds.map((k) => [k, new Set()]));
/** @type {Map<string, any>} what was said last of each kind */
const last = new Map();
/** @type {EventSource | null} */
let stream = null;

function open() {
    stream = new EventSource(`${BASE}live?lang=${language()}`);
    for (const kind of kinds)
        stream.addEventListener(kind, (/** @type {MessageEvent} */ e) => {
            const data = JSON.parse(e.data);
            const first = !last.has(kind);

            last.set(kind, data);
            if (first && kind === 'directory')
                return; /* how it is at the beginning is no change */
            for (const tell of listeners.get(kind) || [])
                tell(data);
        });
    stream.onerror = () => {
        resume(); /* perhaps the session has ended, or the server */
        if (stream?.readyState === EventSource.CLOSED) {
            close();
            setTimeout(reopen, 5000);
        }
    };
}

function close() {
    stream?.close();
    stream = null;
    last.clear();
}

function reopen() {
    if (may('read') && !isEnded() && !stream)
        open();
}

onBack(reopen);
onSession(() => {
    if (!may('read'))
        close();
});

/** @param {string} kind phones, events, services, findings or directory
 * @param {(data: any) => void} tell
 * @returns {() => void} how to stop */
export function onLive(kind, tell) {
    const set = /** @type {Set<any>} */ (listeners.get(kind));

    set.add(tell);
    if (!stream && may('read'))
        open();
    return () => {
        set.delete(tell); /* the stream stays: the next page listens too, and a session has a few only */
    };
}

/** What was said last of that kind; null: nothing yet.
 * @param {string} kind */
export function useLive(kind) {
    const [data, set] = useState(last.get(kind) ?? null);

    useEffect(() => onLive(kind, set), [kind]);
    return data;
}
