// schema.js - what an entity is made of, as the API's own description says: lists and forms are made from it.
import { useEffect, useState } from './dom.js';
import { ask, get } from './api.js';

/** @typedef {{name: string, title: string, kind: 'text' | 'secret' | 'number' | 'flag' | 'choice' | 'reference' | 'list' | 'model',
 *   key: boolean, max?: number, min?: number, any?: boolean, standard: any, choices?: string[], entity?: string, fields?: Field[]}} Field
 * @typedef {{noun: string, title: string, fields: Field[]}} Entity */

/** What could not be fetched is asked for again the next time.
 * @param {() => void} drop */
const forget = (drop) => (/** @type {any} */ error) => {
    drop();
    throw error;
};

/** @type {Promise<any> | null} */
let description = null;

/** @param {string} name
 * @param {any} s
 * @returns {Field} */
function fieldOf(name, s) {
    const kind = name === 'model' ? 'model' : s['x-entity'] ? 'reference' : s.format === 'password' ? 'secret' : s.enum ? 'choice'
        : /** @type {any} */ ({ integer: 'number', boolean: 'flag', array: 'list' })[s.type] || 'text';

    return {
        name, title: s.description || name, kind, key: Boolean(s['x-key']), max: s['x-key'] ? undefined : s.maxLength ?? s.maximum, min: s.minimum, any: s['x-any'],
        standard: s['x-default'] ?? (kind === 'list' ? [] : kind === 'flag' ? false : ''), choices: s.enum, entity: s['x-entity'],
        fields: s.type === 'array' ? Object.entries(s.items?.properties || {}).map(([k, v]) => fieldOf(k, v)) : undefined,
    };
}

/** @param {string} noun
 * @returns {Promise<Entity | null>} */
export async function entityOf(noun) {
    description ||= get('openapi.json').then(({ data }) => data.components.schemas, forget(() => { description = null; }));
    const s = (await description)[`${noun}_new`];

    return s ? { noun, title: s.title, fields: Object.entries(s.properties).filter(([, v]) => !v['x-short']).map(([k, v]) => fieldOf(k, v)) } : null;
}

/** undefined: not known yet; null: there is no such entity.
 * @param {string} noun */
export function useEntity(noun) {
    const [state, set] = useState(/** @type {{noun: string, entity: Entity | null | undefined}} */ ({ noun: '', entity: undefined }));

    useEffect(() => {
        entityOf(noun).then((entity) => set({ noun, entity }), () => set({ noun, entity: null }));
    }, [noun]);
    return state.noun === noun ? state.entity : undefined;
}

/** The name of a record: its keys, the second after a slash.
 * @param {Entity} e
 * @param {any} record */
export function keyOf(e, record) {
    return e.fields.filter((f) => f.key).map((f) => record[f.name]).filter((v, i) => !i || v).join('/');
}

/** @type {Promise<any[]> | null} */
let modelRows = null;

/** All device models.
 * @returns {Promise<any[]>} */
export function models() {
    /* in English: what its words say of the screen is drawn */
    modelRows ||= ask('GET', 'model', { headers: { 'Accept-Language': 'en' } }).then(({ data }) => data.items, forget(() => { modelRows = null; }));
    return modelRows;
}

export function useModels() {
    const [rows, set] = useState(/** @type {any[]} */ ([]));

    useEffect(() => {
        models().then(set, () => {});
    }, []);
    return rows;
}

/** A record as a new one would be.
 * @param {Entity} e */
export const blank = (e) => Object.fromEntries(e.fields.map((f) => [f.name, f.standard]));

/** What a form holds of an answer: every field, as the form shows it.
 * @param {Entity} e
 * @param {any} record */
export const formOf = (e, record) => Object.fromEntries(e.fields.map((f) => [f.name,
    f.kind === 'secret' ? '' : f.kind === 'list' ? (record[f.name] || []).map((/** @type {any} */ item) => ({ ...item })) : record[f.name] ?? f.standard]));

const escape = (/** @type {any} */ v) => String(v ?? '').replace(/[\\;,]/g, '\\$&');

/** As the API takes it: lists are texts, children separated by ';', their fields by ','.
 * @param {Field} f
 * @param {any} value */
export function sent(f, value) {
    if (f.kind !== 'list')
        return f.kind === 'flag' ? Boolean(value) : String(value ?? '');
    return value.map((/** @type {any} */ item) => {
        const words = (f.fields || []).map((c) => escape(item[c.name]));

        while (words.length > 1 && !words[words.length - 1])
            words.pop();
        return words.join(',');
    }).join(';');
}

/** The fields that differ.
 * @param {Entity} e
 * @param {any} from
 * @param {any} to */
export const changesOf = (e, from, to) => Object.fromEntries(e.fields
    .filter((f) => sent(f, from[f.name]) !== sent(f, to[f.name])).map((f) => [f.name, sent(f, to[f.name])]));

/** Names of records for a field that refers to them.
 * @param {string} noun
 * @param {string} search */
export async function suggest(noun, search) {
    const e = await entityOf(noun);
    const { data } = await ask('GET', noun, { query: { search, limit: 50 } });

    return e ? data.items.map((/** @type {any} */ r) => keyOf(e, r)) : [];
}
