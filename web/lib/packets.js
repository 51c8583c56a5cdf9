// packets.js - what a recording holds, a line a packet: reads pcapng as the server writes it (draft-ietf-opsawg-pcapng) and says
// of each packet who sent it to whom and what it is. What it does not know it calls by its protocol; it never fails.

/** @typedef {{at: number, from: string, to: string, protocol: string, what: string, length: number}} Packet at: seconds */

/** @typedef {{v: DataView, at: number, end: number}} Part */

const ETHERNET = 1;
const MESSAGES = 252; /* link type: a message without its packets */

const sccp = /** @type {Record<number, string>} */ ({
    0x00: 'KeepAlive', 0x01: 'Register', 0x02: 'IpPort', 0x03: 'KeypadButton', 0x04: 'EnblocCall', 0x05: 'Stimulus', 0x06: 'OffHook', 0x07: 'OnHook', 0x08: 'HookFlash',
    0x09: 'ForwardStatReq', 0x0a: 'SpeedDialStatReq', 0x0b: 'LineStatReq', 0x0c: 'ConfigStatReq', 0x0d: 'TimeDateReq', 0x0e: 'ButtonTemplateReq', 0x0f: 'VersionReq',
    0x10: 'CapabilitiesRes', 0x12: 'ServerReq', 0x20: 'Alarm', 0x22: 'OpenReceiveChannelAck', 0x23: 'ConnectionStatisticsRes', 0x25: 'SoftKeySetReq', 0x26: 'SoftKeyEvent',
    0x27: 'Unregister', 0x28: 'SoftKeyTemplateReq', 0x29: 'RegisterTokenReq', 0x2b: 'HeadsetStatus', 0x2d: 'RegisterAvailableLines', 0x33: 'ServiceURLStatReq',
    0x34: 'FeatureStatReq', 0x49: 'MediaPathEvent', 0x4a: 'MediaPathCapability', 0x81: 'RegisterAck', 0x82: 'StartTone', 0x83: 'StopTone', 0x85: 'SetRinger', 0x86: 'SetLamp',
    0x88: 'SetSpeakerMode', 0x8a: 'StartMediaTransmission', 0x8b: 'StopMediaTransmission', 0x8f: 'CallInfo', 0x90: 'ForwardStat', 0x91: 'SpeedDialStat', 0x92: 'LineStat',
    0x93: 'ConfigStat', 0x94: 'DefineTimeDate', 0x97: 'ButtonTemplate', 0x98: 'Version', 0x99: 'DisplayText', 0x9a: 'ClearDisplay', 0x9b: 'CapabilitiesReq',
    0x9d: 'RegisterReject', 0x9e: 'ServerRes', 0x9f: 'Reset', 0x100: 'KeepAliveAck', 0x105: 'OpenReceiveChannel', 0x106: 'CloseReceiveChannel', 0x107: 'ConnectionStatisticsReq',
    0x108: 'SoftKeyTemplate', 0x109: 'SoftKeySet', 0x110: 'SelectSoftKeys', 0x111: 'CallState', 0x112: 'DisplayPromptStatus', 0x113: 'ClearPromptStatus', 0x114: 'DisplayNotify',
    0x116: 'ActivateCallPlane', 0x118: 'UnregisterAck', 0x11a: 'RegisterTokenAck', 0x11b: 'RegisterTokenReject', 0x11d: 'DialedNumber', 0x12f: 'FeatureStat', 0x131: 'OpenMultiMediaReceiveChannel',
    0x115: 'ClearNotify', 0x117: 'DeactivateCallPlane', 0x119: 'BackSpaceReq', 0x11e: 'UserToDeviceData', 0x13f: 'UserToDeviceDataVersion1', 0x142: 'ConfigStatV2', 0x143: 'DisplayNotifyV2', 0x144: 'DisplayPriNotifyV2',
    0x145: 'DisplayPromptStatusV2', 0x146: 'FeatureStatV2', 0x147: 'LineStatV2', 0x148: 'ServiceURLStatV2', 0x149: 'SpeedDialStatV2', 0x14a: 'CallInfoV2',
});
const dhcp = ['', 'Discover', 'Offer', 'Request', 'Decline', 'Ack', 'Nak', 'Release', 'Inform'];
const tftp = ['', 'Read', 'Write', 'Data', 'Ack', 'Error', 'Option Ack'];
const tls = /** @type {Record<number, string>} */ ({ 20: 'Change Cipher Spec', 21: 'Alert', 22: 'Handshake', 23: 'Data' });

