import { asRefusalOrFault, Refusal } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Rate, RateLimits } from '../authorization-server/rate-limits.js';
import { html, sendPage } from '../pages/page.js';
import { factsOf } from './provider-answers.js';
import { record, type SignInOutcome } from './record-header.js';
import { SIGN_IN_REFUSALS, SignInRefusal } from './sign-in-refusal.js';

/** One route of the sign-in. */
export type SignInHandler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Runs a handler; whatever it throws becomes a page in our own words, a log line and a record. */
export function answering(log: Logger, kind: SignInOutcome, handler: SignInHandler): SignInHandler {
  return async (request, reply) => {
    try {
      return await handler(request, reply);
    } catch (error) {
      return refuse(reply, kind, log, error);
    }
  };
}

/** Lets one address ask so often, and refuses as `too_many` beyond. */
export function braked(limits: RateLimits, rate: Rate & { name: string }, handler: SignInHandler): SignInHandler {
  return async (request, reply) => {
    if (limits.take(`${rate.name} ${request.ip}`, rate) > 0) throw new SignInRefusal('too_many');
    return handler(request, reply);
  };
}

/** Sends the browser on; never kept by a cache, and the address it came from is told to nobody. */
export function sendOn(reply: FastifyReply, location: string, cookies: readonly string[] = []): FastifyReply {
  void reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
  if (cookies.length > 0) void reply.header('set-cookie', [...cookies]);
  return reply.redirect(location, 303);
}

function refuse(reply: FastifyReply, kind: SignInOutcome, log: Logger, error: unknown): FastifyReply {
  const refusal = asSignInRefusal(error);
  const { code, status, title, text } = SIGN_IN_REFUSALS[refusal.reason];
  const problem = asRefusalOrFault(error);
  const isOurs = !(problem instanceof Refusal);
  if (isOurs) log.error({ err: problem, id: problem.id }, 'the sign-in failed');
  else log.info({ reason: refusal.reason, ...factsOf(refusal.cause) }, 'nobody was signed in');
  // A flood would fill the audit trail with what is no sign-in at all.
  if (refusal.reason !== 'too_many') record(reply, { kind, code });
  const id = isOurs ? html`<p class="faint">For your administrator: <code>${problem.id}</code></p>` : undefined;
  return sendPage(reply, status, title, html`<p>${text}</p>${id}`);
}

function asSignInRefusal(error: unknown): SignInRefusal {
  return error instanceof SignInRefusal ? error : new SignInRefusal('trouble', { cause: error });
}
