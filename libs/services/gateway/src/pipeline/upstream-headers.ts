import { isReservedHeader, Refusal } from '@gatehouse/kernel';
import type { LeasedCredential } from '../credentials/leased-credential.js';
import type { Edge } from '../edge.js';
import { headerOf } from '../http/request-head.js';
import { openEventId } from '../sessions/session.js';
import type { UpstreamSession } from '../sessions/upstream-session.js';
import type { Resolved } from './resolve.js';

const USER_AGENT = 'gatehouse';

/**
 * The headers of a call, from an allow-list: nothing the client sent gets in but what is named here or by
 * the server's administrator (E-46). Refuses with `unknown_session` (a `Last-Event-ID` of another session).
 */
export function headersOf(resolved: Resolved, opened: UpstreamSession | undefined, lease: LeasedCredential | undefined, edge: Edge): Record<string, string> {
  const { intent } = resolved;
  const headers: Record<string, string> = { 'user-agent': USER_AGENT, accept: 'application/json, text/event-stream' };
  if (resolved.bytes.length > 0) headers['content-type'] = 'application/json';
  if (opened !== undefined) headers['mcp-protocol-version'] = opened.protocolVersion;
  if (opened?.upstreamId != null) headers['mcp-session-id'] = opened.upstreamId;
  if (intent.kind === 'listen') resumeFrom(resolved, headers, edge);
  return ofServer(resolved, headers, lease);
}

/** The headers of a message of our own: those of the server and the credential. */
export function baseHeaders(resolved: Resolved, lease: LeasedCredential | undefined): Record<string, string> {
  return ofServer(resolved, { 'user-agent': USER_AGENT }, lease);
}

// In this order: what an administrator set wins over what the client sent, the credential over both.
function ofServer(resolved: Resolved, headers: Record<string, string>, lease: LeasedCredential | undefined): Record<string, string> {
  const { entry } = resolved.server;
  if (entry.forwardHeaders.length > 0) forwardFrom(resolved, headers);
  for (const [name, value] of entry.headers) headers[name.toLowerCase()] = value;
  for (const [name, value] of lease?.lines ?? []) headers[name] = value.use((bytes) => bytes.toString('latin1'));
  return headers;
}

/** What speaks for the caller to us, besides the names that nobody may set; policy refuses all of them when they are given. */
const SPEAKS_TO_US = new Set(['authorization', 'dpop']);

const forwarded = new WeakMap<readonly string[], readonly string[]>();

/** The names that may go up, lower case; made once per list of a snapshot. */
function forwardedOf(names: readonly string[]): readonly string[] {
  const held = forwarded.get(names);
  if (held !== undefined) return held;
  const made = names.map((name) => name.toLowerCase()).filter((name) => !SPEAKS_TO_US.has(name) && !isReservedHeader(name));
  forwarded.set(names, made);
  return made;
}

function forwardFrom({ caller, server }: Resolved, headers: Record<string, string>): void {
  for (const name of forwardedOf(server.entry.forwardHeaders)) {
    const sent = headerOf(caller.received.request, name);
    if (sent !== undefined) headers[name] = sent;
  }
}

function resumeFrom(resolved: Resolved, headers: Record<string, string>, edge: Edge): void {
  headers['accept'] = 'text/event-stream';
  const sealed = headerOf(resolved.caller.received.request, 'last-event-id');
  if (sealed === undefined) return;
  const eventId = openEventId(sealed, resolved.session!, edge.keys.session);
  if (eventId === undefined) throw new Refusal('unknown_session');
  headers['last-event-id'] = eventId;
}
