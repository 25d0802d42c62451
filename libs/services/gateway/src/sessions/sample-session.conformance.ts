import { randomBytes } from 'node:crypto';
import { AeadKey, newId } from '@gatehouse/kernel';
import { openSession, sealSession, type OpenSession, type Session } from './session.js';

/** The moment in which the sessions of these specs live. */
export const NOW = Date.UTC(2026, 5, 1);

/** A key as the vault leases it. */
export function newKey(id: string): AeadKey {
  return new AeadKey(id, randomBytes(32));
}

/** An ordinary session with an hour to go. */
export function sampleSession(changes: Partial<Session> = {}): Session {
  return {
    ...{ callerId: newId('person'), tokenId: newId('token'), serverId: newId('server'), upstreamId: 'upstream-1', openedAs: null },
    ...{ protocolVersion: '2025-11-25', clientCapabilities: {}, clientName: 'editor', clientVersion: '1.0', expiresAt: NOW + 3_600_000 },
    ...changes,
  };
}

/** An ordinary session that was minted and opened. */
export function opened(key: AeadKey, changes: Partial<Session> = {}): OpenSession {
  return openSession(sealSession(sampleSession(changes), [key]), [key], NOW)!;
}
