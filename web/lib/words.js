// words.js - what is said, in the language of the reader. A sentence is its own key: t('Phones'); words/fr.js and
// words/zh.js say it otherwise, and tests/system/test_pages.py fails when one of them lacks a sentence.

/** @type {Record<string, string>} */
let table = {};
export const languages = { en: 'English', fr: 'Français', zh: '中文' };
export const language = () => document.documentElement.lang;

/** @param {string} text with {0}, {1} … where `values` go
 * @param {...any} values */
export function t(text, ...values) {
    return (table[text] ?? text).replace(/\{(\d)\}/g, (_, n) => String(values[n]));
}

/** The same with a capital, for words that tables of the server have in small letters.
 * @param {string} text */
export function title(text) {
    const said = table[text] ?? t(text.slice(0, 1).toUpperCase() + text.slice(1));

    return said.slice(0, 1).toLocaleUpperCase(language()) + said.slice(1);
}

/** A choice of a list of the API: "off_hook", "none".
 * @param {string} word */
export const choice = (word) => (word === 'on' ? t('yes') : word === 'off' ? t('no') : t(word.replace(/_/g, ' ')));

export async function loadWords() {
    const wanted = language();

    table = wanted === 'en' ? {} : (await import(`../words/${wanted}.js`)).default;
}

/** @param {string} wanted */
export function chooseLanguage(wanted) {
    try {
        localStorage.setItem('language', wanted);
    } catch { /* for this page only, then */ }
    location.reload();
}

const locale = () => ({ en: undefined, fr: 'fr', zh: 'zh-CN' })[language()];

/* Made once: each costs as much as a row of a table. */
const clock = new Intl.DateTimeFormat(locale(), { timeStyle: 'medium', hourCycle: 'h23' });
const calendar = new Intl.DateTimeFormat(locale(), { dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' });
const figures = new Intl.NumberFormat(locale());

/** @param {number | null | undefined} n */
export const number = (n) => (n === null || n === undefined ? '' : figures.format(n));

/** A moment: today's by the clock, others with their day.
 * @param {string | number | null | undefined} when RFC 3339 or seconds */
export function time(when) {
    if (!when)
        return '';
    const at = new Date(typeof when === 'number' ? when * 1000 : when);

    if (Number.isNaN(at.getTime()))
        return String(when);
    const today = at.toDateString() === new Date().toDateString();

    return (today ? clock : calendar).format(at);
}

/** "3 d 4 h"
 * @param {number} seconds */
export function duration(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];

    if (d)
        return t('{0} d {1} h', d, h);
    if (h)
        return t('{0} h {1} min', h, m);
    return m ? t('{0} min', m) : t('{0} s', s);
}
