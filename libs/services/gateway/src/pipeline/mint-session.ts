import { isSupported } from '@gatehouse/mcp';
import { isJsonObject, Refusal, type JsonObject } from '@gatehouse/kernel';
import type { Edge } from '../edge.js';
import { LIMITS } from '../limits.js';
import { sealSession, sessionDigest, type OpenSession, type Session } from '../sessions/session.js';
import { upstreamSessionId } from '../sessions/upstream-session.js';
import type { Answered } from './forward.js';
import type { Resolved } from './resolve.js';

/**
 * The session id for a client whose `initialize` the upstream accepted: everything needed to serve the
 * session, sealed and bound to caller, client and endpoint. Refuses with `upstream_invalid` for a
 * protocol version or an upstream session id that cannot be right.
 */
export function mintSession(result: JsonObject, answered: Answered, edge: Edge): string {
  const { resolved, answer } = answered;
  const version = result['protocolVersion'];
  if (typeof version !== 'string' || !isSupported(version)) throw new Refusal('upstream_invalid', { reason: 'protocol_version' });
  const upstreamId = upstreamSessionId(answer.headers['mcp-session-id']);
  const openedAs = answered.armed.identified.choice.identity?.id ?? null;
  return mintedSession(resolved, { upstreamId, openedAs, protocolVersion: version }, edge).id;
}

/** A new session of the caller's with this server, remembered here. */
export function mintedSession(resolved: Resolved, upstream: Pick<Session, 'upstreamId' | 'openedAs' | 'protocolVersion'>, edge: Edge): OpenSession {
  const session: Session = {
    callerId: resolved.caller.who.account.id,
    tokenId: resolved.caller.who.tokenId,
    serverId: resolved.server.entry.id,
    ...upstream,
    ...clientOf(resolved),
    expiresAt: edge.clock.now() + LIMITS.sessionMs,
  };
  const id = sealSession(session, edge.keys.session);
  const opened = { ...session, id, digest: sessionDigest(id) };
  edge.sessions.remember(opened);
  return opened;
}

const NAME_CHARS = 200;

function clientOf({ intent }: Resolved): Pick<Session, 'clientCapabilities' | 'clientName' | 'clientVersion'> {
  const params = intent.kind === 'message' ? (intent.message.params ?? {}) : {};
  const info = isJsonObject(params['clientInfo']) ? params['clientInfo'] : {};
  return {
    clientCapabilities: declared(params['capabilities']),
    clientName: shortText(info['name']),
    clientVersion: shortText(info['version']),
  };
}

// Only what decides whether a server may ask: the id travels in a header with every request.
function declared(capabilities: unknown): JsonObject {
  if (!isJsonObject(capabilities)) return {};
  const kept: JsonObject = {};
  for (const name of ['sampling', 'roots'] as const) if (isJsonObject(capabilities[name])) kept[name] = {};
  const elicitation = capabilities['elicitation'];
  if (isJsonObject(elicitation)) {
    kept['elicitation'] = Object.fromEntries(['form', 'url'].filter((mode) => elicitation[mode] !== undefined).map((mode) => [mode, {}]));
  }
  return kept;
}

function shortText(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, NAME_CHARS) : null;
}
