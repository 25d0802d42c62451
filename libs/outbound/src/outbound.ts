import { hash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { Pool } from 'undici';
import { Destination } from './destination.js';
import { guardedConnector, type ConnectionRules, type Resolve } from './guarded-connector.js';
import { parseTarget, refuseBadLiteral, type DestinationOptions, type Target } from './target.js';

/** How one process reaches the world. */
export interface OutboundOptions {
  /** Gatehouse's own ports: never reachable on loopback or private addresses. Read at each use. */
  forbiddenPorts?: readonly number[];
  /** The resolver; the machine's own unless told. */
  resolve?: Resolve;
  connectTimeoutMs?: number;
  maxConnectionsPerOrigin?: number;
  /** PEM certificates trusted besides the well-known ones (a company's own authority). */
  trustedCas?: readonly string[];
}

const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_CONNECTIONS = 256;
const MAX_POOLS = 1_024;
const MAX_HEADER_BYTES = 16_384;
const IDLE_MS = 30_000;
const LONGEST_IDLE_MS = 120_000;

/** The only door to the network outside: every URL that an administrator, a client or a server named goes through it. */
export class Outbound {
  private readonly rules: ConnectionRules;
  private readonly connections: number;
  private readonly pools = new Map<string, Pool>();
  /** Out of the map but still finishing what they carry. */
  private readonly retired = new Set<Pool>();
  private closing = false;

  constructor(options: OutboundOptions = {}) {
    this.connections = options.maxConnectionsPerOrigin ?? DEFAULT_CONNECTIONS;
    this.rules = {
      resolve: options.resolve ?? ((host) => lookup(host, { all: true })),
      connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      ownPorts: options.forbiddenPorts ?? [],
      trustedCas: options.trustedCas ?? [],
    };
  }

  /**
   * A destination for the URL; connections are shared per origin, allowance and authorities. Refuses with
   * `url_refused` and a reason when the URL's form or its IP literal is not allowed; a host name is
   * judged at every connect. http needs the allowance and reaches loopback and private addresses only.
   */
  destination(url: string, options: DestinationOptions): Destination {
    const target = parseTarget(url, options);
    refuseBadLiteral(target, this.rules.ownPorts);
    return new Destination(target, { open: () => this.pool(target), forget: () => this.forget(target) });
  }

  /** Ends every connection; requests under way fail with `upstream_unreachable`. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all([...this.pools.values(), ...this.retired].map((pool) => pool.destroy()));
  }

  private pool(target: Target): Pool {
    const key = poolKey(target);
    const known = this.pools.get(key);
    if (known !== undefined) return known;
    this.makeRoom();
    const pool = this.openPool(target);
    this.pools.set(key, pool);
    return pool;
  }

  private openPool(target: Target): Pool {
    const pool = new Pool(target.origin, {
      connect: guardedConnector(target, this.rules),
      connections: this.connections,
      pipelining: 1,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: LONGEST_IDLE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      strictContentLength: true,
    });
    // After close() a destination that is still held gets a pool that refuses at once.
    if (this.closing) void pool.destroy();
    return pool;
  }

  /** The oldest pool finishes what it carries and goes; a destination that still needs it opens another. */
  private makeRoom(): void {
    if (this.pools.size < MAX_POOLS) return;
    const [oldest] = this.pools;
    if (oldest === undefined) return;
    this.retire(...oldest);
  }

  private forget(target: Target): void {
    const key = poolKey(target);
    const pool = this.pools.get(key);
    if (pool !== undefined) this.retire(key, pool);
  }

  private retire(key: string, pool: Pool): void {
    this.pools.delete(key);
    this.retired.add(pool);
    void pool.close().then(() => this.retired.delete(pool));
  }
}

// A connection that was made by trusting one server's authority must never carry another server's requests.
function poolKey({ allowPrivateNetwork, origin, caCertificate }: Target): string {
  const trust = caCertificate === undefined ? '' : ` ${hash('sha256', caCertificate, 'base64url')}`;
  return `${allowPrivateNetwork ? 'private' : 'public'} ${origin}${trust}`;
}
