// advice.js - what to do about an alarm, in a sentence for whoever reads the event viewer. Alarms that need nothing have none.
import { t } from './words.js';

/** @type {Record<string, () => string>} by the alarm's name */
const advice = {
    EndPointUnregistered: () => t('Look at the reason. One phone: its cable, its switch port, its power. Many at once: the switch or the link they share, or this server’s load.'),
    EndPointTransientConnection: () => t('The phone reached the server and was not let in: open it, its history says which answer it got. Unknown phones are adopted under Newcomers.'),
    DevicePartiallyRegistered: () => t('Some of the phone’s lines are refused: compare its lines here with what the phone shows.'),
    SIPLineRegistrationError: () => t('The phone asks for a line that it does not have here, or with a wrong password: correct its lines, then reset it.'),
    DeviceTypeMismatch: () => t('The model in the database is not the phone’s: delete the phone and add it with the model it reports.'),
    ConnectionFailure: () => t('The TLS handshake failed: the phone may know older versions only, or distrust this certificate. See the certificates and the TLS ports.'),
    StationPortInitError: () => t('Another program holds the port: the control center names it. Stop it, then start the service.'),
    ServicePortOffline: () => t('The port was closed: if nobody stopped the service, the control center says why.'),
    DeviceInitTimeout: () => t('The phone connected and then said nothing: restart it; if that recurs, capture its packets.'),
    DeviceCloseMaxEventsExceeded: () => t('The phone sends without end: restart it, and update its firmware if that recurs.'),
    NumDevRegExceeded: () => t('Raise the limit in the service parameters, or add a node.'),
    DbInfoError: () => t('The phone’s record refers to something that is not there: open the phone and save it again.'),
    SuspiciousIPAddress: () => t('Somebody there tries names or numbers: find that address in the network. The block ends by itself.'),
    DuplicateDevice: () => t('Two devices use one name: find the second by its address.'),
    DeviceFromElsewhere: () => t('If nobody moved the phone, somebody else uses its name while it is off: find him by the address. With a security profile that asks for digest or TLS, phones prove who they are.'),
    DeviceToggle: () => t('The phone changes between two nodes: look at the link to the first one.'),
    PhoneDiagnosed: () => t('The doctor’s page says why, and what to do.'),
    ServingFileWarning: () => t('Usual for a phone that nobody added, and for files that it can do without. Firmware that is missing here is listed under Firmware.'),
    NoCallManagerFound: () => t('Give the phone’s device pool a CallManager group with a member.'),
    SourceThrottled: () => t('The phone sends without end: restart it, and update its firmware if that recurs.'),
    DHCPScopeExhausted: () => t('Widen the scope, or shorten its lease time.'),
    DHCPAddressInUse: () => t('A device uses this address without having been given it: take the address out of the scope.'),
    DHCPOtherServer: () => t('A second DHCP server answers there: switch it off, or choose side-car under First steps.'),
    DHCPRequestStorm: () => t('A client asks without end: find it by its address, look at its cable and firmware.'),
    DeviceFileNotYours: () => t('A device asked for the file of another one: find it by its address.'),
    ActivationCodeWrong: () => t('Type the code again; the phone’s record can make a new one.'),
    CMVersionMismatch: () => t('Install the same version on all nodes.'),
    NodeNotTrusted: () => t('Compare the fingerprint that the node shows with the one of its record.'),
    StationEventAlert: () => t('The phone tells why it was away, or what troubles it: read its text; its history tells what came before.'),
    PhoneEvent: () => advice.StationEventAlert(),
    ClockSet: () => t('Look at the time service of this machine. Registrations and keepalives do not follow the clock; only times of events before and after do not compare.'),
    TimerThreadSlowed: () => t('This machine did not run for a while: look at the host of a virtual machine (processor time, snapshots, suspension).'),
    TokenRequestStorm: () => t('Update the phone’s firmware; or find by the address who asks in its name. It pushes no other phone back.'),
    KeepAliveLate: () => t('Its advice says what fits: the path loses or delays keepalives. A longer interval or delayed failover bridges that; repairing the path ends it.'),
    SDLLinkOOS: () => t('The other node does not answer: is it up, and is the cluster port open between them?'),
};

for (const name of ['DeviceNamesGuessed', 'ActivationCodeGuessed', 'authFail'])
    advice[name] = advice.SuspiciousIPAddress;
for (const name of ['DHCPLeasesNotStored', 'FileWriteError', 'CNFFBuffWriteToFilefwritefailed', 'kDbConnectionFailed', 'DbInfoTimeout'])
    advice[name] = () => t('The disk cannot be written: look at its room, and at the rights of the data folder.');
for (const name of ['SocketError', 'TFTPServerListenBindFailed', 'ServiceStartupFailed', 'ServiceFailed', 'CallManagerFailure'])
    advice[name] = () => t('The control center says why, and starts it again.');


/** @param {string} alarm
 * @param {string} severity */
export const adviceOn = (alarm, severity) => advice[alarm]?.() ||
    (['emergency', 'alert', 'critical', 'error', 'warning'].includes(severity) ? t('Open the phone or the service it names; its history tells what came before.') : t('Nothing: it is told for the record.'));
