// rows.js - a long list of the API, fetched as it is looked at: page after page, never the whole at once.
import { useChanges, useEffect, useMemo } from './dom.js';
import { ask } from './api.js';

const FIRST = 100, /* rows of the first page: a screen */
    MORE = 500;

export class List {
    /**
     * @param {string} at
     * @param {Record<string, any>} query */
    constructor(at, query) {
        this.at = at;
        this.query = query;
        /**
         * @type {any[]} */
        this.rows = [];
        /**
         * @type {number | null} rows there are, when the server knows */
        this.total = null;
        this.next = '';
        this.done = false;
        this.busy = false;
        /**
         * @type {any} */
        this.error = null;
        this.wanted = 0;
        this.changed = () => {};
        this.stop = new AbortController();
    }

    /** Rows that the table has room for: those that are here, and those that are known to follow. */
    get count() {
        return this.done ? this.rows.length : Math.max(this.total ?? 0, this.rows.length + 1);
    }

    /** Row `to` is about to be seen.
     * @param {number} to */
    async need(to) {
        this.wanted = Math.max(this.wanted, to);
        if (this.busy || this.done)
            return;
        this.busy = true;
        try {
            while (!this.done && this.rows.length <= this.wanted)
                await this.fetch();
        } catch (error) {
            if (/** @type {any} */ (error).name === 'AbortError')
                return;
            this.error = error;
            this.done = true;
        }
        this.busy = false;
        this.changed();
    }

    async fetch() {
        const far = this.wanted - this.rows.length > MORE;
        const limit = this.rows.length ? (far ? 1000 : MORE) : FIRST;
        const { data } = await ask('GET', this.at, { query: { ...this.query, limit, after: this.next }, signal: this.stop.signal });

        this.rows.push(...(data.items || []));
        this.total = data.total ?? this.total;
        this.next = data.next || '';
        this.done = !this.next;
        this.changed();
    }
}

/** A list that follows its query. While a new one has nothing yet, the old one is still shown.
 *
 * @param {string} at
 * @param {Record<string, any>} query
 * @param {any} [turn] anything that changes when it is to be asked anew */
export function useList(at, query, turn) {
    const key = JSON.stringify([at, query, turn]);
    const kept = useMemo(() => ({ shown: /** @type {List | null} */ (null) }), []);
    const list = useMemo(() => new List(at, query), [key]);

    useChanges((changed) => {
        list.changed = changed;
        return () => {};
    }, [list]);
    useEffect(() => {
        list.need(0);
        return () => list.stop.abort();
    }, [list]);
    if (list.rows.length || list.done || !kept.shown)
        kept.shown = list;
    return kept.shown;
}
