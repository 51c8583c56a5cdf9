// plan.js - what a change would do before it is done, and what is left to do after it: phones that need a reset.
import { html } from './dom.js';
import { ask, may } from './api.js';
import { Dialog, Do, Notice, notesOf, Rows, say } from './parts.js';
import { plain } from './table.js';
import { number, t } from './words.js';

/** @param {{plan: any}} p */
export function PlanView({ plan }) {
    const rows = (plan.changes || []).flatMap((/** @type {any} */ c) => {
        const fields = Object.entries(c.fields || {});
        const name = html`<span class="mono">${c.name}</span>`;

        return fields.length ? fields.map(([f, v], i) => [i ? '' : name, i ? '' : action(c.action), f, plain(/** @type {any} */ (v).old), plain(/** @type {any} */ (v).new)])
            : [[name, action(c.action), '', '', '']];
    });

    return html`<p>${t('Records that change: {0}. Registered phones that see it only after a reset: {1}.', number(plan.total ?? rows.length), number(plan.reset?.count || 0))}</p>
        <div class="plan"><${Rows} label=${t('What would happen')} empty=${t('Nothing changes.')} columns=${[t('Record'), t('Action'), t('Field'), t('Now'), t('Then')]} rows=${rows} /></div>
        ${plan.reset?.names?.length > 0 && html`<p class="help">${t('To be reset')}: <span class="mono">${plan.reset.names.slice(0, 12).join(', ')}${plan.reset.count > 12 ? ' …' : ''}</span></p>`}`;
}

const action = (/** @type {string} */ word) => ({ add: t('added'), set: t('changed'), put: t('changed'), delete: t('deleted'), copy: t('added') }[word] || word);

/** @param {{plan: any, yes: string, onClose: () => void, onYes: () => any}} p */
export const PlanDialog = ({ plan, yes, onClose, onYes }) => html`<${Dialog} title=${t('What would happen')} onClose=${onClose} wide>
    <div class="dialog-body"><${PlanView} plan=${plan} /></div>
    <footer><button type="button" class="button" onClick=${onClose}>${t('Cancel')}</button><${Do} kind="primary" run=${onYes}>${yes}</${Do}></footer>
</${Dialog}>`;

/** What a change leaves to do: it says so and offers it.
 * @param {{answer: any, others?: any}} p others: how the API selects those that the answer does not name */
export function Aftermath({ answer, others }) {
    const notes = answer ? notesOf(answer).filter((/** @type {string} */ n) => !/reset|réinitialis|重置/i.test(n)) : [];
    const reset = answer?.reset;
    const order = async (/** @type {string} */ verb) => {
        const body = reset.count > reset.names.length && others ? others : { names: reset.names };

        say(notesOf((await ask('POST', `phone/${verb}`, { body })).data));
    };

    if (!answer || (!notes.length && !reset?.count))
        return null;
    return html`<${Notice} kind=${reset?.count ? 'warn' : 'good'}>${notes.map((/** @type {string} */ n) => html`<p key=${n}>${n}</p>`)}
        ${reset?.count > 0 && html`<p>${t('Registered phones that see it only after a reset: {0}.', number(reset.count))}</p>
            ${may('operate') && html`<p class="actions"><${Do} kind="small" run=${() => order('apply')}>${t('Apply')}</${Do}>
            <${Do} kind="small" run=${() => order('restart')}>${t('Restart')}</${Do}>
            <${Do} kind="small" run=${() => order('reset')}>${t('Reset')}</${Do}></p>`}`}</${Notice}>`;
}
