import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { AeadKey, newSealingKeyPair, openSealed, type SealingKeyPair } from '@gatehouse/kernel';
import type { VerificationKeys } from '@gatehouse/snapshots';
import { importVerificationKey } from '../snapshot/snapshot-feed.js';
import { KeyedDigest } from './keyed-digest.js';

/** The next session key is leased ahead, so an edge that is a minute behind still opens what another one sealed. */
const AGAIN_MS = 60_000;

type KeyLeaseContract = typeof vaultContracts.leaseSessionKey;

/**
 * The keys of one edge: its own pair, made at start and never stored, and the keys it leases from
 * the vault sealed to that pair.
 */
export class EdgeKeys {
  readonly pair: SealingKeyPair = newSealingKeyPair();
  #session: readonly AeadKey[] = [];
  #digest: KeyedDigest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #verification: { policy: VerificationKeys; directory: VerificationKeys } | undefined;

  constructor(private readonly bus: Bus) {}

  /** Leases everything; refuses as the bus does while the vault is not there. */
  async load(): Promise<void> {
    const session = await this.#lease(vaultContracts.leaseSessionKey, 'session');
    const [digest] = await this.#lease(vaultContracts.leaseDigestKey, 'digest');
    this.#session = session.map(({ id, bytes }) => new AeadKey(id, bytes));
    this.#digest = new KeyedDigest(digest!.bytes);
    for (const { bytes } of [...session, digest!]) bytes.fill(0);
  }

  /** Leases again every minute, so that a rotation in the vault is followed while an edge runs; what is held stays when the vault is away. */
  follow(onTrouble: (error: unknown) => void): void {
    this.#timer = setInterval(() => void this.load().catch(onTrouble), AGAIN_MS).unref();
  }

  /** Stops following. */
  close(): void {
    clearInterval(this.#timer);
  }

  /** What readiness shows. */
  health(): true | string {
    return this.#digest === undefined ? 'keys not leased from the vault' : true;
  }

  /** Keys that session ids open with, the active one first. */
  get session(): readonly AeadKey[] {
    return this.#session;
  }

  /** HMAC-SHA256 under the deployment's digest key, base64url: equal inputs show as equal, nothing else shows. */
  digest(data: Buffer | string): string {
    return this.#digest!.of(data);
  }

  /** Public keys of one kind of snapshot; asks the vault once, and again when `refresh` says so. */
  async verification(kind: 'policy' | 'directory', refresh = false): Promise<VerificationKeys> {
    if (this.#verification === undefined || refresh) {
      const listed = await this.bus.request(vaultContracts.listVerificationKeys, {});
      const imported = (keys: typeof listed.policy): VerificationKeys =>
        new Map(keys.map(({ id, publicKey }) => [id, importVerificationKey(publicKey)]));
      this.#verification = { policy: imported(listed.policy), directory: imported(listed.directory) };
    }
    return this.#verification[kind];
  }

  async #lease(contract: KeyLeaseContract, purpose: string): Promise<{ id: string; bytes: Buffer }[]> {
    const { keys } = await this.bus.request(contract, { instanceKey: this.pair.publicKey });
    return keys.map(({ id, sealed }) => ({ id, bytes: openSealed(this.pair, sealed, vaultContracts.keyContext(purpose, id)) }));
  }
}
