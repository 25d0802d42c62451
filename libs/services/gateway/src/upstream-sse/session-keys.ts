import { randomBytes } from 'node:crypto';
import type { Armed } from '../pipeline/credential.js';

/** Whose connection it is; two that differ in anything never share one. */
export interface ConnectionUse {
  /** Caller, client, server and session, as one text. */
  readonly key: string;
  readonly callerId: string;
  readonly serverId: string;
  /** Address and restarts of the server, and the identity whose credential opened it: another one is another connection. */
  readonly grounds: string;
}

/** What stands for the upstream's session id inside ours, where the upstream has none: it never leaves. */
export function newConnectionId(): string {
  return `sse-${randomBytes(16).toString('base64url')}`;
}

/** The connection that a call belongs to; `connectionId` for an `initialize`, which has no session yet. */
export function useOf({ resolved, identified }: Armed, connectionId?: string): ConnectionUse {
  const { server, session, caller } = resolved;
  const { account, tokenId } = caller.who;
  const { id: serverId, url, restarts } = server.entry;
  const own = connectionId ?? session!.upstreamId ?? session!.digest;
  return {
    key: JSON.stringify([serverId, account.id, tokenId, own]),
    callerId: account.id,
    serverId,
    grounds: JSON.stringify([url, restarts, identified.choice.identity?.id ?? null]),
  };
}
