import type { Bus } from '@gatehouse/bus';
import { vaultContracts, type policyContracts } from '@gatehouse/contracts';
import { Refusal, Secret, openSealed, type Clock, type SealingKeyPair } from '@gatehouse/kernel';
import type { UpstreamProofs } from '../upstream-proofs/upstream-proofs.js';
import { CredentialLives } from './credential-lives.js';
import { LeasedCredential } from './leased-credential.js';

/** A lease is renewed in the background in its last quarter, so that no call waits for it. */
const REFRESH_AT = 0.75;

/** What a lease is for. */
export interface LeaseTarget {
  identityId: string;
  /** Whose it must be: the vault refuses another owner's. */
  owner: vaultContracts.CredentialOwner;
  server: Pick<policyContracts.SnapshotServer, 'id'>;
  origin: string;
}

/** What leasing works with. */
export interface LeaseWorld {
  bus: Bus;
  /** The edge's own pair, which credentials are sealed to. */
  pair: SealingKeyPair;
  clock: Clock;
  /** Told of tokens that are bound to a key. */
  proofs: Pick<UpstreamProofs, 'know'>;
}

/**
 * The credentials this edge may spend, in memory only and for at most a minute each (architecture
 * section 7: in-memory leases, then `vault_unavailable`).
 */
export class CredentialLeases {
  readonly #leases = new Map<string, LeasedCredential>();
  readonly #pending = new Map<string, Promise<LeasedCredential>>();
  readonly #lives = new CredentialLives();

  constructor(private readonly world: LeaseWorld) {}

  /** The lease at hand, without waiting; starts renewing one that is about to end. */
  held(target: LeaseTarget): LeasedCredential | undefined {
    const lease = this.#leases.get(keyOf(target));
    const now = this.world.clock.monotonicMs();
    if (lease === undefined || lease.terms.expiresAt <= now) return undefined;
    // A renewal that fails is tried again by the next call, and ends in a refusal once the lease is over.
    if (lease.terms.refreshAt <= now) this.fetch(target).catch(() => undefined);
    return lease;
  }

  /** The newest version of an identity's credential that was leased here; 0 for none. */
  versionOf(identityId: string): number {
    return this.#lives.versionOf(identityId);
  }

  /** Leases from the vault; calls at the same time share one request. Refuses with the vault's code or `vault_unavailable`. */
  fetch(target: LeaseTarget): Promise<LeasedCredential> {
    const key = keyOf(target);
    const running = this.#pending.get(key);
    if (running !== undefined) return running;
    const started: Promise<LeasedCredential> = this.#lease(target).then(
      (lease) => this.#keep(key, lease, started),
      (error: unknown) => {
        if (this.#pending.get(key) === started) this.#pending.delete(key);
        throw error;
      },
    );
    this.#pending.set(key, started);
    return started;
  }

  /** Drops every lease of an identity whose secrets changed. */
  drop(identityId: string): void {
    this.#drop((key) => key.startsWith(`${identityId} `));
  }

  /** Drops every lease for a server that was restarted; gives the identities of the organisation among them. */
  dropServer(serverId: string): string[] {
    const dropped = this.#drop((key) => key.includes(` ${serverId} `));
    return dropped.filter((key) => key.includes(' global ')).map((key) => key.slice(0, key.indexOf(' ')));
  }

  #drop(isOf: (key: string) => boolean): string[] {
    const dropped = [...this.#leases.keys()].filter(isOf);
    for (const key of dropped) this.#leases.delete(key);
    // An answer that is on its way may hold the secret of before: it serves those who wait, and nobody after them.
    for (const key of [...this.#pending.keys()].filter(isOf)) this.#pending.delete(key);
    return dropped;
  }

  #keep(key: string, lease: LeasedCredential, asked: Promise<LeasedCredential>): LeasedCredential {
    if (this.#pending.get(key) !== asked) return lease;
    this.#pending.delete(key);
    this.#leases.set(key, lease);
    const forget = (): void => void (this.#leases.get(key) === lease && this.#leases.delete(key));
    setTimeout(forget, lease.terms.expiresAt - this.world.clock.monotonicMs()).unref();
    return lease;
  }

  async #lease({ identityId, owner, server, origin }: LeaseTarget): Promise<LeasedCredential> {
    const { clock, pair } = this.world;
    const asked = clock.monotonicMs();
    const reply = await this.#ask({ identityId, serverId: server.id, origin, owner, edgeKey: pair.publicKey });
    const opened = openSealed(pair, reply.sealed, vaultContracts.leaseContext(identityId, server.id, origin));
    const { headers, dpopKey } = vaultContracts.leasedHeaders.parse(JSON.parse(opened.toString('utf8')));
    opened.fill(0);
    const lines = headers.map(([name, value]) => [name.toLowerCase(), Secret.of(Buffer.from(value, 'latin1'))] as const);
    const { version, expiresInMs, credentialExpiresInMs } = reply;
    if (dpopKey !== undefined) this.#bind(headers, dpopKey, expiresInMs);
    const renewAt = asked + this.#lives.untilRenewal(identityId, version, credentialExpiresInMs);
    const endsAt = asked + (credentialExpiresInMs ?? Number.POSITIVE_INFINITY);
    return new LeasedCredential(lines, { expiresAt: asked + expiresInMs, refreshAt: asked + expiresInMs * REFRESH_AT, version, renewAt, endsAt });
  }

  #bind(headers: vaultContracts.LeasedHeaders['headers'], dpopKey: string, forMs: number): void {
    const line = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
    this.world.proofs.know(line.slice(line.indexOf(' ') + 1), dpopKey, forMs);
  }

  async #ask(input: Parameters<typeof this.world.bus.request<typeof vaultContracts.leaseCredential>>[1]) {
    try {
      return await this.world.bus.request(vaultContracts.leaseCredential, input);
    } catch (error) {
      const down = error instanceof Refusal && (error.code === 'service_unavailable' || error.code === 'service_timeout');
      throw down ? new Refusal('vault_unavailable') : error;
    }
  }
}

function keyOf({ identityId, owner, server, origin }: LeaseTarget): string {
  return `${identityId} ${owner} ${server.id} ${origin}`;
}
