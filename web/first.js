/* first.js - before anything is drawn: the theme and language that were chosen here. A classic script, so that it is
 * run at once. */
(() => {
    const root = document.documentElement;
    const kept = (name) => {
        try {
            return localStorage.getItem(name) || '';
        } catch {
            return ''; /* storage is forbidden: defaults */
        }
    };
    const languages = ['en', 'fr', 'zh'];
    const wanted = [kept('language'), ...navigator.languages].map((l) => l.slice(0, 2).toLowerCase());

    root.lang = wanted.find((l) => languages.includes(l)) || 'en';
    if (kept('theme'))
        root.dataset.theme = kept('theme');
})();
