// api.js - the REST API: who is logged in, requests, refusals, records that two people change, streams.
import { useEffect, useRef, useState } from './dom.js';
import { language, t } from './words.js';

export const BASE = '/api/v1/';

/** Words for the command line are cut off, since here are buttons.
 * @param {string} text */
export const withoutCommand = (text) => text.replace(/[\s:：]+dialtone [a-z-]+ [^"»”]*$/, '.').replace(/[.。]\.$/, '.');

/** A refusal, as problem+json says it.
 * `current`: what the record is now, when somebody else changed it (412). */
export class Problem extends Error {
    /**
     * @param {number} status
     * @param {any} body */
    constructor(status, body) {
        super(withoutCommand(body.detail || body.title || String(status)));
        this.status = status;
        /**
         * @type {any} */
        this.body = body;
        this.current = body.current;
    }
}

/** Who is logged in; role: 0 reads, 1 operates, 2 administers.
 * @type {{user: string, role: number, csrf: string} | null | undefined} undefined: not known yet */
let session;
let ended = false; /* the session, while the page was open: it is kept, so that what is typed stays */
let answers = true; /* the server does */
/** @type {Set<() => void>} */
const watchers = new Set();

export const who = () => session;
export const isEnded = () => ended;
export const isAnswering = () => answers;
export const may = (/** @type {'read' | 'operate' | 'administer'} */ what) =>
    (session?.role ?? -1) >= ['read', 'operate', 'administer'].indexOf(what);

/** @param {() => void} changed */
export function onSession(changed) {
    watchers.add(changed);
    return () => watchers.delete(changed);
}

/** The server answers again, or somebody has logged in again: what may have been missed is to be asked for.
 * @param {() => void} run */
export const onBack = (run) => onSession(() => answers && !ended && session && run());

function tell() {
    for (const changed of watchers)
        changed();
}

function setSession(/** @type {typeof session} */ now) {
    session = now;
    ended = false;
    tell();
}

function end() {
    if (!session || ended)
        return;
    if (session.user === 'setup') { /* its key is worth nothing as soon as somebody has a password */
        setSession(null);
        return;
    }
    ended = true;
    tell();
}

/** Until it answers again it is asked every two seconds.
 * @param {boolean} now */
function setAnswers(now) {
    if (answers === now)
        return;
    answers = now;
    tell();
    if (!now)
        knock();
}

const knock = () => setTimeout(() => resume().then(() => answers || knock()), 2000);

/** "phone/SEP1" from parts of a path, each as it is.
 * @param {...string} parts */
export const path = (...parts) => parts.map(encodeURIComponent).join('/');

/** @param {string} at
 * @param {Record<string, any>} [query] */
export function address(at, query) {
    const words = new URLSearchParams();

    for (const [key, value] of Object.entries(query || {}))
        if (value !== undefined && value !== null && value !== '')
            words.append(key, String(value));
    return `${BASE}${at}?${words}`.replace(/\?$/, '');
}

/** @param {Response} answer */
async function bodyOf(answer) {
    const type = answer.headers.get('Content-Type') || '';

    if (type.includes('json'))
        return answer.json();
    const text = await answer.text();

    return answer.ok ? { text } : { detail: text || answer.statusText };
}

/** @param {string} url
 * @param {RequestInit} o */
async function reach(url, o) {
    try {
        const answer = await fetch(url, o);

        setAnswers(true);
        return answer;
    } catch (error) {
        if (/** @type {any} */ (error).name === 'AbortError')
            throw error;
        setAnswers(false);
        throw new Problem(0, { detail: t('The server does not answer.') });
    }
}

/** One request. What is refused is thrown as a Problem.
 * @param {string} method
 * @param {string} at below BASE
 * @param {{query?: Record<string, any>, body?: any, etag?: string, signal?: AbortSignal, headers?: Record<string, string>}} [o]
 * @returns {Promise<{data: any, etag: string, status: number}>} */
export async function ask(method, at, o = {}) {
    /**
     * @type {Record<string, string>} */
    const headers = { 'Accept-Language': language(), ...o.headers };
    const raw = o.body instanceof Blob;
    const asker = session;

    if (o.body !== undefined && !raw)
        headers['Content-Type'] = 'application/json';
    if (method !== 'GET' && session)
        headers['X-CSRF-Token'] = session.csrf;
    if (o.etag)
        headers['If-Match'] = o.etag;
    const answer = await reach(address(at, o.query), {
        method, headers, signal: o.signal, body: o.body === undefined || raw ? o.body : JSON.stringify(o.body),
    });
    const data = await bodyOf(answer);

    if (answer.ok)
        return { data, etag: answer.headers.get('ETag') || '', status: answer.status };
    if (answer.status === 401 && session === asker) /* not that of somebody who has logged in meanwhile */
        end();
    throw new Problem(answer.status, data);
}

export const get = (/** @type {string} */ at, /** @type {any} */ query) => ask('GET', at, { query });

/** Who is here, asked of the server. A session that was is not forgotten when it has ended, or when nobody answers. */
export async function resume() {
    try {
        const { data } = await get('session');

        if (!session || data.csrf !== session.csrf || ended)
            setSession(data);
    } catch {
        if (!session)
            setSession(null);
    }
}

/** @param {{user?: string, password?: string, key?: string}} by */
export async function logIn(by) {
    setSession((await ask('POST', 'session', { body: by })).data);
}

export async function logOut() {
    try {
        await ask('DELETE', 'session');
    } finally {
        setSession(null);
    }
}

/** What is at an address, asked again when it changes or when `reload` is called. While a newer answer is on its way
 * the older one stays.
 * @param {string | null} at null: nothing is asked
 * @param {Record<string, any>} [query]
 * @param {number} [every] seconds after which it is asked again while the page is seen
 * @returns {{data: any, etag: string, error: Problem | null, loading: boolean, reload: () => void}} */
export function useGet(at, query, every) {
    const key = at === null ? null : address(at, query);
    const [state, set] = useState({ data: /** @type {any} */ (null), etag: '', error: /** @type {any} */ (null), key: /** @type {any} */ ('') });
    const [turn, again] = useState(0);
    const live = useRef(true);

    useEffect(() => {
        const stop = new AbortController();

        if (key === null)
            return undefined;
        ask('GET', /** @type {string} */ (at), { query, signal: stop.signal }).then(
            ({ data, etag }) => set({ data, etag, error: null, key }),
            (error) => error.name !== 'AbortError' && set((old) => ({ ...old, data: old.key === key ? old.data : null, error, key })));
        return () => stop.abort();
    }, [key, turn]);
    useEffect(() => {
        live.current = true;
        const timer = every ? setInterval(() => !document.hidden && !ended && answers && again((n) => n + 1), every * 1000) : 0;
        const stop = onBack(() => again((n) => n + 1));

        return () => {
            live.current = false;
            clearInterval(timer);
            stop();
        };
    }, [every]);
    const fresh = state.key === key;

    return {
        data: fresh || state.data ? state.data : null, etag: state.etag, error: fresh ? state.error : null,
        loading: key !== null && !fresh, reload: () => live.current && again((n) => n + 1),
    };
}

/** Server-sent events; EventSource connects again by itself.
 * @param {string} at
 * @param {Record<string, any>} query
 * @param {(event: any, name: string) => void} on
 * @param {string[]} [names] of events that have one */
export function follow(at, query, on, names = []) {
    const stream = new EventSource(address(at, { ...query, lang: language() }));
    const tell = (/** @type {MessageEvent} */ e) => on(JSON.parse(e.data), e.type);

    stream.onmessage = tell;
    for (const name of names)
        stream.addEventListener(name, /** @type {any} */ (tell));
    return () => stream.close();
}
