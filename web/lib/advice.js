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
    DuplicateRegistration: () => t('Two devices use one name: find the second by its address.'),
};

/** @param {string} alarm
 * @param {string} severity */
export const adviceOn = (alarm, severity) => advice[alarm]?.() ||
    (['emergency', 'alert', 'critical', 'error', 'warning'].includes(severity) ? t('Open the phone or the service it names; its history tells what came before.') : t('Nothing: it is told for the record.'));
