import { asRefusalOrFault, Refusal } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import type { FastifyReply } from 'fastify';
import { RECORD_HEADER, recordHeader, type OutcomeRecord } from '../http/outcome-record.js';
import { html, sendPage } from '../pages/page.js';
import type { SignInHandler } from '../sign-in/sign-in-answers.js';
import { SIGN_IN_REFUSALS, SignInRefusal } from '../sign-in/sign-in-refusal.js';
import { CONNECT_REFUSALS, ConnectRefusal } from './connect-refusal.js';
import { problemFacts } from './sign-in-problem.js';

const NOTHING = { code: null, callerId: null, callerName: null, clientId: null, target: null };

/** Lets the edge record that an account was connected, or was not. */
export function recordConnect(reply: FastifyReply, of: Partial<OutcomeRecord> & { kind: 'account_connected' | 'account_refused' }): void {
  void reply.header(RECORD_HEADER, recordHeader({ ...NOTHING, ...of }));
}

/** Runs a handler; whatever it throws becomes a page in our own words, a log line and a record. */
export function connecting(log: Logger, handler: SignInHandler): SignInHandler {
  return async (request, reply) => {
    try {
      return await handler(request, reply);
    } catch (error) {
      return refused(reply, log, error);
    }
  };
}

/** The page of a refusal, with its log line and record. */
export function refused(reply: FastifyReply, log: Logger, error: unknown): FastifyReply {
  const problem = asRefusalOrFault(error);
  if (!(problem instanceof Refusal)) log.error({ err: problem, id: problem.id }, 'an account could not be connected');
  else log.info({ reason: problem.details['reason'] ?? problem.code, ...problemFacts(problem.cause) }, 'no account was connected');
  const { code, status, title, text } = rowOf(problem);
  if (code !== 'rate_limited') recordConnect(reply, { kind: 'account_refused', code });
  const id = problem instanceof Refusal ? undefined : html`<p class="faint">For your administrator: <code>${problem.id}</code></p>`;
  return sendPage(reply, status, title, html`<p>${text}</p>${id}`);
}

function rowOf(problem: unknown): (typeof CONNECT_REFUSALS)['over'] {
  if (problem instanceof ConnectRefusal) return CONNECT_REFUSALS[problem.reason] as (typeof CONNECT_REFUSALS)['over'];
  if (problem instanceof SignInRefusal) return SIGN_IN_REFUSALS[problem.reason] as unknown as (typeof CONNECT_REFUSALS)['over'];
  return CONNECT_REFUSALS.trouble;
}
