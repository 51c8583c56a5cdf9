// setup.js - from nothing to the first registered phone: administrator, network, numbers, phones, firmware. Each step
// takes effect at once; one comes back to any of them later.
import { html, useEffect, useState } from '../lib/dom.js';
import { ask, logIn, may, path, useGet, who } from '../lib/api.js';
import { useLive } from '../lib/live.js';
import { setQuery } from '../lib/router.js';
import { Do, Head, LinkButton, Loading, Notice, notesOf, Refusal, Rows, say, State } from '../lib/parts.js';
import { Allow, BootForm, useSimulated } from './simulated.js';
import { number, t, time } from '../lib/words.js';

/** @param {{label: string, value: any, set: (v: any) => void, type?: string, help?: string, required?: boolean, disabled?: boolean, auto?: string}} p */
const Field = ({ label, value, set, type = 'text', help, required, disabled, auto = 'off' }) => html`<label class="field"><span class="soft">${label}</span>
    <input type=${type} value=${value} required=${required} disabled=${disabled} autocomplete=${auto} onInput=${(/** @type {any} */ e) => set(e.target.value)} />${help && html`<span class="help">${help}</span>`}</label>`;

/** @param {{name: string, value: string, now: string, set: (v: string) => void, title: string, about: string, disabled?: boolean}} p */
const Choice = ({ name, value, now, set, title, about, disabled }) => html`<label class=${`choice ${value === now ? 'chosen' : ''}`}>
    <input type="radio" name=${name} checked=${value === now} disabled=${disabled} onChange=${() => set(value)} /><span><strong>${title}</strong><span class="help">${about}</span></span></label>`;

/* --- 1: who administers --- */

/** @param {{next: () => void}} p */
function Administrator({ next }) {
    const [form, set] = useState({ name: 'admin', password: '', again: '' });
    const [error, setError] = useState(/** @type {any} */ (null));
    const save = async (/** @type {Event} */ e) => {
        e.preventDefault();
        if (form.password !== form.again) {
            setError(new Error(t('The two passwords differ.')));
            return;
        }
        try {
            await ask('POST', 'user', { body: { name: form.name, role: 'administrator', password: form.password } });
            await logIn({ user: form.name, password: form.password });
            say(t('You are logged in as {0}. The key of the first start is worth nothing any more.', form.name));
            next();
        } catch (refused) {
            setError(refused);
        }
    };

    if (who()?.user !== 'setup')
        return html`<${Notice} kind="good">${t('You are logged in as {0}.', who()?.user)}</${Notice}><${Next} next=${next} />`;
    return html`<form class="form" onSubmit=${save}>
        <p>${t('This first account administers everything. More people, and people with fewer rights, come later under Users.')}</p>
        <div class="fields"><${Field} label=${t('User')} value=${form.name} required auto="username" set=${(/** @type {any} */ v) => set({ ...form, name: v })} />
            <${Field} label=${t('Password')} type="password" required auto="new-password" value=${form.password} set=${(/** @type {any} */ v) => set({ ...form, password: v })} />
            <${Field} label=${t('Password again')} type="password" required auto="new-password" value=${form.again} set=${(/** @type {any} */ v) => set({ ...form, again: v })} /></div>
        <${Refusal} error=${error} />
        <div class="actions"><button type="submit" class="button primary">${t('Create the account')}</button></div>
    </form>`;
}

/** @param {{next: () => void, children?: any}} p */
const Next = ({ next, children }) => html`<div class="actions"><button type="button" class="button primary" onClick=${next}>${children || t('Go on')}</button></div>`;

/* --- 2: the network --- */

/** Whether a DHCP server answers on an interface already.
 * @param {{name: string, found: (n: number) => void}} p */
