import { PageRefusal, refusalRow as row, type RefusalRow } from '../pages/page-refusal.js';

const AGAIN = 'Call the tool again, or ask for another link.';

/** Every way in which connecting an account ends without one: what is recorded, and what the person reads. */
export const CONNECT_REFUSALS = {
  over: row('bad_request', 400, 'This link is over', `A connect link works once, and for ten minutes. ${AGAIN}`),
  foreign: row('capability_missing', 403, 'This link is for somebody else', 'It connects the account of the person it was made for, and that is not who is signed in here. If it came to you from somebody else, close this page: nothing of yours was connected.'),
  foreign_answer: row('bad_request', 400, 'This sign-in is over', 'It took too long, was finished already, or was begun by somebody else or in another browser. Nothing was connected. Call the tool again, or ask for another link.'),
  no_server: row('unknown_server', 404, 'This server is gone', 'Your administrator has removed it from Gatehouse, so there is nothing to connect.'),
  stopped: row('server_stopped', 409, 'This server is stopped', 'Your administrator has stopped it. Connect your account when it runs again.'),
  no_account: row('conflict', 409, 'No account is needed', 'This server takes no account of yours. You can use it right away.'),
  cancelled: row('unauthenticated', 403, 'You did not allow it', `The sign-in was cancelled there, so nothing was connected. ${AGAIN}`),
  said_no: row('upstream_refused', 502, 'The sign-in there did not work', 'The provider answered with an error, so nothing was connected. Try again; if it stays, your administrator finds the reason in Gatehouse’s log.'),
  untrusted: row('upstream_invalid', 502, 'The answer could not be trusted', 'What came back did not come from where you were sent, so it was not used and nothing was connected. Try again; if it stays, tell your administrator.'),
  unreachable: row('upstream_unreachable', 502, 'The provider does not answer', 'Its sign-in could not be reached or is in trouble, so nothing was connected. Try again in a moment.'),
  not_ready: row('upstream_refused', 502, 'Nobody can sign in there yet', 'Gatehouse could not find out how to sign in to this server, or something is missing for it. Your administrator sees with a probe of the server what to do.'),
  no_pkce: row('upstream_refused', 502, 'This sign-in is not safe enough', 'The provider does not promise to protect sign-ins against theft (PKCE), so nobody is sent there. Your administrator can allow it if the provider does so all the same.'),
  not_stored: row('service_unavailable', 503, 'The account could not be stored', 'You signed in, but Gatehouse could not keep the result, so nothing was connected. Try again in a moment.'),
  trouble: row('service_unavailable', 503, 'Gatehouse cannot do this now', 'A part of Gatehouse that this needs is not running. Try again in a moment.'),
} as const satisfies Record<string, RefusalRow>;

/** One of the ways. */
export type ConnectRefusalReason = keyof typeof CONNECT_REFUSALS;

/** Connecting ends here; `cause` is for the log and never shown. */
export class ConnectRefusal extends PageRefusal<ConnectRefusalReason> {
  constructor(reason: ConnectRefusalReason, options: { cause?: unknown } = {}) {
    super(reason, CONNECT_REFUSALS[reason], options);
  }
}
