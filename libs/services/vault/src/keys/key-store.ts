import { createSecretKey, type KeyObject } from 'node:crypto';
import { vaultContracts } from '@gatehouse/contracts';
import { newId, Refusal, sealTo, systemClock, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import { KeyProviderFailure } from '../providers/key-provider.js';
import { KEY_PURPOSES, newKeyBytes, PURPOSES_THAT_END, PURPOSES_WITH_NEXT, type KeyPurpose } from './key-purposes.js';
import type { KeyRoot } from './key-root.js';
import { allKeys, deleteRetired, insertKey, keysOfPurpose, keyVersion, type KeyName, type WrappedKey } from './key-rows.js';

/** Which key to replace, and whether somebody else knows it. */
export interface Rotation {
  expectedActive: string;
  retireNow: boolean;
}

const KEPT_RETIRED_MS = 24 * 60 * 60 * 1_000;

// First key of a two-part advisory lock; the second is the schema's hash, because services may share a database.
const KEYS_LOCK = 7_200;

/** The vault's own keys in its database, wrapped by the key-encryption key. */
export class KeyStore {
  /**
   * Opened once per process, by what a wrapped key is bound to and what therefore never changes: leases
   * outlive an outage of the key service, and replicas need not hear of a new key-encryption key at
   * once. As key objects the bytes are outside the JS heap.
   */
  private readonly opened = new Map<string, KeyObject>();

  constructor(
    private readonly db: Database,
    private readonly root: KeyRoot,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Makes the active key of every purpose that has none, and the next one where there has to be one,
   * after checking that the keys there open with our key-encryption key: a second root would lock
   * out the other replicas. Replicas that start at once wait for each other, so every key is made
   * once; the unique indexes are the second line. Rejects with `KeyProviderFailure` while the key
   * service does not work.
   */
  async ensureActive(): Promise<void> {
    // First without the lock: a slow key service must not keep the other replicas waiting.
    await this.openAll(this.db);
    await this.locked(async (tx) => {
      await this.openAll(tx);
      for (const purpose of KEY_PURPOSES) await this.ensurePurpose(tx, purpose);
    });
  }

  /**
   * A new active key: the next one where one was made ahead. False, with nothing changed, when
   * `expectedActive` is not the active one: whoever waited for the lock does not rotate once
   * more (V-14). A key that somebody else knows is deleted, so that no edit of its row brings it back.
   * Refuses with `vault_unavailable` while the key service does not work.
   */
  async rotate(purpose: KeyPurpose, { expectedActive, retireNow }: Rotation): Promise<boolean> {
    const work = this.locked(async (tx) => {
      const [active] = await this.list(purpose, tx);
      if (active?.state !== 'active' || active.id !== expectedActive) return false;
      if (retireNow) await tx.query('DELETE FROM wrapped_keys WHERE id = $1', [active.id]);
      else await tx.query(`UPDATE wrapped_keys SET state = 'retired', retired_at = $2 WHERE id = $1`, [active.id, this.clock.now()]);
      await this.ensurePurpose(tx, purpose);
      return true;
    });
    return work.catch(asUnavailable);
  }

  /** Keys of one purpose: the active one first, then the next one if there is one, then retired ones from the newest. */
  async list(purpose: KeyPurpose, tx: Transaction = this.db): Promise<WrappedKey[]> {
    return keysOfPurpose(tx, purpose);
  }

  /** The same for whoever needs one: `vault_unavailable` while the very first keys wait for their key service. */
  async needed(purpose: KeyPurpose): Promise<WrappedKey[]> {
    const keys = await this.list(purpose);
    if (keys[0]?.state !== 'active') throw new Refusal('vault_unavailable');
    return keys;
  }

  /** The active key of a purpose; `vault_unavailable` as `needed`. */
  async active(purpose: KeyPurpose): Promise<WrappedKey> {
    return (await this.needed(purpose))[0]!;
  }

  /** One version of a purpose; undefined when there is none. */
  async version(purpose: KeyPurpose, version: number): Promise<WrappedKey | undefined> {
    return keyVersion(this.db, purpose, version);
  }

  /**
   * Lends the unwrapped bytes for the length of `use`, then wipes them. A `Fault` when the row was
   * altered, `vault_unavailable` when the key service is needed and does not work.
   */
  async lend<T>(key: WrappedKey, use: (bytes: Buffer) => T): Promise<T> {
    const bytes = (await this.open(key).catch(asUnavailable)).export();
    try {
      return use(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  /** The key's bytes on their way out: sealed to the instance that asked. */
  async seal(key: WrappedKey, instanceKey: string): Promise<string> {
    return this.lend(key, (bytes) => sealTo(instanceKey, bytes, vaultContracts.keyContext(key.purpose, key.id)));
  }

  /**
   * Deletes retired keys that nothing can need any more, opens what other replicas have made meanwhile, so that an outage or a new key-encryption key finds
   * it open, and forgets what was deleted.
   */
  async refresh(): Promise<void> {
    await deleteRetired(this.db, PURPOSES_THAT_END, this.clock.now() - KEPT_RETIRED_MS);
    const keys = await allKeys(this.db);
    // What does not open is said to whoever needs it.
    for (const key of keys) await this.open(key).catch(() => undefined);
    const there = new Set(keys.map(nameOf));
    for (const name of this.opened.keys()) if (!there.has(name)) this.opened.delete(name);
  }

  private async openAll(tx: Transaction): Promise<void> {
    for (const key of await allKeys(tx)) await this.open(key);
  }

  private async open(key: WrappedKey): Promise<KeyObject> {
    const known = this.opened.get(nameOf(key));
    if (known !== undefined) return known;
    const bytes = await this.root.unwrap(key);
    const opened = createSecretKey(bytes);
    bytes.fill(0);
    this.opened.set(nameOf(key), opened);
    return opened;
  }

  private locked<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))', [KEYS_LOCK]);
      return work(tx);
    });
  }

  private async ensurePurpose(tx: Transaction, purpose: KeyPurpose): Promise<void> {
    const keys = await this.list(purpose, tx);
    const next = keys.find(({ state }) => state === 'next');
    const lacksActive = keys[0]?.state !== 'active';
    if (lacksActive && next !== undefined) await this.promote(tx, next);
    if (lacksActive && next === undefined) await this.insert(tx, purpose, 'active');
    if (hasNext(purpose) && (lacksActive || next === undefined)) await this.insert(tx, purpose, 'next');
  }

  // Opened anew, whatever is held: a row that was altered while it waited must not become the one everybody signs with.
  private async promote(tx: Transaction, next: WrappedKey): Promise<void> {
    (await this.root.unwrap(next)).fill(0);
    await tx.query(`UPDATE wrapped_keys SET state = 'active' WHERE id = $1`, [next.id]);
  }

  private async insert(tx: Transaction, purpose: KeyPurpose, state: 'next' | 'active'): Promise<void> {
    const [last] = await tx.query<{ version: number | null }>('SELECT max(version) AS version FROM wrapped_keys WHERE purpose = $1', [purpose]);
    const name = { id: newId('key', this.clock), purpose, version: (last?.version ?? 0) + 1 };
    const bytes = newKeyBytes(purpose);
    try {
      const wrapped = await this.root.wrap(bytes, name);
      await insertKey(tx, { ...name, ...wrapped, state, createdAt: this.clock.now(), retiredAt: null });
      this.opened.set(nameOf(name), createSecretKey(bytes));
    } finally {
      bytes.fill(0);
    }
  }
}

const nameOf = ({ id, purpose, version }: KeyName): string => `${id} ${purpose} ${version}`;

function hasNext(purpose: KeyPurpose): boolean {
  return (PURPOSES_WITH_NEXT as readonly KeyPurpose[]).includes(purpose);
}

function asUnavailable(error: unknown): never {
  if (error instanceof KeyProviderFailure) throw new Refusal('vault_unavailable');
  throw error;
}
