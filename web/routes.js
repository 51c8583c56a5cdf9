// routes.js - every page: its address, its name in the navigation, its file, and where its contents are as JSON.

/** @typedef {{path: string, page: () => Promise<any>, title?: string, nav?: string, noun?: string, about?: string, key?: string,
 *   twin?: (params: Record<string, string>, query: Record<string, string>) => string, role?: 'operate' | 'administer'}} Route
 * nav: group of the navigation; key: shortcut; noun: of the entity that it shows; twin: below /api/v1/, the address itself when not said */

const list = () => import('./pages/entities.js');
const one = () => import('./pages/entity.js');

/** Entities that the two general pages serve.
 * @type {[string, string, string, string][]} noun, title, group, what it is */
const entities = [
    ['line', 'Lines', 'Phones',
        'Numbers that phones have. A number that no phone has any more stays until it is deleted.'],
    ['template', 'Button templates', 'Phones',
        'What the keys beside the display do, in their order, for a model of phone.'],
    ['softkeys', 'Softkey templates', 'Phones',
        'Which softkeys a phone shows below its display in each state of a call.'],
    ['partition', 'Partitions', 'Numbers',
        'A group of numbers. Who may dial them is what search spaces say.'],
    ['css', 'Calling search spaces', 'Numbers',
        'Partitions in the order in which a dialled number is looked for: what a phone or a line may dial.'],
    ['dial-rules', 'SIP dial rules', 'Numbers',
        'Patterns that tell SIP phones when a number is complete, so that they need not wait.'],
    ['pool', 'Device pools', 'System',
        'What phones of one place have in common: their group of servers, clock, region, location, softkeys.'],
    ['group', 'CallManager groups', 'System',
        'Servers in the order in which phones register with them: the first that answers is taken.'],
    ['callmanager', 'CallManagers', 'System',
        'The call processing of a server, with the ports that phones connect to.'],
    ['server', 'Servers', 'System',
        'Machines of this cluster. An address instead of a name needs no DNS on the phones.'],
    ['datetime', 'Date/time groups', 'System',
        'Time zone and form of date and time on the displays.'],
    ['region', 'Regions', 'System',
        'How much bandwidth the voice of a call may take inside a region and to others.'],
    ['location', 'Locations', 'System',
        'How much bandwidth calls may take together at a place.'],
    ['autoregistration', 'Auto-registration', 'System',
        'Phones that nobody added get a number of this range when it is enabled. It is off at first.'],
    ['defaults', 'Device defaults', 'System',
        'Firmware, pool and template of each model, for phones that say nothing else.'],
    ['sip-profile', 'SIP profiles', 'System',
        'Timers and habits of SIP phones.'],
    ['security-profile', 'Security profiles', 'System',
        'Transport, encryption, and whether phones must prove who they are.'],
    ['scope', 'DHCP scopes', 'Network',
        'Networks in which this server gives addresses to phones.'],
    ['reservation', 'Reservations', 'Network',
        'Devices that always get the same address.'],
    ['user', 'Users', 'People',
        'People: who may log in here and what they may do, owners of phones, digest users.'],
];

/** Nouns whose lists can be read from any place, sorted and narrowed. */
export const sortable = new Set(['phone', ...entities.map(([noun]) => noun)]);

/** @type {Route[]} */
export const routes = [
    { path: '/', title: 'Overview', nav: '', key: 'o', page: () => import('./pages/overview.js'), twin: () => 'overview' },
    { path: '/phone', title: 'Phones', nav: 'Phones', key: 'p', page: () => import('./pages/phones.js') },
    { path: '/phone/:name', page: () => import('./pages/phone.js') },
    { path: '/import', title: 'Import and export', nav: 'Phones', page: () => import('./pages/import.js'), role: 'administer', twin: () => 'export?format=json' },
    { path: '/diagnosis', title: 'Doctor', nav: '', key: 'd', page: () => import('./pages/doctor.js') },
    { path: '/diagnosis/:name', page: () => import('./pages/doctor.js') },
    { path: '/unknown', title: 'Newcomers', nav: 'Phones', key: 'n', page: () => import('./pages/unknown.js') },
    { path: '/parameter', title: 'Parameters', nav: 'System', page: () => import('./pages/parameters.js') },
    ...entities.map(([noun, title, nav, about]) => ({ path: `/${noun}`, title, nav, noun, about, page: list,
        role: /** @type {any} */ (noun === 'user' ? 'administer' : undefined) })),
    ...entities.map(([noun]) => ({ path: `/${noun}/:name`, noun, page: one })),
    ...[['lease', 'Leases', 'Network'], ['port', 'Neighbours', 'Network'], ['node', 'Nodes', 'Watch'], ['certificate', 'Certificates', 'Watch']].map(([noun, title, nav]) =>
        ({ path: `/${noun}`, title, nav, noun, page: () => import('./pages/simple.js') })),
    { path: '/load', title: 'Firmware', nav: 'Phones', page: () => import('./pages/loads.js') },
    { path: '/load/:name', page: () => import('./pages/loads.js'), twin: (p) => `load/${encodeURIComponent(p.name)}/check` },
    { path: '/setup', title: 'First steps', nav: '', role: 'administer', page: () => import('./pages/setup.js'), twin: () => 'config' },
    { path: '/simulated', title: 'Simulated phones', nav: 'Phones', page: () => import('./pages/simulated.js') },
    { path: '/service', title: 'Control center', nav: 'Watch', key: 'c', page: () => import('./pages/services.js') },
    { path: '/event', title: 'Event viewer', nav: 'Watch', key: 'e', page: () => import('./pages/events.js') },
    { path: '/counter', title: 'Performance monitor', nav: 'Watch', key: 'm', page: () => import('./pages/counters.js'), twin: () => 'counter' },
    { path: '/trace', title: 'Traces and captures', nav: 'Watch', key: 't', page: () => import('./pages/traces.js'), twin: () => 'trace' },
    { path: '/token', title: 'Tokens', nav: 'People', role: 'administer', page: () => import('./pages/tokens.js') },
    { path: '/audit', title: 'Audit log', nav: 'People', role: 'administer', page: () => import('./pages/audit.js') },
    { path: '/backup', title: 'Backup', nav: 'System', role: 'administer', page: () => import('./pages/backup.js'), twin: () => 'export?format=json' },
    { path: '/dialplan', title: 'Dial plan', nav: 'Numbers', page: () => import('./pages/dialplan.js'), twin: () => 'line' },
    { path: '/add/phone', page: () => import('./pages/phone_add.js'), role: 'administer', twin: () => 'phone' },
    { path: '/add/:noun', page: one, role: 'administer', twin: (p) => p.noun },
    { path: '/copy/:noun/:name', page: one, role: 'administer', twin: (p) => `${p.noun}/${encodeURIComponent(p.name)}` },
];

export const groups = ['', 'Phones', 'Numbers', 'System', 'Network', 'Watch', 'People'];
