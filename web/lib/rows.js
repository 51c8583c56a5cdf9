// rows.js - a long list of the API, fetched as it is looked at: never the whole at once. Entities are read from any
// place (offset), other lists from their beginning on (after).
import { useChanges, useEffect, useMemo } from './dom.js';
import { ask, onBack } from './api.js';
import { onLive } from './live.js';
import { sortable } from '../routes.js';

const PAGE = 100; /* rows of a request */
const MOMENT = 2200; /* ms; so long the server may tell a list by states as it was */

export class List {
    /**
     * @param {string} at
     * @param {Record<string, any>} query */
    constructor(at, query) {
        this.at = at;
        this.anywhere = sortable.has(at);
        this.query = query;
        /**
         * @type {any[]} by place; what is not here yet is a hole */
        this.rows = [];
        /**
         * @type {number | null} rows there are, when the server has said */
        this.total = null;
        this.next = '';
        this.done = false; /* how many there are is known */
        this.busy = false;
        this.stale = false; /* something changed while it was busy */
        /**
         * @type {any} */
        this.error = null;
        /** @type {[number, number]} */
        this.view = [0, 1];
        this.changed = () => {};
        this.stop = new AbortController();
    }

    /** Rows that the table has room for: those that are here, and those that are known to follow. */
    get count() {
        return this.done ? this.total ?? this.rows.length : Math.max(this.total ?? 0, this.rows.length + 1);
    }

    /** These rows are about to be seen.
     * @param {number} from
     * @param {number} to */
    async need(from, to) {
        this.view = [from, to];
        if (this.busy || this.error)
            return;
        this.busy = true;
        try {
            for (let place = this.missing(); place >= 0; place = this.missing())
                await this.fetch(place);
        } catch (error) {
            if (/** @type {any} */ (error).name === 'AbortError')
                return;
            this.error = error;
            this.done = true;
        }
        this.rest();
    }

    /** What changed while it was busy is asked for now. */
    rest() {
        this.busy = false;
        this.changed();
        if (this.stale)
            this.refresh();
    }

    /** The first place to fetch, or -1. */
    missing() {
        const [from, to] = this.view;

        if (!this.anywhere)
            return !this.done && this.rows.length < to ? this.rows.length : -1;
        for (let i = Math.max(0, from); i < Math.min(to, this.total ?? 1); i++)
            if (!this.rows[i])
                return i - (i % PAGE);
        return this.total === null ? 0 : -1;
    }

    /**
     * @param {number} place */
    async fetch(place) {
        const limit = PAGE;
        const { data } = await ask('GET', this.at, { signal: this.stop.signal,
            query: { ...this.query, limit, ...(this.anywhere ? { offset: place } : { after: this.next }) } });

        (data.items || []).forEach((/** @type {any} */ row, /** @type {number} */ i) => {
            this.rows[place + i] = row;
        });
        if (this.anywhere) {
            this.total = Math.max(data.total ?? 0, 0);
            if (!data.items.length && place < this.total)
                this.total = place; /* it has become shorter meanwhile */
            this.done = true;
        } else {
            this.total = data.total ?? null;
            this.next = data.next || '';
            this.done = !this.next;
            if (this.done)
                this.total = this.rows.length;
        }
        this.changed();
    }

    /** What is seen is read again, the rest forgotten. */
    async refresh() {
        const page = this.view[0] - (this.view[0] % PAGE);

        this.stale = this.busy;
        if (this.busy || this.error)
            return;
        if (!this.anywhere && this.rows.length > PAGE)
            return; /* a list that is walked is not walked again under its reader */
        this.busy = true;
        try {
            const seen = this.rows;

            this.next = '';
            this.rows = [];
            for (let place = this.anywhere ? page : 0; place < Math.max(this.view[1], 1) && (place === page || place < this.count); place += PAGE) {
                const fresh = this.rows;

                this.rows = [];
                await this.fetch(place).finally(() => {
                    const got = this.rows;

                    this.rows = fresh;
                    got.forEach((row, i) => {
                        this.rows[i] = row;
                    });
                });
                if (!this.anywhere)
                    break;
            }
            if (!this.rows.length)
                this.rows = this.total ? seen : [];
        } catch { /* what was seen stays; the next change asks again */ }
        this.rest();
    }

    /** What was refused, or seen before the server was away. */
    again() {
        if (!this.error)
            return this.refresh();
        this.error = null;
        this.done = false;
        return this.need(...this.view);
    }

    /** Rows that are here get what is new of them.
     * @param {any[]} changed */
    patch(changed) {
        const fresh = new Map(changed.map((row) => [row.name, row]));
        let any = false;

        this.rows.forEach((row, i) => {
            if (row && fresh.has(row.name)) {
                this.rows[i] = { ...row, ...fresh.get(row.name) };
                any = true;
            }
        });
        if (any)
            this.changed();
    }
}

/** Which phones are in it, or in which order, depends on how they are.
 * @param {Record<string, any>} query */
const isOfState = (query) => Boolean(query.status) || /^-?(status|since|address)$/.test(query.sort || '');

/** A list that follows its query, and what happens. While a new one has nothing yet, the old one is still shown.
 * @param {string} at
 * @param {Record<string, any>} query
 * @param {any} [turn] anything that changes when it is to be asked anew */
export function useList(at, query, turn) {
    const key = JSON.stringify([at, query]);
    const kept = useMemo(() => ({ shown: /** @type {List | null} */ (null) }), []);
    const list = useMemo(() => new List(at, query), [key]);

    useChanges((changed) => {
        list.changed = changed;
        return () => {};
    }, [list]);
    useEffect(() => {
        list.need(0, 60);
        return () => list.stop.abort();
    }, [list]);
    useEffect(() => {
        if (turn)
            list.refresh();
    }, [turn]);
    useEffect(() => {
        let later = 0;
        const stops = [() => clearTimeout(later), onLive('directory', () => list.refresh()), onBack(() => list.again())];

        if (at === 'phone')
            stops.push(onLive('phones', (now) => {
                list.patch(now.changed || []);
                if (now.complete === false)
                    list.refresh();
                if (now.changed?.length && isOfState(query))
                    later ||= window.setTimeout(() => {
                        later = 0;
                        list.refresh();
                    }, MOMENT);
            }));
        return () => stops.forEach((stop) => stop());
    }, [list]);
    if (list.rows.length || list.done || !kept.shown)
        kept.shown = list;
    return kept.shown;
}
