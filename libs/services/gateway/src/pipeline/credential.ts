import type { Destination } from '@gatehouse/outbound';
import { Refusal } from '@gatehouse/kernel';
import type { LeasedCredential } from '../credentials/leased-credential.js';
import type { Edge } from '../edge.js';
import { openEventId } from '../sessions/session.js';
import { headerOf } from '../http/request-head.js';
import { leaseIdentity } from '../identity/lease-identity.js';
import type { Identified } from './identify.js';
import type { Resolved } from './resolve.js';

interface Parts {
  identified: Identified;
  destination: Destination;
  headers: Record<string, string>;
  lease: LeasedCredential | undefined;
}

let earn: (parts: Parts) => Armed;

/** A permitted call with everything to send it: headers for one origin, and no other. */
export class Armed {
  protected readonly earned = true;
  readonly resolved: Resolved;
  readonly identified: Identified;
  readonly destination: Destination;
  /** Built from an allow-list: nothing the client sent as a header gets in but what is named here (E-46). */
  readonly headers: Record<string, string>;
  readonly lease: LeasedCredential | undefined;

  private constructor({ identified, destination, headers, lease }: Parts) {
    this.resolved = identified.resolved;
    this.identified = identified;
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
 * Attaches the credential of the chosen identity. Refuses with `url_refused`, `credential_missing`,
 * `credential_unbound`, `credential_expired`, `identity_dead`, `vault_unavailable`, `unknown_session` (a
 * `Last-Event-ID` of another session).
 */
export async function credential(identified: Identified, edge: Edge): Promise<Armed> {
  const { resolved, choice } = identified;
  const { destination } = resolved.server;
  if (destination instanceof Refusal) throw destination;
  const lease = choice.identity === null ? undefined : await leaseIdentity(choice.identity, resolved.server, destination, edge);
  const { draft } = resolved.caller.received;
  const headers = headersOf(resolved, edge, lease);
  draft.mark('credential');
  return earn({ identified, destination, headers, lease });
}

/** The same call with the credential as it is by now: after the server refused the one before. */
export function rearmed({ identified }: Armed, edge: Edge): Promise<Armed> {
  return credential(identified, edge);
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
