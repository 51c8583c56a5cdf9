// files.js - files that come from the server and go there, without leaving the page when one is refused.
import { address, Problem } from './api.js';
import { language } from './words.js';

/** Fetches a file and gives it to the reader's downloads.
 * @param {string} at
 * @param {Record<string, any>} query
 * @param {string} otherwise its name when the server says none */
export async function download(at, query, otherwise) {
    const answer = await fetch(address(at, query), { headers: { 'Accept-Language': language() } });

    if (!answer.ok)
        throw new Problem(answer.status, await answer.json().catch(() => ({})));
    const named = /filename="?([^";]+)/.exec(answer.headers.get('Content-Disposition') || '');
    const link = document.createElement('a');

    link.href = URL.createObjectURL(await answer.blob());
    link.download = named ? named[1] : otherwise;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** "1.4 MB"
 * @param {number | null | undefined} bytes */
export function size(bytes) {
    let n = Number(bytes) || 0;

    for (const unit of ['B', 'kB', 'MB', 'GB']) {
        if (n < 1000 || unit === 'GB')
            return `${n < 10 && unit !== 'B' ? n.toFixed(1) : Math.round(n)} ${unit}`;
        n /= 1000;
    }
    return '';
}