function Probe({ name, found }) {
    const [answer, set] = useState(/** @type {any} */ (null));
    const look = async () => {
        const { data } = await ask('POST', `${path('interface', name)}/probe`, { body: {} });

        set(data.items);
        found(data.items.length);
    };

    return html`<div class="probe"><${Do} run=${look}>${t('Ask on {0} whether a DHCP server is there already (5 s)', name)}</${Do}>
        ${answer && !answer.length && html`<${Notice} kind="good">${t('No DHCP server answers on {0}: give the addresses from here.', name)}</${Notice}>`}
        ${answer?.length > 0 && html`<${Notice} kind="warn">${t('A DHCP server answers on {0}. Two that give addresses disturb each other: let it give them, and Dialtone the rest.', name)}
            <${Rows} label=${t('DHCP servers')} columns=${[t('Server'), t('Offers'), t('Router'), t('TFTP server')]} rows=${answer.map((/** @type {any} */ s) => [s.server, s.address, s.routers, s.tftp || '–'])} /></${Notice}>`}</div>`;
}

/** @param {{now: string, set: (name: string) => void, list: any[]}} p */
const Interfaces = ({ now, set, list }) => html`<fieldset class="choices"><legend>${t('On which interface are the phones?')}</legend>
    ${list.map((i) => html`<${Choice} key=${i.name} name="interface" value=${i.name} now=${now} set=${set} title=${i.name}
        about=${[i.state === 'up' ? t('connected') : t('no cable'), i.addresses.replaceAll(';', ', ') || t('no address'), i.mac].join(' · ')} />`)}
    ${!list.length && html`<p class="soft">${t('This machine has no network interface but its own loopback.')}</p>`}</fieldset>`;

