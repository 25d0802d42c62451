import { setTimeout as sleep } from 'node:timers/promises';
import type { Ephemeral } from '@gatehouse/ephemeral';
import { Refusal, type AeadKey, type Clock } from '@gatehouse/kernel';
import type { OpenSession } from './session.js';
import type { UpstreamSession } from './upstream-session.js';

const KEY = 'gateway:upstream:';
const CONTEXT = 'mcp.upstream.v1:';
const REMEMBERED = 50_000;
const OPENING_MS = 15_000;
const LOOK_AGAIN_MS = 100;

/**
 * Sessions at upstreams that were opened after their client's: the client's id does not hold them. Each
 * is opened once for all edges and lies, sealed to the client's session and the identity it was opened
 * with, in the ephemeral store; what one edge knows it asks for no more.
 */
export class UpstreamSessions {
  readonly #known = new Map<string, UpstreamSession>();
  readonly #opening = new Map<string, Promise<UpstreamSession>>();

  constructor(
    private readonly ephemeral: Ephemeral,
    private readonly keys: () => readonly AeadKey[],
    private readonly clock: Clock,
  ) {}

  /** The session at hand, without waiting. */
  known(session: OpenSession, identityId: string | null): UpstreamSession | undefined {
    return this.#known.get(nameOf(session, identityId));
  }

  /** The session for this identity; `open` is asked once, at one edge. Refuses as `open` does. */
  of(session: OpenSession, identityId: string | null, open: () => Promise<UpstreamSession>): Promise<UpstreamSession> {
    const name = nameOf(session, identityId);
    const running = this.#opening.get(name);
    if (running !== undefined) return running;
    const started = this.#found(name, session, open).finally(() => this.#opening.delete(name));
    this.#opening.set(name, started);
    return started;
  }

  async #found(name: string, session: OpenSession, open: () => Promise<UpstreamSession>): Promise<UpstreamSession> {
    const stored = await this.#storedOrTurn(name);
    if (stored !== undefined) return this.#keep(name, stored);
    try {
      const opened = await open();
      const sealed = this.keys()[0]!.seal(Buffer.from(JSON.stringify(opened)), CONTEXT + name);
      await orDown(this.ephemeral.set(KEY + name, sealed, Math.max(1, session.expiresAt - this.clock.now())));
      return this.#keep(name, opened);
    } finally {
      await orDown(this.ephemeral.delete(`${KEY}${name}:opening`));
    }
  }

  /** What another edge opened, waited for while it does; undefined when it is this edge's turn. Without the store every edge opens its own. */
  async #storedOrTurn(name: string): Promise<UpstreamSession | undefined> {
    for (const until = this.clock.monotonicMs() + OPENING_MS; this.clock.monotonicMs() < until; await sleep(LOOK_AGAIN_MS)) {
      const sealed = await orDown(this.ephemeral.get(KEY + name));
      const stored = sealed === undefined ? undefined : this.#opened(sealed, name);
      if (stored !== undefined) return stored;
      if ((await orDown(this.ephemeral.setIfAbsent(`${KEY}${name}:opening`, '1', OPENING_MS))) !== false) return undefined;
    }
    return undefined;
  }

  #opened(sealed: string, name: string): UpstreamSession | undefined {
    for (const key of this.keys()) {
      const plain = key.open(sealed, CONTEXT + name);
      if (plain !== undefined) return JSON.parse(plain.toString('utf8')) as UpstreamSession;
    }
    return undefined;
  }

  #keep(name: string, opened: UpstreamSession): UpstreamSession {
    if (this.#known.size >= REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(name, opened);
    return opened;
  }
}

async function orDown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function nameOf({ digest }: OpenSession, identityId: string | null): string {
  return `${digest}:${identityId ?? 'none'}`;
}
