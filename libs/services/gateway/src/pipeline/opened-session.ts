import { Refusal } from '@gatehouse/kernel';
import type { Destination, SmallAnswer } from '@gatehouse/outbound';
import type { Edge } from '../edge.js';
import { leaseIdentity, renewRefused } from '../identity/lease-identity.js';
import { challengeIn } from '../identity/refused-credential.js';
import { isOpenedAs, type OpenSession } from '../sessions/session.js';
import { postTo } from '../sessions/upstream-post.js';
import { openUpstreamSession, type UpstreamSession } from '../sessions/upstream-session.js';
import type { Identified } from './identify.js';
import { baseHeaders } from './upstream-headers.js';

/**
 * The session at the upstream that a call belongs to: the one its client opened, or, where that was opened
 * with another identity or none (an account was connected since), one opened now with what the client said
 * of itself. Refuses as the upstream's `initialize` does, and with `identity_dead`, `credential_expired`.
 */
export function openedSession(identified: Identified, destination: Destination, edge: Edge): UpstreamSession | undefined | Promise<UpstreamSession> {
  const { session, server } = identified.resolved;
  const identityId = identified.choice.identity?.id ?? null;
  // A connection of HTTP+SSE is the session: it is opened where it is used.
  if (session === undefined || isOpenedAs(session, identityId) || server.entry.transport === 'sse') return session;
  const known = edge.upstreamSessions.known(session, identityId);
  return known ?? edge.upstreamSessions.of(session, identityId, () => openedAccepted({ session, identified, destination }, edge));
}

interface Order {
  session: OpenSession;
  identified: Identified;
  destination: Destination;
}

async function openedAccepted(order: Order, edge: Edge): Promise<UpstreamSession> {
  const first = await tried(order, edge);
  if (!('challenge' in first)) return first;
  const second = (await isRenewed(order, first.challenge, edge)) ? await tried(order, edge) : first;
  if ('challenge' in second) throw new Refusal('identity_dead', { reason: 'not_accepted' });
  return second;
}

async function isRenewed({ identified: { resolved, choice }, destination }: Order, challenge: string, edge: Edge): Promise<boolean> {
  if (choice.identity === null) throw new Refusal('upstream_refused', { status: 401 });
  const lease = await leaseIdentity(choice.identity, resolved.server, destination, edge);
  if (await renewRefused(choice.identity, lease, challenge, edge)) return true;
  throw new Refusal('upstream_refused', { status: 401 });
}

/** The session, or what the server said that does not accept the credential. */
async function tried({ session, identified: { resolved, choice }, destination }: Order, edge: Edge): Promise<UpstreamSession | { challenge: string }> {
  const lease = choice.identity === null ? undefined : await leaseIdentity(choice.identity, resolved.server, destination, edge);
  let challenge: string | undefined;
  const judge = (answer: SmallAnswer): void => void (challenge = challengeIn(answer));
  const send = postTo(destination, { headers: baseHeaders(resolved, lease), timeoutMs: edge.patience.headMs, judge });
  const params = await edge.initializes.of(session);
  try {
    return await openUpstreamSession(send, params);
  } catch (error) {
    if (challenge === undefined) throw error;
    return { challenge };
  }
}
