import type { Destination } from '@gatehouse/outbound';
import { Refusal } from '@gatehouse/kernel';
import type { LeasedCredential } from '../credentials/leased-credential.js';
import type { Edge } from '../edge.js';
import { openEventId } from '../sessions/session.js';
import { headerOf } from '../http/request-head.js';
import type { Authorized } from './authorize.js';
import type { Resolved } from './resolve.js';
import { serverFacts } from './record-parts.js';

interface Parts {
  authorized: Authorized;
  destination: Destination;
  headers: Record<string, string>;
  lease: LeasedCredential | undefined;
}

let earn: (parts: Parts) => Armed;

/** A permitted call with everything to send it: headers for one origin, and no other. */
export class Armed {
  protected readonly earned = true;
  readonly resolved: Resolved;
  readonly destination: Destination;
  /** Built from an allow-list: nothing the client sent as a header gets in but what is named here (E-46). */
  readonly headers: Record<string, string>;
  readonly lease: LeasedCredential | undefined;

  private constructor({ authorized, destination, headers, lease }: Parts) {
    this.resolved = authorized.resolved;
    this.destination = destination;
    this.headers = headers;
    this.lease = lease;
  }

  static {
    earn = (parts) => new Armed(parts);
  }
}

const USER_AGENT = 'gatehouse';

/**
 * Attaches the credential of the server's identity. Refuses with `url_refused`, `credential_missing`,
 * `credential_unbound`, `vault_unavailable`, `unknown_session` (a `Last-Event-ID` of another session).
 */
export async function credential(authorized: Authorized, edge: Edge): Promise<Armed> {
  const { resolved } = authorized;
  const { destination } = resolved.server;
  if (destination instanceof Refusal) throw destination;
  const lease = await leaseOf(resolved, destination, edge);
  const { draft } = resolved.caller.received;
  const headers = headersOf(resolved, edge, lease);
  draft.mark('credential');
  return earn({ authorized, destination, headers, lease });
}

/** Whose credential the call will carry, for the record: known before the lease is asked for. */
export function noteIdentity({ resolved }: Authorized): void {
  resolved.caller.received.draft.facts.identity = serverFacts(resolved.server).identity;
}

async function leaseOf(resolved: Resolved, destination: Destination, edge: Edge): Promise<LeasedCredential | undefined> {
  const { entry } = resolved.server;
  if (entry.identityMode === 'none') return undefined;
  if (entry.identityId === null) throw new Refusal('credential_missing');
  const target = { identityId: entry.identityId, server: entry, origin: destination.origin };
  return edge.leases.held(target) ?? (await edge.leases.fetch(target));
}

function headersOf(resolved: Resolved, edge: Edge, lease: LeasedCredential | undefined): Record<string, string> {
  const { session, intent } = resolved;
  const headers: Record<string, string> = { 'user-agent': USER_AGENT, accept: 'application/json, text/event-stream' };
  if (resolved.bytes.length > 0) headers['content-type'] = 'application/json';
  if (session !== undefined) headers['mcp-protocol-version'] = session.protocolVersion;
  if (session?.upstreamId != null) headers['mcp-session-id'] = session.upstreamId;
  if (intent.kind === 'listen') resumeFrom(resolved, headers, edge);
  for (const [name, value] of resolved.server.entry.headers) headers[name.toLowerCase()] = value;
  for (const [name, value] of lease?.lines ?? []) headers[name] = value.use((bytes) => bytes.toString('latin1'));
  return headers;
}

function resumeFrom(resolved: Resolved, headers: Record<string, string>, edge: Edge): void {
  headers['accept'] = 'text/event-stream';
  const sealed = headerOf(resolved.caller.received.request, 'last-event-id');
  if (sealed === undefined) return;
  const eventId = openEventId(sealed, resolved.session!, edge.keys.session);
  if (eventId === undefined) throw new Refusal('unknown_session');
  headers['last-event-id'] = eventId;
}