const u8 = (/** @type {Part} */ p, /** @type {number} */ i) => (p.at + i < p.end ? p.v.getUint8(p.at + i) : 0);
const u16 = (/** @type {Part} */ p, /** @type {number} */ i) => u8(p, i) << 8 | u8(p, i + 1);
const le32 = (/** @type {Part} */ p, /** @type {number} */ i) => (u8(p, i) | u8(p, i + 1) << 8 | u8(p, i + 2) << 16 | u8(p, i + 3) << 24) >>> 0;
const size = (/** @type {Part} */ p) => Math.max(0, p.end - p.at);
const from = (/** @type {Part} */ p, /** @type {number} */ i, n = Infinity) => ({ v: p.v, at: Math.min(p.at + i, p.end), end: Math.min(p.at + i + n, p.end) });
const mac = (/** @type {Part} */ p, /** @type {number} */ i) => Array.from({ length: 6 }, (_, k) => u8(p, i + k).toString(16).padStart(2, '0')).join(':');
const ip4 = (/** @type {Part} */ p, /** @type {number} */ i) => [0, 1, 2, 3].map((k) => u8(p, i + k)).join('.');
const ip6 = (/** @type {Part} */ p, /** @type {number} */ i) => Array.from({ length: 8 }, (_, k) => u16(p, i + 2 * k).toString(16)).join(':').replace(/(^|:)0(:0)+(:|$)/, '::');

/** Printable letters until the first that is none.
 * @param {Part} p
 * @param {number} i */
function letters(p, i, most = 100) {
    let said = '';

    for (let k = i; k < size(p) && said.length < most && u8(p, k) >= 0x20 && u8(p, k) < 0x7f; k++)
        said += String.fromCharCode(u8(p, k));
    return said;
}

/* --- messages --- */

/** @param {Part} p */
function sccpWords(p) {
    const names = [];

    for (let i = 0; size(p) >= i + 12 && names.length < 8; i += 8 + le32(p, i)) {
        const id = le32(p, i + 8);

        names.push(sccp[id] || `0x${id.toString(16)}`);
        if (id === 0x01 || id === 0x9d || id === 0x20)
            names[names.length - 1] += ` ${letters(p, i + (id === 0x20 ? 16 : 12))}`;
    }
    return names.join(', ');
}

/** @param {Part} p */
function dhcpWords(p) {
    for (let i = 240; i < size(p) && u8(p, i) !== 255; i += u8(p, i) ? 2 + u8(p, i + 1) : 1)
        if (u8(p, i) === 53)
            return `${dhcp[u8(p, i + 2)] || '?'}${u8(p, 16) ? ` ${ip4(p, 16)}` : ''}`;
    return '';
}

/** @param {Part} p */
function tftpWords(p) {
    const op = u16(p, 0);

    return `${tftp[op] || '?'} ${op === 5 ? letters(p, 4) : op === 3 || op === 4 ? u16(p, 2) : letters(p, 2)}`.trim();
}

/** @param {Part} p */
function dnsWords(p) {
    const labels = [];

    for (let i = 12; u8(p, i) && u8(p, i) < 64 && labels.length < 20; i += 1 + u8(p, i))
        labels.push(letters(p, i + 1, u8(p, i)));
    return `${u8(p, 2) & 0x80 ? ['Answer', , , 'Name error'][u8(p, 3) & 15] || 'Refusal' : 'Query'} ${labels.join('.')}`;
}

const isText = (/** @type {Part} */ p) => /^(SIP\/2\.0 \d|[A-Z]+ \S+ SIP\/2\.0$)/.test(letters(p, 0, 300));

/** What is in a datagram or a segment.
 * @param {Part} p
 * @param {number} a
 * @param {number} b ports
 * @param {boolean} tcp
 * @param {Set<number>} tids ports of clients that asked for a file */
function payload(p, a, b, tcp, tids) {
    const either = (/** @type {number} */ port) => a === port || b === port;
    const first = letters(p, 0);

    if (isText(p) || either(5060))
        return ['SIP', size(p) > 4 ? first : 'keepalive'];
    if (tcp && (either(2000) || (size(p) >= 12 && le32(p, 0) + 8 <= size(p) && le32(p, 0) >= 4 && le32(p, 0) < 3000 && le32(p, 4) < 32 && sccp[le32(p, 8)])))
        return ['SCCP', sccpWords(p)];
    if (tcp && tls[u8(p, 0)] && u8(p, 1) === 3)
        return ['TLS', tls[u8(p, 0)]];
    if (tcp && /^(GET|POST|HEAD|HTTP\/1)/.test(first))
        return ['HTTP', first];
    if (!tcp && (either(67) || either(68)))
        return ['DHCP', dhcpWords(p)];
    if (!tcp && either(53))
        return ['DNS', dnsWords(p)];
    if (!tcp && u16(p, 0) === 1 && letters(p, 2)) /* a request, whatever the port: the answers come from another one */
        tids.add(a);
    if (!tcp && (tids.has(a) || tids.has(b)) && u16(p, 0) > 0 && u16(p, 0) < 7)
        return ['TFTP', tftpWords(p)];
    return [tcp ? 'TCP' : 'UDP', ''];
}

/* --- packets --- */

/** @param {Part} p
 * @param {number} protocol
 * @param {Set<number>} tids */
