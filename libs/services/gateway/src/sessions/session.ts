import { hash } from 'node:crypto';
import { isJsonObject, type AeadKey, type JsonObject } from '@gatehouse/kernel';

/** What a session id of ours holds, sealed: nothing about a session is kept anywhere else. */
export interface Session {
  readonly callerId: string;
  /** The client: today the token it uses. Another client of the same person is another session. */
  readonly tokenId: string;
  readonly serverId: string;
  /** The upstream's own session id, when it gave one. */
  readonly upstreamId: string | null;
  /** With which identity the upstream's session was opened: its id, null for none, `NOBODY` while it was not. */
  readonly openedAs: string | null;
  readonly protocolVersion: string;
  /** What the client declared it can be asked (sampling, elicitation, roots). */
  readonly clientCapabilities: JsonObject;
  readonly clientName: string | null;
  readonly clientVersion: string | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** A session with the id it came under. */
export interface OpenSession extends Session {
  readonly id: string;
  /** SHA-256 of the id, shortened: what logs, records and the ephemeral store may carry. */
  readonly digest: string;
}

/** In place of an identity: the session was opened here alone, since its client had no account there yet. */
export const NOBODY = 'nobody';

/** Whether the session began without an account to open one at the upstream with. */
export function isPending({ openedAs }: Session): boolean {
  return openedAs === NOBODY;
}

/** Whether the upstream's session was opened with this identity: in another's name it is not gone on with. */
export function isOpenedAs({ openedAs }: Session, identityId: string | null): boolean {
  // Ids sealed by an earlier release do not say.
  return openedAs === identityId || openedAs === undefined;
}

const FIRST_WITH_PAGES = '2025-11-25';

/** Whether the session's client has its person open pages when it is asked to (2025-11-25 client/elicitation, URL mode). */
export function opensPages({ protocolVersion, clientCapabilities }: Session): boolean {
  const elicitation = clientCapabilities['elicitation'];
  return protocolVersion >= FIRST_WITH_PAGES && isJsonObject(elicitation) && isJsonObject(elicitation['url']);
}

const CONTEXT = 'mcp.session.v1';
const EVENT_CONTEXT = 'mcp.event.v1:';

/** Short name of a session id that does not give the id away. */
export function sessionDigest(id: string): string {
  return hash('sha256', id, 'base64url').slice(0, 22);
}

/** Mints the id of a session: sealed with the active key, so that any edge can open it. */
export function sealSession(session: Session, keys: readonly AeadKey[]): string {
  return keys[0]!.seal(Buffer.from(JSON.stringify(session)), CONTEXT);
}

/** Opens a session id with any of the keys; `undefined` for anything that is not ours or is over. */
export function openSession(id: string, keys: readonly AeadKey[], now: number): OpenSession | undefined {
  for (const key of keys) {
    const plain = key.open(id, CONTEXT);
    if (plain === undefined) continue;
    const session = JSON.parse(plain.toString('utf8')) as Session;
    return session.expiresAt > now ? { ...session, id, digest: sessionDigest(id) } : undefined;
  }
  return undefined;
}

/** Seals an upstream's event id for one session: in another session it opens to nothing (E-44). */
export function sealEventId(eventId: string, session: OpenSession, keys: readonly AeadKey[]): string {
  return keys[0]!.seal(Buffer.from(eventId), EVENT_CONTEXT + session.digest);
}

/** The upstream's event id behind a `Last-Event-ID`, if it was sealed for this session. */
export function openEventId(sealed: string, session: OpenSession, keys: readonly AeadKey[]): string | undefined {
  for (const key of keys) {
    const plain = key.open(sealed, EVENT_CONTEXT + session.digest);
    if (plain !== undefined) return plain.toString('utf8');
  }
  return undefined;
}
