// routes.js - every page: its address, its name in the navigation, its file, and where its contents are as JSON.

/** @typedef {{path: string, page: () => Promise<any>, title?: string, nav?: string, noun?: string, key?: string,
 *   twin?: (params: Record<string, string>, query: Record<string, string>) => string, role?: 'operate' | 'administer'}} Route
 * nav: group of the navigation; key: shortcut; noun: of the entity that it shows; twin: below /api/v1/, the address itself when not said */

const list = () => import('./pages/entities.js');
const one = () => import('./pages/entity.js');

/** Entities that the two general pages serve.
 * @type {[string, string, string][]} noun, title, group */
const entities = [
    ['line', 'Lines', 'Phones'],
    ['template', 'Button templates', 'Phones'],
    ['softkeys', 'Softkey templates', 'Phones'],
    ['partition', 'Partitions', 'Numbers'],
    ['css', 'Calling search spaces', 'Numbers'],
    ['dial-rules', 'SIP dial rules', 'Numbers'],
    ['pool', 'Device pools', 'System'],
    ['group', 'CallManager groups', 'System'],
    ['callmanager', 'CallManagers', 'System'],
    ['server', 'Servers', 'System'],
    ['datetime', 'Date/time groups', 'System'],
    ['region', 'Regions', 'System'],
    ['location', 'Locations', 'System'],
    ['autoregistration', 'Auto-registration', 'System'],
    ['defaults', 'Device defaults', 'System'],
    ['sip-profile', 'SIP profiles', 'System'],
    ['security-profile', 'Security profiles', 'System'],
    ['scope', 'DHCP scopes', 'Network'],
    ['reservation', 'Reservations', 'Network'],
    ['user', 'Users', 'People'],
];

/** Nouns whose lists can be read from any place, sorted and narrowed. */
export const sortable = new Set(['phone', ...entities.map(([noun]) => noun)]);

/** @type {Route[]} */
export const routes = [
    { path: '/', title: 'Overview', nav: '', key: 'o', page: () => import('./pages/overview.js'), twin: () => 'overview' },
    { path: '/phone', title: 'Phones', nav: 'Phones', key: 'p', page: () => import('./pages/phones.js') },
    { path: '/phone/:name', page: () => import('./pages/phone.js') },
    { path: '/import', title: 'Import and export', nav: 'Phones', page: () => import('./pages/import.js'), role: 'administer', twin: () => 'export' },
    { path: '/diagnosis', title: 'Doctor', nav: '', key: 'd', page: () => import('./pages/doctor.js') },
    { path: '/diagnosis/:name', page: () => import('./pages/doctor.js') },
    { path: '/unknown', title: 'Newcomers', nav: 'Phones', key: 'n', page: () => import('./pages/unknown.js') },
    { path: '/parameter', title: 'Parameters', nav: 'System', page: () => import('./pages/parameters.js') },
    ...entities.map(([noun, title, nav]) => ({ path: `/${noun}`, title, nav, noun, page: list,
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
    { path: '/backup', title: 'Backup', nav: 'System', role: 'administer', page: () => import('./pages/backup.js'), twin: () => 'export' },
    { path: '/dialplan', title: 'Dial plan', nav: 'Numbers', page: () => import('./pages/dialplan.js'), twin: () => 'line' },
    { path: '/add/phone', page: () => import('./pages/phone_add.js'), role: 'administer', twin: () => 'phone' },
    { path: '/add/:noun', page: one, role: 'administer', twin: (p) => p.noun },
    { path: '/copy/:noun/:name', page: one, role: 'administer', twin: (p) => `${p.noun}/${encodeURIComponent(p.name)}` },
];

export const groups = ['', 'Phones', 'Numbers', 'System', 'Network', 'Watch', 'People'];