/** @param {{next: () => void}} p */
function Network({ next }) {
    const interfaces = useGet('interface');
    const config = useGet('config');
    const value = (/** @type {string} */ key) => config.data?.items.find((/** @type {any} */ r) => r.name === key) || { value: '', from: 'default' };
    const [form, set] = useState(/** @type {any} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const list = (interfaces.data?.items || []).filter((/** @type {any} */ i) => i.state !== 'loopback').sort((/** @type {any} */ a, /** @type {any} */ b) => (b.state === 'up' && b.addresses ? 1 : 0) - (a.state === 'up' && a.addresses ? 1 : 0));
    const chosen = list.find((/** @type {any} */ i) => i.name === form?.interface);
    const fixed = ['dhcp.interfaces', 'dhcp.mode'].filter((k) => ['file', 'command line'].includes(value(k).from));

    useEffect(() => {
        if (!interfaces.data || !config.data || form)
            return;
        const was = value('dhcp.interfaces').value.split(',')[0].trim();
        const first = list.find((/** @type {any} */ i) => i.name === was) || list[0];

        set({ interface: first?.name || '', mode: was ? value('dhcp.mode').value : 'full', first: first?.first || '', last: first?.last || '', router: first?.addresses.split('/')[0] || '', cdp: value('cdp.voice_vlan').value !== '0' ? value('cdp.voice_vlan').value : '' });
    }, [interfaces.data, config.data]);
    if (!form)
        return interfaces.error ? html`<${Refusal} error=${interfaces.error} />` : html`<${Loading} />`;
    const choose = (/** @type {string} */ name) => {
        const i = list.find((/** @type {any} */ k) => k.name === name);

        set({ ...form, interface: name, first: i.first, last: i.last, router: i.addresses.split('/')[0] });
    };
    const keep = (/** @type {string} */ key, /** @type {string} */ now) => (fixed.includes(key) || value(key).value === now ? null : ask('PATCH', path('config', key), { body: { value: now } }));
    const save = async () => {
        setError(null);
        try {
            if (form.mode === 'full' && !chosen.scope && chosen.subnet)
                await ask('POST', 'scope', { body: { name: chosen.name, subnet: chosen.subnet, first: form.first, last: form.last, routers: form.router } });
            if (form.mode !== 'none')
                await keep('dhcp.mode', form.mode);
            await keep('dhcp.interfaces', form.mode === 'none' ? '' : form.interface);
            if (form.cdp !== (value('cdp.voice_vlan').value === '0' ? '' : value('cdp.voice_vlan').value)) {
                await keep('cdp.interfaces', form.cdp ? form.interface : '');
                await keep('cdp.voice_vlan', form.cdp || '0');
            }
            const { data } = await ask('GET', 'service');
            const dhcp = data.items.find((/** @type {any} */ s) => s.id === 'dhcp');

            interfaces.reload();
            config.reload();
            if (dhcp.state === 'failed')
                throw new Error(t('DHCP failed: {0}', dhcp.about));
            say(form.mode === 'none' ? t('DHCP is off here.') : t('DHCP runs on {0}.', form.interface));
            next();
        } catch (refused) {
            setError(refused);
        }
    };

    return html`<div class="form">
        ${fixed.length > 0 && html`<${Notice}>${t('{0} is given where the server is started, and cannot be changed here.', fixed.join(', '))}</${Notice}>`}
        <${Interfaces} now=${form.interface} set=${choose} list=${list} />
        ${chosen && html`<${Probe} key=${chosen.name} name=${chosen.name} found=${(/** @type {number} */ n) => set({ ...form, mode: n ? 'sidecar' : 'full' })} />`}
        <fieldset class="choices"><legend>${t('Who gives the phones their addresses?')}</legend>
            <${Choice} name="mode" value="full" now=${form.mode} set=${(/** @type {string} */ v) => set({ ...form, mode: v })} title=${t('Dialtone')} about=${t('No other DHCP server is in the phones’ network.')} />
            <${Choice} name="mode" value="sidecar" now=${form.mode} set=${(/** @type {string} */ v) => set({ ...form, mode: v })} title=${t('Another DHCP server; Dialtone adds what phones need')} about=${t('Side-car: phones get their address there, and the way to this server from here. Nothing is changed on the other server.')} />
            <${Choice} name="mode" value="none" now=${form.mode} set=${(/** @type {string} */ v) => set({ ...form, mode: v })} title=${t('Another DHCP server, which knows option 150')} about=${t('Its option 150 (or 66) is this server’s address. Dialtone gives nothing.')} /></fieldset>
        ${form.mode === 'full' && chosen && (chosen.scope ? html`<${Notice} kind="good">${t('The scope {0} gives addresses there.', chosen.scope)} <a href=${`/scope/${encodeURIComponent(chosen.scope)}`}>${t('Look at it')}</a></${Notice}>`
        : chosen.subnet ? html`<div class="fields"><${Field} label=${t('First address')} value=${form.first} set=${(/** @type {any} */ v) => set({ ...form, first: v })} />
            <${Field} label=${t('Last address')} value=${form.last} set=${(/** @type {any} */ v) => set({ ...form, last: v })} />
            <${Field} label=${t('Router')} value=${form.router} set=${(/** @type {any} */ v) => set({ ...form, router: v })} help=${t('Of {0}.', chosen.subnet)} /></div>`
            : html`<${Notice} kind="warn">${t('{0} has no address yet: give it one first, then come back.', chosen.name)}</${Notice}>`)}
        <div class="fields"><${Field} label=${t('Voice VLAN that this server announces by CDP and LLDP-MED')} value=${form.cdp} help=${t('Empty: none. Most switches for phones announce it themselves.')} set=${(/** @type {any} */ v) => set({ ...form, cdp: v })} /></div>
        <${Refusal} error=${error} />
        <div class="actions"><${Do} kind="primary" run=${save}>${t('Set it up')}</${Do}><button type="button" class="button" onClick=${next}>${t('Later')}</button></div>
    </div>`;
}

/* --- 3: numbers --- */