function transport(p, protocol, tids) {
    const [a, b] = [u16(p, 0), u16(p, 2)];

    if (protocol === 17)
        return { ports: [a, b], said: payload(from(p, 8), a, b, false, tids) };
    if (protocol !== 6)
        return { ports: null, said: [protocol === 1 ? 'ICMP' : `IP ${protocol}`, protocol === 1 && u8(p, 0) === 3 ? `unreachable (${u8(p, 1)})` : ''] };
    const flags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK'].filter((_, i) => u8(p, 13) >> i & 1 && i !== 3);
    const rest = from(p, (u8(p, 12) >> 4) * 4);

    return { ports: [a, b], said: size(rest) && !flags.includes('SYN') ? payload(rest, a, b, true, tids) : ['TCP', flags.join(' ')] };
}

/** @param {Part} p an Ethernet frame
 * @param {Set<number>} tids */
function frame(p, tids) {
    let at = 12;

    while (u16(p, at) === 0x8100)
        at += 4;
    const kind = u16(p, at);
    const ends = { from: mac(p, 6), to: mac(p, 0) };
    let ip = from(p, at + 2);

    if (kind === 0x0806)
        return { ...ends, protocol: 'ARP', what: u16(ip, 6) === 1 ? `who has ${ip4(ip, 24)}? tell ${ip4(ip, 14)}` : `${ip4(ip, 14)} is at ${mac(ip, 8)}` };
    if (kind === 0x88cc || (kind < 0x600 && u16(ip, 6) === 0x2000))
        return { ...ends, protocol: kind === 0x88cc ? 'LLDP' : 'CDP', what: '' };
    if (kind !== 0x0800 && kind !== 0x86dd)
        return { ...ends, protocol: `0x${kind.toString(16)}`, what: '' };
    const v6 = kind === 0x86dd;
    const [source, to] = v6 ? [ip6(ip, 8), ip6(ip, 24)] : [ip4(ip, 12), ip4(ip, 16)];

    ip = from(ip, 0, v6 ? 40 + u16(ip, 4) : u16(ip, 2) || Infinity); /* a short frame is padded */
    const { ports, said } = !v6 && u16(ip, 6) & 0x1fff ? { ports: null, said: ['IP', 'fragment'] }
        : transport(from(ip, v6 ? 40 : (u8(ip, 0) & 15) * 4), v6 ? u8(ip, 6) : u8(ip, 9), tids);

    return { from: ports ? `${source}:${ports[0]}` : source, to: ports ? `${to}:${ports[1]}` : to, protocol: said[0], what: said[1] };
}

/** @param {Part} p tags, and the message behind them */
function message(p) {
    const ends = { from: ['', 0], to: ['', 0] };
    let name = '';
    let i = 0;

    for (let tag = u16(p, 0); tag && i < size(p); tag = u16(p, i)) {
        const value = from(p, i + 4, u16(p, i + 2));
        const of = [20, 22, 25].includes(tag) ? ends.from : ends.to;

        if (tag === 12)
            name = letters(value, 0);
        else if (tag === 20 || tag === 21)
            of[0] = ip4(value, 0);
        else if (tag === 22 || tag === 23)
            of[0] = ip6(value, 0);
        else if (tag === 25 || tag === 26)
            of[1] = u16(value, 2);
        i += 4 + u16(p, i + 2);
    }
    const body = from(p, i + 4);

    return { from: ends.from.join(':'), to: ends.to.join(':'), protocol: name === 'skinny' ? 'SCCP' : name.toUpperCase(),
        what: name === 'skinny' ? sccpWords(body) : name === 'dhcp' ? dhcpWords(body) : letters(body, 0) };
}

/** Reads a recording from its beginning, or on from where it was left: what is not whole yet is read the next time. */
export class Recording {
    constructor() {
        this.read = 0; /* bytes */
        this.link = ETHERNET;
        /** @type {Set<number>} */
        this.tids = new Set();
        /** @type {Packet[]} the newest, the oldest of them first */
        this.packets = [];
        this.count = 0;
    }

    /** @param {ArrayBuffer} bytes the whole file so far
     * @param {number} most packets that are kept */
    take(bytes, most) {
        const v = new DataView(bytes);

        while (this.read + 12 <= bytes.byteLength) {
            const length = v.getUint32(this.read + 4, true);
            const kind = v.getUint32(this.read, true);

            if (length < 12 || this.read + length > bytes.byteLength)
                return;
            const p = { v, at: this.read + 8, end: this.read + length - 4 };

            this.read += length;
            if (kind === 1)
                this.link = u8(p, 0) | u8(p, 1) << 8;
            else if (kind === 6)
                this.put(p);
        }
        this.packets = this.packets.slice(-most);
    }

    /** @param {Part} p an enhanced packet block; the server writes nanoseconds */
    put(p) {
        const bytes = from(p, 20, le32(p, 12));
        const at = (le32(p, 4) * 2 ** 32 + le32(p, 8)) / 1e9;

        this.count++;
        this.packets.push({ at, length: le32(p, 16), ...(this.link === MESSAGES ? message(bytes) : frame(bytes, this.tids)) });
    }
}
