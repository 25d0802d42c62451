import type { auditContracts } from '@gatehouse/contracts';
import type { OpenSession } from '../sessions/session.js';
import type { DirectoryCaller } from '../snapshot/directory-state.js';
import type { EdgeServer } from '../snapshot/policy-state.js';

type Facts = auditContracts.RecordFacts;

/**
 * The parts of a record that many calls share, each made once and frozen: the spool spells a frozen
 * part as text once (`entry-text.ts`). Spelling whole records per call was a tenth of a call's price.
 */
const callers = new WeakMap<DirectoryCaller, Facts['caller']>();
const clients = new WeakMap<OpenSession, Facts['client']>();
const eras = new WeakMap<OpenSession, Facts['eras']>();
const servers = new WeakMap<EdgeServer, NonNullable<Facts['server']>>();

/** Who calls, from where. */
export function callerFacts(who: DirectoryCaller, address: string | null): Facts['caller'] {
  const held = callers.get(who);
  if (held !== undefined && held.address === address) return held;
  const { id, kind, name } = who.account;
  const made = Object.freeze({ kind, id, name, tokenId: who.tokenId, address });
  callers.set(who, made);
  return made;
}

/** With which client: as its token says, and as the session's `initialize` and this request name it. */
export function clientFacts(session: OpenSession, { id, userAgent }: Facts['client']): Facts['client'] {
  const held = clients.get(session);
  if (held !== undefined && held.userAgent === userAgent && held.id === id) return held;
  const made = Object.freeze({ ...(id === undefined ? {} : { id }), name: session.clientName, version: session.clientVersion, userAgent });
  clients.set(session, made);
  return made;
}

/** In which protocol versions: one on both sides, as long as nothing is bridged. */
export function eraFacts(session: OpenSession): Facts['eras'] {
  const held = eras.get(session);
  if (held !== undefined) return held;
  const made = Object.freeze({ client: session.protocolVersion, upstream: session.protocolVersion });
  eras.set(session, made);
  return made;
}

/** Which server. */
export function serverFacts(server: EdgeServer): Facts['server'] {
  const held = servers.get(server);
  if (held !== undefined) return held;
  const { id, name } = server.entry;
  const made = Object.freeze({ id, name });
  servers.set(server, made);
  return made;
}