/** @param {{next: () => void}} p */
function Numbers({ next }) {
    const { data, error: refused } = useGet('autoregistration');
    const [form, set] = useState(/** @type {any} */ (null));
    const [error, setError] = useState(/** @type {any} */ (null));
    const record = data?.items[0];

    useEffect(() => {
        if (record && !form)
            set({ how: record.enabled ? 'self' : 'adopt', start: record.start || '7000', end: record.end || '7099' });
    }, [record]);
    if (!form)
        return refused ? html`<${Refusal} error=${refused} />` : html`<${Loading} />`;
    const save = async () => {
        setError(null);
        try {
            await ask('PATCH', path('autoregistration', record.name), { body: form.how === 'self' ? { enabled: true, start: form.start, end: form.end } : { enabled: false } });
            say(form.how === 'self' ? t('New phones get a number from {0} to {1}.', form.start, form.end) : t('New phones wait under Newcomers.'));
            next();
        } catch (e) {
            setError(e);
        }
    };

    return html`<div class="form"><fieldset class="choices"><legend>${t('How do new phones get their number?')}</legend>
        <${Choice} name="numbers" value="adopt" now=${form.how} set=${(/** @type {string} */ v) => set({ ...form, how: v })} title=${t('I give each its number')} about=${t('A new phone waits until somebody adopts it. Nobody gets in by himself.')} />
        <${Choice} name="numbers" value="self" now=${form.how} set=${(/** @type {string} */ v) => set({ ...form, how: v })} title=${t('By themselves, from a range')} about=${t('Auto-registration: handy while phones are unpacked; switch it off afterwards.')} /></fieldset>
        ${form.how === 'self' && html`<div class="fields"><${Field} label=${t('First number')} value=${form.start} set=${(/** @type {any} */ v) => set({ ...form, start: v })} /><${Field} label=${t('Last number')} value=${form.end} set=${(/** @type {any} */ v) => set({ ...form, end: v })} /></div>`}
        <${Refusal} error=${error} />
        <div class="actions"><${Do} kind="primary" run=${save}>${t('Keep it')}</${Do}></div></div>`;
}

/* --- 4: phones arrive --- */

/** @param {{row: any, done: () => void}} p */
function Newcomer({ row, done }) {
    const [form, set] = useState({ line: '', model: row.model });
    const adopt = async () => {
        const body = { ...(form.line && { lines: [form.line] }), ...(!row.model && form.model && { model: form.model }) };

        say(notesOf((await ask('POST', `${path('unknown', row.name)}/adopt`, { body })).data));
        done();
    };

    return html`<tr><th scope="row" class="mono">${row.name}</th><td>${row.model || html`<input type="text" class="short" aria-label=${t('Model of {0}', row.name)} placeholder=${t('Model')} value=${form.model} onInput=${(/** @type {any} */ e) => set({ ...form, model: e.target.value })} />`}</td>
        <td class="mono">${row.address}</td><td>${row.refused_for || row.stage}</td>
        <td><form class="adopt" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}><input type="text" class="short" inputmode="numeric" aria-label=${t('Number of {0}', row.name)} placeholder=${t('Number')} value=${form.line} onInput=${(/** @type {any} */ e) => set({ ...form, line: e.target.value })} />
            <${Do} kind="small primary" run=${adopt}>${t('Adopt')}</${Do}></form></td></tr>`;
}

/** @param {number} n */
const told = (n) => (n === 1 ? t('One phone is registered.') : t('{0} phones are registered.', number(n)));

