// phone_capture.js - the packets of one phone while they pass: start, look, stop, download.
import { html, useEffect, useState } from '../lib/dom.js';
import { address, ask, may, path, useGet } from '../lib/api.js';
import { Do, LinkButton, Notice, notesOf, Refusal, Rows, say, State } from '../lib/parts.js';
import { download, size } from '../lib/files.js';
import { Recording } from '../lib/packets.js';
import { number, t } from '../lib/words.js';

const MOST = 300; /* packets that are shown */
const LARGE = 3e6; /* bytes: what is longer is read elsewhere */

/** What a recording holds so far, read again while it grows.
 * @param {any} capture its row of the list; undefined: none */
function usePackets(capture) {
    const [state, set] = useState({ name: '', packets: /** @type {any[]} */ ([]), count: 0, error: /** @type {any} */ (null) });
    const name = capture?.name || '';

    useEffect(() => {
        const recording = new Recording();
        const stop = new AbortController();
        let timer = 0;
        const read = async () => {
            try {
                const answer = await fetch(address(`${path('capture', name)}/fetch`), { signal: stop.signal });
                const bytes = answer.ok ? await answer.arrayBuffer() : new ArrayBuffer(0);

                recording.take(bytes, MOST);
                set({ name, packets: [...recording.packets].reverse(), count: recording.count, error: null });
            } catch (error) {
                if (/** @type {any} */ (error).name !== 'AbortError')
                    set((old) => ({ ...old, name, error }));
            }
            if (capture?.state === 'running' && recording.read < LARGE)
                timer = window.setTimeout(read, 1000);
        };

        if (name && !(capture.bytes > LARGE))
            read();
        return () => {
            stop.abort();
            clearTimeout(timer);
        };
    }, [name, capture?.state]);
    return state.name === name ? state : { packets: [], count: 0, error: null };
}

/** @param {{packets: any[], begin: number}} p */
const Packets = ({ packets, begin }) => html`<${Rows} label=${t('Packets')} empty=${t('Nothing has passed yet: restart the phone to see it register.')} columns=${[t('s'), t('From'), t('To'), t('Protocol'), t('What')]}
    rows=${packets.map((p) => [html`<span class="mono">${(p.at - begin).toFixed(3)}</span>`, html`<span class="mono">${p.from}</span>`, html`<span class="mono">${p.to}</span>`,
        p.protocol, html`<span class="mono">${p.what}</span> <span class="soft">${t('{0} bytes', number(p.length))}</span>`])} />`;

/** @param {{name: string}} p */
export function Capture({ name }) {
    const list = useGet('capture', {}, 2);
    const ours = (list.data?.items || []).filter((/** @type {any} */ c) => c.phone === name);
    const running = ours.find((/** @type {any} */ c) => c.state === 'running');
    const shown = running || [...ours].sort((a, b) => (a.name < b.name ? 1 : -1))[0];
    const seen = usePackets(shown);
    const begin = Math.min(...seen.packets.map((p) => p.at));

    if (!may('administer'))
        return html`<${Notice}>${t('Only administrators record packets.')}</${Notice}>`;
    return html`<section class="card form"><h2>${t('Live capture')}</h2>
        <p class="soft">${t('What passes between this phone and the server, as it passes. It ends by itself after five minutes or 10 MB.')}</p>
        <div class="actions">${running ? html`<${Do} kind="primary" run=${async () => { await ask('POST', `${path('capture', running.name)}/stop`, { body: {} }); list.reload(); }}>${t('Stop')}</${Do}>`
        : html`<${Do} kind="primary" run=${async () => { say(notesOf((await ask('POST', 'capture/start', { body: { phone: name, duration: '5m' } })).data)); list.reload(); }}>${t('Start')}</${Do}>`}
            ${shown && html`<${Do} run=${() => download(`${path('capture', shown.name)}/fetch`, {}, `${shown.name}.pcapng`)}>${t('Download')}</${Do}>`}
            <${LinkButton} href=${`/trace?phone=${encodeURIComponent(name)}`}>${t('More choices')}</${LinkButton}></div>
        <${Refusal} error=${list.error || seen.error} />
        ${shown && html`<p role="status"><${State} of=${shown.state} /> <span class="mono">${shown.name}.pcapng</span> · ${t('{0} packets', number(shown.frames ?? seen.count))} · ${size(shown.bytes)}${running ? ` · ${t('{0} s left', running.seconds_left)}` : ''}</p>
            ${shown.bytes > LARGE ? html`<${Notice}>${t('It is too long to be shown here: download it.')}</${Notice}>` : html`<${Packets} packets=${seen.packets} begin=${begin} />`}`}
    </section>`;
}
