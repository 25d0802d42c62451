import type { Ephemeral } from '@gatehouse/ephemeral';
import type { AeadKey, Clock, JsonObject } from '@gatehouse/kernel';
import type { OpenSession, Session } from './session.js';

const KEY = 'gateway:initialize:';
const CONTEXT = 'mcp.initialize.v1:';
/** What a client declares of itself is small; one that says more is remembered by what counts. */
const LONGEST_CHARS = 8_192;

/**
 * The parameters of `initialize` of sessions whose upstream session is opened later, possibly at another
 * edge: in the ephemeral store, sealed to the session they belong to, for as long as it lives. The client
 * must initialize anew when the store lost them.
 */
export class RememberedInitialize {
  constructor(
    private readonly ephemeral: Ephemeral,
    private readonly keys: () => readonly AeadKey[],
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Keeps them; refuses with `service_unavailable` while the store is down. */
  async keep(session: OpenSession, params: JsonObject): Promise<void> {
    const sealed = this.keys()[0]!.seal(Buffer.from(JSON.stringify(bounded(params, session))), CONTEXT + session.digest);
    await this.ephemeral.set(KEY + session.digest, sealed, Math.max(1, session.expiresAt - this.clock.now()));
  }

  /** What was kept for this session, if the store still has it. */
  async of(session: OpenSession): Promise<JsonObject | undefined> {
    const sealed = await this.ephemeral.get(KEY + session.digest);
    if (sealed === undefined) return undefined;
    for (const key of this.keys()) {
      const plain = key.open(sealed, CONTEXT + session.digest);
      if (plain !== undefined) return JSON.parse(plain.toString('utf8')) as JsonObject;
    }
    return undefined;
  }
}

/** The parameters of an `initialize`, cut down to what the session itself holds when they are too long. */
function bounded(params: JsonObject, session: Session): JsonObject {
  if (JSON.stringify(params).length <= LONGEST_CHARS) return params;
  const { protocolVersion, clientCapabilities: capabilities, clientName, clientVersion } = session;
  return { protocolVersion, capabilities, clientInfo: { name: clientName ?? 'client', version: clientVersion ?? '0' } };
}