/** @param {{next: () => void}} p */
function Phones({ next }) {
    const unknown = useGet('unknown', {}, 2);
    const phones = useGet('phone', { limit: 12, sort: '-since', columns: 'name,status,lines,model,address,since', offset: 0 }, 2);
    const counts = useLive('phones');
    const sim = useSimulated();
    const [trying, attempt] = useState(false);
    const [strangers, known] = [unknown.data?.items || [], phones.data?.items || []];
    const registered = known.filter((/** @type {any} */ p) => p.status?.startsWith('registered')).length;
    const reload = () => { unknown.reload(); phones.reload(); };

    return html`<div class="form">
        <p class=${`truth ${registered ? 'good' : 'warn'}`}>${registered ? told(counts?.registered ?? registered) : t('Plug a phone in: it appears here when it asks for its address or its file.')}</p>
        <div class="card scroll" tabindex="0" role="region" aria-label=${t('Newcomers')}><h2>${t('Newcomers')}</h2>${!strangers.length ? html`<p class="soft">${t('Nobody waits.')}</p>` : html`<table class="plain"><thead><tr><th scope="col">${t('Device name')}</th><th scope="col">${t('Model')}</th>
            <th scope="col">${t('Address')}</th><th scope="col">${t('Why it is not in')}</th><th scope="col">${t('Adopt')}</th></tr></thead>
            <tbody>${strangers.map((/** @type {any} */ u) => html`<${Newcomer} key=${u.name} row=${u} done=${reload} />`)}</tbody></table>`}</div>
        <div class="card"><h2>${t('Phones')}</h2><${Rows} label=${t('Phones')} columns=${[t('Device name'), t('State'), t('Lines'), t('Model'), t('Address'), t('Since')]} empty=${t('No phones yet.')}
            rows=${known.map((/** @type {any} */ p) => [html`<a href=${`/phone/${encodeURIComponent(p.name)}`}>${p.name}</a>`, html`<${State} of=${p.status || 'none'} />`, p.lines, p.model, p.address, time(p.since)])} /></div>
        <div class="card"><h2>${t('No phone at hand?')}</h2>
            ${sim.most ? html`<p class="actions"><${BootForm} most=${sim.most} running=${Object.keys(sim.phones || {}).length} reload=${sim.reload} /><${LinkButton} href="/simulated">${t('Press their keys')}</${LinkButton}></p>`
        : trying ? html`<${Allow} most=${0} reload=${sim.reload} />` : html`<button type="button" class="button" onClick=${() => attempt(true)}>${t('Try it with simulated phones')}</button>`}</div>
        <${Next} next=${next} /></div>`;
}

/* --- 5: firmware --- */

function Firmware() {
    const { data, error } = useGet('load');
    const rows = (data?.items || []).map((/** @type {any} */ l) => [html`<a href=${`/load/${encodeURIComponent(l.name)}`}>${l.name}</a>`, l.models, l.missing ? html`<${State} of="missing" /> ${l.missing}` : l.parts, l.wanted_by || '']);

    return html`<div class="form"><p>${t('A phone keeps its firmware until its settings name another. Without any here, phones run what they have; that is fine to begin with.')}</p>
        <${Refusal} error=${error} />
        <div class="card"><${Rows} label=${t('Firmware')} columns=${[t('Load'), t('Models'), t('Parts'), t('Wanted by')]} rows=${rows} empty=${t('No firmware is here.')} /></div>
        <div class="actions"><${LinkButton} href="/load">${t('Firmware')}</${LinkButton}><${LinkButton} href="/" primary>${t('To the overview')}</${LinkButton}></div></div>`;
}

const steps = /** @type {[string, () => string, any][]} */ ([
    ['administrator', () => t('Administrator'), Administrator], ['network', () => t('Network'), Network], ['numbers', () => t('Numbers'), Numbers],
    ['phones', () => t('Phones arrive'), Phones], ['firmware', () => t('Firmware'), Firmware],
]);

/** @param {{query: Record<string, string>}} p */
export default function Setup({ query }) {
    const first = who()?.user === 'setup' ? 0 : 1;
    const wanted = steps.findIndex(([id]) => id === query.step);
    const at = first === 0 ? 0 : wanted < 0 ? first : wanted;
    const next = () => setQuery({ step: steps[Math.min(at + 1, steps.length - 1)][0] });
    const [, name, Step] = steps[at];

    if (!may('administer'))
        return html`<section class="page"><${Head} title=${t('First steps')} /><${Notice} kind="bad">${t('This is for administrators.')}</${Notice}></section>`;
    return html`<section class="page setup"><${Head} title=${t('First steps')} about=${t('From nothing to the first registered phone. Each step takes effect at once.')} />
        <ol class="steps">${steps.map(([id, words], i) => html`<li key=${id} class=${i === at ? 'now' : i < at ? 'done' : ''}><button type="button" disabled=${first === 0 && i > 0} aria-current=${i === at ? 'step' : undefined}
            onClick=${() => setQuery({ step: id })}><span class="step-number" aria-hidden="true">${i < at ? '✓' : i + 1}</span>${words()}</button></li>`)}</ol>
        <h2 class="step-name">${name()}</h2>
        <${Step} next=${next} />
    </section>`;
}
