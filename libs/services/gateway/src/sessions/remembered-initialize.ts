import type { Ephemeral } from '@gatehouse/ephemeral';
import { Refusal, type AeadKey, type Clock, type JsonObject } from '@gatehouse/kernel';
import type { OpenSession } from './session.js';

const KEY = 'gateway:initialize:';
const CONTEXT = 'mcp.initialize.v1:';
/** What a client declares of itself is small; of one that says more only what its session holds is repeated. */
const LONGEST_CHARS = 8_192;

/**
 * The parameters of `initialize` of sessions whose upstream session is opened later, possibly at another
 * edge: in the ephemeral store, sealed to the session they belong to, for as long as it lives. What the
 * store lost is made up for by what the session itself holds.
 */
export class RememberedInitialize {
  constructor(
    private readonly ephemeral: Ephemeral,
    private readonly keys: () => readonly AeadKey[],
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Keeps them while the store is there, unless they are too long. */
  async keep(session: OpenSession, params: JsonObject): Promise<void> {
    const text = JSON.stringify(params);
    if (text.length > LONGEST_CHARS) return;
    const sealed = this.keys()[0]!.seal(Buffer.from(text), CONTEXT + session.digest);
    await this.ephemeral.set(KEY + session.digest, sealed, Math.max(1, session.expiresAt - this.clock.now())).catch(onlyDown);
  }

  /** What the client said, or what its session holds of it. */
  async of(session: OpenSession): Promise<JsonObject> {
    const sealed = (await this.ephemeral.get(KEY + session.digest).catch(onlyDown)) ?? '';
    for (const key of this.keys()) {
      const plain = key.open(sealed, CONTEXT + session.digest);
      if (plain !== undefined) return JSON.parse(plain.toString('utf8')) as JsonObject;
    }
    return initializeParams(session);
  }
}

/** The parameters of an `initialize` as far as its session holds them. */
export function initializeParams({ protocolVersion, clientCapabilities: capabilities, clientName, clientVersion }: OpenSession): JsonObject {
  return { protocolVersion, capabilities, clientInfo: { name: clientName ?? 'client', version: clientVersion ?? '0' } };
}

function onlyDown(error: unknown): undefined {
  if (error instanceof Refusal) return undefined;
  throw error;
}
