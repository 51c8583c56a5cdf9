// phone_origins.js - what a phone is told, and which record says so: itself, its pool, the defaults, a parameter.
import { html, useEffect, useState } from '../lib/dom.js';
import { get, path } from '../lib/api.js';
import { Loading, Refusal, Rows } from '../lib/parts.js';
import { plain } from '../lib/table.js';
import { t, title } from '../lib/words.js';

/** A record, or an empty one.
 * @param {string} noun
 * @param {string | undefined} name */
const read = async (noun, name) => (name ? get(path(noun, name)).then(({ data }) => data.record, () => ({})) : {});

const link = (/** @type {string} */ noun, /** @type {string} */ name) => html`<a href=${`/${noun}/${encodeURIComponent(name)}`}>${title(words[noun] || noun)} ${name}</a>`;
const words = /** @type {Record<string, string>} */ ({ phone: 'phone', pool: 'device pool', group: 'CallManager group', datetime: 'date/time group', defaults: 'Device Defaults', callmanager: 'CallManager' });

/** The first that says something.
 * @param {[any, any][]} from value and where it stands */
const first = (from) => from.find(([v]) => v !== '' && v !== undefined && v !== null) || ['', t('nobody: left out')];

/** @param {any} r the phone's record */
async function origins(r) {
    const [pool, defaults, parameters] = await Promise.all([read('pool', r.pool), read('defaults', `${r.model}/${r.protocol}`),
        get('parameter').then(({ data }) => Object.fromEntries(data.items.map((/** @type {any} */ p) => [p.name, p])))]);
    const [group, datetime] = await Promise.all([read('group', pool.group), read('datetime', pool.datetime)]);
    const managers = await Promise.all((group.members || []).map((/** @type {any} */ m) => read('callmanager', m.callmanager)));
    const own = link('phone', r.name);
    const of = link('pool', r.pool);
    const parameter = (/** @type {string} */ name) => [`${parameters[name]?.value ?? ''} ${parameters[name]?.unit ?? ''}`.trim(),
        html`<a href=${`/parameter?search=${name}`}>${t('Parameter {0}', parameters[name]?.title || name)}</a>`];
    const port = (/** @type {any} */ m) => `${m.server || m.name}:${r.protocol === 'sccp' ? m.sccp_port : m.sip_port}`;
    const standard = t('standard');
    /**
     * @type {[string, [any, any]][]} */
    const rows = [
        [t('CallManagers'), [managers.map(port).join(', '), html`${link('group', pool.group || '')}, ${t('by')} ${of}`]],
        [title('load'), first([[r.load, own], [defaults.load, link('defaults', `${r.model}/${r.protocol}`)]])],
        [title('button template'), first([[r.template, own], [t('factory keys'), t('Model {0}', r.model)]])],
        [title('softkey template'), first([[r.softkeys, own], [pool.softkeys, of]])],
        [title('date/time group'), [`${pool.datetime || ''} (${datetime.time_zone || t("the server's time zone")}, ${datetime.format || ''}, ${datetime.clock_24h ? '24 h' : '12 h'})`, html`${link('datetime', pool.datetime || '')}, ${t('by')} ${of}`]],
        [title('location'), first([[r.location, own], [pool.location, of]])],
        [title('calling search space'), first([[r.css, own]])],
        [title('user locale'), first([[r.user_locale, own], [pool.user_locale, of], ['English_United_States', standard]])],
        [title('network locale'), first([[r.network_locale, own], [pool.network_locale, of], ['United_States', standard]])],
        [t('SRST reference'), first([[pool.srst, of]])],
        [t('Connection monitor duration'), pool.connection_monitor >= 0 ? [`${pool.connection_monitor} s`, of] : /** @type {any} */ (parameter('connection_monitor_duration'))],
        ...(r.protocol === 'sccp' ? [/** @type {any} */ ([t('Keepalive'), parameter('station_keepalive_interval')])] : [
            /**
             * @type {any} */ ([t('SIP profile'), first([[r.sip_profile, own], [t('the standard one'), standard]])]),
            /**
             * @type {any} */ ([t('Security profile'), first([[r.security_profile, own], [t('the standard one'), standard]])]),
            /**
             * @type {any} */ ([t('SIP dial rules'), first([[r.dial_rules, own]])])]),
        [t('Product specific settings'), first([[r.vendor_config, own]])],
        ...['authentication', 'directories', 'information', 'messages', 'services', 'idle'].filter((u) => parameters[`url_${u}`]?.value)
            .map((u) => /** @type {any} */ ([`URL ${u}`, parameter(`url_${u}`)])),
    ];

    return rows;
}

/** @param {{record: any}} p */
export function Origins({ record }) {
    const [rows, set] = useState(/** @type {any} */ (null));
    const [error, fail] = useState(/** @type {any} */ (null));

    useEffect(() => {
        origins(record).then(set, fail);
    }, [JSON.stringify(record.buttons), record.pool, record.load, record.name]);
    if (!rows)
        return error ? html`<${Refusal} error=${error} />` : html`<${Loading} />`;
    return html`<${Rows} label=${t('Where its values come from')} columns=${[t('What'), t('Value'), t('Said by')]}
        rows=${rows.map(([name, [value, from]]) => [name, plain(value) || html`<span class="soft">–</span>`, from])} />`;
}
