import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { endGrants } from '../authorization-server/end-grants.js';
import type { RateLimits } from '../authorization-server/rate-limits.js';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { accountOf } from './account-rows.js';
import { endSessionsAtProvider } from './login-session-rows.js';
import { LOGOUT_TOKEN_MS, type LogoutNotice, type LogoutTokens } from './logout-token.js';
import { factsOf } from './provider-answers.js';
import { record } from './record-header.js';
import { SignInRefusal } from './sign-in-refusal.js';

/** What the back-channel logout works with. */
export interface BackChannelLogoutParts {
  tokens: LogoutTokens;
  changes: DirectoryChanges;
  limits: RateLimits;
  log: Logger;
  clock: Clock;
}

/** A provider signs many people out at once; a stranger must not have signatures checked without end. */
const TOKENS = { burst: 600, perMinute: 600 };

interface Ended {
  sessions: number;
  grants: number;
  callerId: string | null;
}

/**
 * `POST /logout/backchannel` (OpenID Connect Back-Channel Logout 1.0): the provider says that somebody's
 * session there is over, so their login sessions here and every grant given in them are over too;
 * edges hear of it with the directory.
 */
export function registerBackChannelLogout(fastify: FastifyInstance, parts: BackChannelLogoutParts): void {
  fastify.post('/logout/backchannel', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    if (parts.limits.take(`logout ${request.ip}`, TOKENS) > 0) return reply.status(429).send({ error: 'temporarily_unavailable' });
    try {
      return await logOut(parts, request, reply);
    } catch (error) {
      return refuse(parts.log, reply, error);
    }
  });
}

async function logOut({ tokens, changes, log, clock }: BackChannelLogoutParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  const notice = await tokens.verify(form.get('logout_token') ?? '');
  const { result } = await changes.apply(async (tx) => {
    await useUp(tx, notice, clock.now());
    const ended = await end(tx, notice, clock.now());
    return { result: ended, changed: ended.grants > 0 };
  });
  const target = notice.provider.name;
  log.info({ ...result, provider: target }, 'signed out by the identity provider');
  record(reply, { kind: 'sign_out', callerId: result.callerId, target });
  return reply.status(200).send({});
}

async function useUp(tx: Transaction, { jtiHash }: LogoutNotice, nowMs: number): Promise<void> {
  await tx.query('DELETE FROM used_logout_tokens WHERE until <= $1', [nowMs]);
  const first = await tx.query('INSERT INTO used_logout_tokens (jti_hash, until) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING jti_hash', [
    jtiHash,
    nowMs + 2 * LOGOUT_TOKEN_MS,
  ]);
  if (first.length === 0) throw new SignInRefusal('bad_answer', { cause: new Error('the token was used before') });
}

async function end(tx: Transaction, { provider, sid, subject }: LogoutNotice, nowMs: number): Promise<Ended> {
  const sessions = await endSessionsAtProvider(tx, { provider: provider.name, sid, subject });
  let grants = 0;
  for (const loginSession of sessions) grants += await endGrants(tx, { loginSession }, nowMs);
  const person = subject === undefined ? undefined : await accountOf(tx, { issuer: provider.settings.issuer, subject });
  // Without a session everything of the person is meant (section 2.6, step 7 "sub").
  if (person !== undefined && sid === undefined) grants += await endGrants(tx, { callerId: person.id }, nowMs);
  return { sessions: sessions.length, grants, callerId: person?.id ?? null };
}

function refuse(log: Logger, reply: FastifyReply, error: unknown): FastifyReply {
  const isOurs = !(error instanceof SignInRefusal) && !(error instanceof Refusal && error.code.startsWith('upstream'));
  if (isOurs) log.error({ err: error }, 'a logout token could not be looked at');
  else log.warn(factsOf(error), 'a logout token was refused');
  const code = error instanceof SignInRefusal ? 'unauthenticated' : 'service_unavailable';
  record(reply, { kind: 'sign_out_refused', code });
  const body = { error: isOurs ? 'temporarily_unavailable' : 'invalid_request', error_description: isOurs ? 'try again later' : 'the logout token was refused' };
  return reply.status(isOurs ? 503 : 400).send(body);
}
