import {
  admitClientMessage,
  requireSessionEra,
  versionOfRequest,
  type AdmittedMessage,
  type McpMessage,
  type ProtocolVersion,
} from '@gatehouse/mcp';
import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import { hopsWhileDebugged } from '../debug-hops/call-hops.js';
import type { Edge } from '../edge.js';
import { headerOf } from '../http/request-head.js';
import { opensPages, type OpenSession } from '../sessions/session.js';
import type { EdgeServer, PolicyState } from '../snapshot/policy-state.js';
import type { Caller } from './authenticate.js';
import type { Read } from './read.js';
import { clientFacts, eraFacts, serverFacts } from './record-parts.js';

/** What a request asks for, by HTTP verb and kind of message. */
export type Intent =
  | { readonly kind: 'message'; readonly message: Exclude<McpMessage, { kind: 'response' }>; readonly admitted: AdmittedMessage }
  | { readonly kind: 'response'; readonly message: Extract<McpMessage, { kind: 'response' }> }
  | { readonly kind: 'listen' }
  | { readonly kind: 'end' };

interface Parts {
  read: Read;
  policy: PolicyState;
  server: EdgeServer;
  session: OpenSession | undefined;
  intent: Intent;
  version: ProtocolVersion;
}

let earn: (parts: Parts) => Resolved;

/** A request that is known: which server, which session, which method. */
export class Resolved {
  protected readonly earned = true;
  readonly caller: Caller;
  readonly bytes: Buffer;
  readonly policy: PolicyState;
  readonly server: EdgeServer;
  /** Undefined for `initialize` only. */
  readonly session: OpenSession | undefined;
  readonly intent: Intent;
  readonly version: ProtocolVersion;

  private constructor({ read, policy, server, session, intent, version }: Parts) {
    this.caller = read.caller;
    this.bytes = read.bytes;
    this.policy = policy;
    this.server = server;
    this.session = session;
    this.intent = intent;
    this.version = version;
  }

  static {
    earn = (parts) => new Resolved(parts);
  }
}

/**
 * Finds server, session and method. Refuses with `policy_stale`, `unknown_server`,
 * `unsupported_protocol_version`, `method_denied`, `bad_params`, `session_required`,
 * `unknown_session`, `unknown_response`, `method_not_allowed` (a stateless server has POST only).
 */
export async function resolve(read: Read, edge: Edge): Promise<Resolved> {
  const { caller } = read;
  const policy = edge.state.policy();
  const server = policy.server(caller.received.slug);
  if (server === undefined) throw new Refusal('unknown_server');
  caller.received.draft.facts.server = serverFacts(server);
  caller.received.draft.hops = hopsWhileDebugged(server, edge.clock);
  if (server.entry.stateless && caller.received.verb !== 'POST') throw new Refusal('method_not_allowed', { allow: 'POST' });
  const header = headerOf(caller.received.request, 'mcp-protocol-version');
  const intent = intentOf(read, header);
  const session = isInitialize(intent) ? undefined : await sessionOf(caller, server, edge);
  const version = versionOfRequest(header, session?.protocolVersion as ProtocolVersion | undefined);
  if (intent.kind === 'response') await requireAsked(session!, intent.message, edge);
  noteFacts(read, intent, session, edge);
  caller.received.draft.mark('resolve');
  return earn({ read, policy, server, session, intent, version });
}

/** True for the request that opens a session. */
export function isInitialize(intent: Intent): boolean {
  return intent.kind === 'message' && intent.admitted.row.method === 'initialize';
}

const METHOD_CHARS = 128;

function intentOf(read: Read, header: string | undefined): Intent {
  const { verb } = read.caller.received;
  if (verb === 'GET') return listen(read);
  if (verb === 'DELETE') return { kind: 'end' };
  const message = read.message as McpMessage;
  requireSessionEra(message, header);
  if (message.kind === 'response') return { kind: 'response', message };
  // Before it is admitted: what is denied is on record by its name too.
  read.caller.received.draft.facts.method = message.method.slice(0, METHOD_CHARS);
  return { kind: 'message', message, admitted: admitClientMessage(message) };
}

function listen(read: Read): Intent {
  const accept = headerOf(read.caller.received.request, 'accept')?.toLowerCase() ?? '';
  if (!accept.includes('text/event-stream')) throw new Refusal('not_acceptable');
  return { kind: 'listen' };
}

// One answer for an id that is garbage, over, another person's, another client's or another
// endpoint's: anything finer would tell a guesser that the session exists (E-42, E-43).
async function sessionOf(caller: Caller, server: EdgeServer, edge: Edge): Promise<OpenSession> {
  const id = headerOf(caller.received.request, 'mcp-session-id');
  if (id === undefined) throw new Refusal('session_required');
  const session = edge.sessions.known(id) ?? (await edge.sessions.open(id));
  const { who } = caller;
  const bound =
    session?.callerId === who.account.id && session.tokenId === who.tokenId && session.serverId === server.entry.id;
  if (!bound) throw new Refusal('unknown_session');
  return session;
}

async function requireAsked(session: OpenSession, { id }: { id: string | number }, edge: Edge): Promise<void> {
  if (!(await edge.pending.take(session, id))) throw new Refusal('unknown_response');
}

function noteFacts(read: Read, intent: Intent, session: OpenSession | undefined, edge: Edge): void {
  const { facts } = read.caller.received.draft;
  if (session !== undefined) {
    read.caller.received.draft.opensPages = opensPages(session);
    facts.sessionDigest = session.digest;
    facts.eras = eraFacts(session);
    facts.client = clientFacts(session, facts.client);
  }
  if (intent.kind === 'response') facts.method = 'response';
  if (intent.kind !== 'message') return;
  facts.target = intent.admitted.target ?? null;
  noteArguments(intent.message.params?.['arguments'], read, edge);
}

function noteArguments(given: unknown, read: Read, edge: Edge): void {
  if (!isJsonObject(given)) return;
  const { facts } = read.caller.received.draft;
  facts.argumentKeys = Object.keys(given).slice(0, 100);
  facts.argumentsDigest = edge.keys.digest(JSON.stringify(given satisfies JsonObject));
}

