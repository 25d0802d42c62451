import { Refusal, type Clock, type JsonObject } from '@gatehouse/kernel';
import { parseServerMessage } from '@gatehouse/mcp';
import type { Outbound, SmallAnswer } from '@gatehouse/outbound';
import type { Armed } from '../pipeline/credential.js';
import type { RememberedInitialize } from '../sessions/remembered-initialize.js';
import { openUpstreamSession, type UpstreamReply } from '../sessions/upstream-session.js';
import type { DirectoryCaller } from '../snapshot/directory-state.js';
import type { EdgeServer } from '../snapshot/policy-state.js';
import type { SinkPatience } from './answer-sink.js';
import type { AskedElsewhere } from './asked-elsewhere.js';
import { withToldVersion } from './initialize-answer.js';
import type { Kept, OpenConnections } from './open-connections.js';
import { headersOf } from './outgoing.js';
import type { ConnectionUse } from './session-keys.js';
import { SseSession } from './sse-session.js';

/** What serving such upstreams needs. */
export interface SseWorld {
  outbound: Pick<Outbound, 'destination'>;
  clock: Clock;
  /** Where answers to servers' requests go that reach another edge. */
  asked: AskedElsewhere;
  /** What clients said of themselves. */
  initializes: Pick<RememberedInitialize, 'of'>;
  patience: SinkPatience;
  /** Whether what opened a connection would be allowed now: asked after each new snapshot. */
  isStillAllowed: (who: DirectoryCaller, server: EdgeServer['entry']) => boolean;
}

/** Why a connection is closed from our side. */
export const CLOSED = new Refusal('upstream_unreachable', { reason: 'closed' });

const INITIALIZED = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}');

/** Opens connections, and the sessions in them that their clients opened earlier or elsewhere. */
export class ConnectionOpening {
  readonly #running = new Map<string, Promise<SseSession | SmallAnswer>>();

  constructor(
    private readonly world: SseWorld,
    private readonly connections: OpenConnections,
  ) {}

  /** A connection, or what the server answered instead. Refuses as `SseSession.open`, with `too_many_streams`, `overloaded`. */
  async open(armed: Armed, use: ConnectionUse): Promise<SseSession | SmallAnswer> {
    const kept = this.#kept(armed, use);
    this.connections.add(kept);
    try {
      const opened = await this.#connected(armed, kept);
      if (!(opened instanceof SseSession)) this.connections.remove(kept);
      else if (this.connections.get(use.key) === kept) kept.session = opened;
      else throw closed(opened);
      return opened;
    } catch (error) {
      this.connections.remove(kept);
      throw error;
    }
  }

  /** The same with the session initialized by what its client said of itself. */
  reopen(armed: Armed, use: ConnectionUse): Promise<SseSession | SmallAnswer> {
    const started = this.#reopened(armed, use).finally(() => this.#running.delete(use.key));
    this.#running.set(use.key, started);
    return started;
  }

  /** The opening that is under way. */
  running(key: string): Promise<SseSession | SmallAnswer> | undefined {
    return this.#running.get(key);
  }

  /** The session once its server knows that it is initialized, which its client may have told another edge; or what it answered to that. */
  async initialized(session: SseSession, armed: Armed): Promise<SseSession | SmallAnswer> {
    const told = await session.initialized({ body: INITIALIZED, headers: headersOf(armed) });
    return told.kind === 'whole' && told.status >= 300 ? told : session;
  }

  async #reopened(armed: Armed, use: ConnectionUse): Promise<SseSession | SmallAnswer> {
    const opened = await this.open(armed, use);
    if (!(opened instanceof SseSession)) return opened;
    try {
      await openUpstreamSession((message) => sendIn(opened, message, headersOf(armed)), await this.world.initializes.of(armed.resolved.session!));
      return opened;
    } catch (error) {
      opened.close(CLOSED);
      throw error;
    }
  }

  // Of the call that opens a connection nothing is kept but who made it and where it went.
  #kept({ resolved }: Armed, use: ConnectionUse): Kept {
    const now = this.world.clock.monotonicMs();
    const { who } = resolved.caller;
    const { entry } = resolved.server;
    const isStillGood = (): boolean => this.world.isStillAllowed(who, entry);
    const usedAt = resolved.session === undefined ? now : now + 1;
    return { use, openedAt: now, usedAt, session: undefined, isStillGood, digest: resolved.session?.digest };
  }

  #connected(armed: Armed, kept: Kept): Promise<SseSession | SmallAnswer> {
    const { entry } = armed.resolved.server;
    const { outbound, patience, asked } = this.world;
    const order = {
      destination: armed.destination,
      destinationAt: (url: string) => outbound.destination(url, entry),
      headers: headersOf(armed),
      openMs: patience.headMs,
    };
    return SseSession.open(order, patience, {
      onAsked: (name, address) => asked.note(name, address),
      onOver: () => this.connections.remove(kept),
    });
  }
}

// It was to be closed while it was being opened.
function closed(opened: SseSession): Refusal {
  opened.close(CLOSED);
  return CLOSED;
}

async function sendIn(session: SseSession, message: JsonObject, headers: Record<string, string>): Promise<UpstreamReply> {
  const body = Buffer.from(JSON.stringify(message));
  if (typeof message['id'] !== 'string') {
    await session.initialized({ body, headers });
    return { response: undefined };
  }
  const answer = await session.request({ body, headers, id: message['id'], progressToken: undefined, takesUnasked: false });
  if (answer.kind !== 'whole' || answer.status >= 300) throw new Refusal('upstream_refused', { status: answer.status });
  const response = parseServerMessage(withToldVersion(answer.body));
  return { response: response.kind === 'response' ? response : undefined };
}
