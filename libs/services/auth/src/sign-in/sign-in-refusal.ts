import { PageRefusal, refusalRow as row, type RefusalRow } from '../pages/page-refusal.js';

/** Every way in which a sign-in ends without a person: what is recorded, and what the person reads. */
export const SIGN_IN_REFUSALS = {
  over: row('bad_request', 400, 'This sign-in is over', 'It took too long, was used already, or was begun in another browser. Start again where you came from.'),
  bad_return: row('bad_request', 400, 'This link leads nowhere', 'Gatehouse only returns to its own pages after a sign-in. Start again from your client.'),
  bad_form: row('origin_denied', 403, 'This form was not sent from here', 'The page was open too long or belongs to another site. Go back, reload the page and try again.'),
  too_many: row('rate_limited', 429, 'Too many sign-ins', 'Too many sign-ins were begun from your address. Wait a minute and try again.'),
  unknown_provider: row('not_found', 404, 'There is no such sign-in', 'This identity provider is not set up here any more. Start again.'),
  cancelled: row('unauthenticated', 403, 'You did not sign in', 'Your organisation’s sign-in was cancelled or did not let you through. Try again, or ask your administrator.'),
  provider_refused: row('unauthenticated', 403, 'Your organisation’s sign-in said no', 'It answered with an error. Try again; if it stays, your administrator finds the reason in Gatehouse’s log.'),
  bad_answer: row('upstream_invalid', 502, 'The answer could not be trusted', 'The identity provider’s answer did not pass the checks, so nobody was signed in. Try again; if it stays, tell your administrator.'),
  unreachable: row('upstream_unreachable', 502, 'Your organisation’s sign-in does not answer', 'The identity provider could not be reached or is in trouble. Try again in a moment.'),
  slow: row('upstream_timeout', 504, 'Your organisation’s sign-in is too slow', 'The identity provider did not answer in time. Try again in a moment.'),
  not_fresh: row('unauthenticated', 403, 'You have to sign in anew', 'Your client asked for a new sign-in, and the identity provider did not prove that there was one. Try again and enter your password there.'),
  not_invited: row('unauthenticated', 403, 'You are not invited yet', 'Nobody has added you to Gatehouse. Ask your administrator to add you, then sign in again.'),
  disabled: row('unauthenticated', 403, 'Your account is disabled', 'Your administrator has disabled it. Ask them if you think that this is a mistake.'),
  bad_link: row('bad_request', 400, 'This link is used up', 'A sign-in link works once, and for fifteen minutes. Ask whoever gave it to you for another; on your own computer, Gatehouse prints a new one whenever it starts.'),
  trouble: row('service_unavailable', 503, 'Gatehouse cannot sign you in now', 'A part of Gatehouse that this needs is not running. Try again in a moment.'),
} as const satisfies Record<string, RefusalRow>;

/** One of the ways. */
export type SignInRefusalReason = keyof typeof SIGN_IN_REFUSALS;

/** A sign-in that ends here; `cause` is for the log and never shown. */
export class SignInRefusal extends PageRefusal<SignInRefusalReason> {
  constructor(reason: SignInRefusalReason, options: { cause?: unknown } = {}) {
    super(reason, SIGN_IN_REFUSALS[reason], options);
  }
}
