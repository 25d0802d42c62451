import { Refusal, type JsonObject } from '@gatehouse/kernel';
import { negotiateVersion } from '@gatehouse/mcp';
import type { Edge } from '../edge.js';
import { connectTool, connectToolName } from '../identity/connect-tool.js';
import { connectLinkOf, connectsAs, wantsIdentity, withWayOut } from '../identity/way-to-identity.js';
import { isPending, NOBODY } from '../sessions/session.js';
import { AnsweredHere, ownResult } from './answered-here.js';
import type { Authorized } from './authorize.js';
import { mintedSession } from './mint-session.js';
import { isInitialize } from './resolve.js';

/**
 * What a client is told whose person has no account that is accepted. One that initializes gets a session
 * all the same, so that it connects and shows what is missing: with one tool, which gives the link. All
 * else is refused, with the link.
 */
export async function withoutIdentity(error: unknown, authorized: Authorized, edge: Edge): Promise<AnsweredHere> {
  if (!wantsIdentity(error)) throw error;
  const { intent, session } = authorized.resolved;
  if (isInitialize(intent) && connectsAs(authorized.resolved) !== undefined) return pendingSession(error, authorized, edge);
  const own = session !== undefined && isPending(session) ? ownAnswer(error, authorized, edge) : undefined;
  if (own !== undefined) return own;
  throw await withWayOut(error, authorized, edge);
}

async function pendingSession(error: Refusal, authorized: Authorized, edge: Edge): Promise<AnsweredHere> {
  const { resolved } = authorized;
  const { name } = resolved.server.entry;
  const params = paramsOf(authorized);
  const protocolVersion = negotiateVersion(String(params['protocolVersion']));
  const session = mintedSession(resolved, { upstreamId: null, openedAs: NOBODY, protocolVersion }, edge);
  await edge.initializes.keep(session, params);
  const wayOut = await withWayOut(error, authorized, edge);
  const result = {
    protocolVersion,
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name, version: '1' },
    instructions: instructionsFor(name, wayOut),
  };
  return ownResult(authorized, result, error.code, session.id);
}

function instructionsFor(server: string, wayOut: Refusal): string {
  const url = connectLinkOf(wayOut)?.url;
  const { advice } = wayOut.details;
  if (url === undefined && typeof advice === 'string') return `${advice} List the tools again then.`;
  const open = url === undefined ? '' : `Have your person open ${url} and sign in there, or call`;
  return `No account is connected for ${server} yet. ${open === '' ? 'Call' : open} the tool ${connectToolName(server)} for a link. List the tools again once the account is connected.`;
}

function ownAnswer(error: Refusal, authorized: Authorized, edge: Edge): AnsweredHere | undefined {
  const { intent, session, server } = authorized.resolved;
  if (intent.kind === 'listen') return new AnsweredHere(authorized, { kind: 'waiting' });
  if (intent.kind === 'response') return undefined;
  if (intent.kind === 'end') {
    void edge.sessions.end(session!);
    return new AnsweredHere(authorized, { kind: 'ended' });
  }
  if (intent.message.kind === 'notification') return new AnsweredHere(authorized, { kind: 'accepted' });
  if (intent.admitted.row.method === 'ping') return ownResult(authorized, {}, null);
  return intent.admitted.row.method === 'tools/list' ? ownResult(authorized, { tools: [connectTool(server.entry.name)] }, error.code) : undefined;
}

/** The answer to the tool of a session that has an account by now. */
export function connectedAlready(authorized: Authorized): AnsweredHere {
  const text = `Your account at ${authorized.resolved.server.entry.name} is connected. List the tools again to see its own.`;
  return ownResult(authorized, { content: [{ type: 'text', text }] }, null);
}

function paramsOf({ resolved: { intent } }: Authorized): JsonObject {
  return (intent.kind === 'message' ? intent.message.params : undefined) ?? {};
}
