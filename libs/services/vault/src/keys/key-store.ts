import { vaultContracts } from '@gatehouse/contracts';
import { newId, sealTo, systemClock, Fault, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { KeyEncryptionKey } from '../sealing/key-encryption-key.js';
import { KEY_PURPOSES, newKeyBytes, PURPOSES_WITH_NEXT, type KeyPurpose, type PurposeWithNext } from './key-purposes.js';

/** A key as it lies in the database: wrapped. */
export interface WrappedKey {
  id: string;
  purpose: KeyPurpose;
  version: number;
  state: 'next' | 'active' | 'retired';
  /** Epoch milliseconds; null also for a key that was retired by hand. */
  retiredAt: number | null;
  kekId: string;
  wrapped: Buffer;
}

/** Which key to replace, and whether somebody else knows it. */
export interface Rotation {
  expectedActive: string;
  retireNow: boolean;
}

// First key of a two-part advisory lock; the second is the schema's hash, because services may share a database.
const KEYS_LOCK = 7_200;

// As float8, which holds epoch milliseconds exactly: a bigint would arrive as a string.
const COLUMNS = 'id, purpose, version, state, retired_at::float8 AS "retiredAt", kek_id AS "kekId", wrapped';
const KEYS_OF_PURPOSE = `
  SELECT ${COLUMNS} FROM wrapped_keys WHERE purpose = $1
   ORDER BY array_position(ARRAY['active', 'next', 'retired'], state), version DESC`;

/** The vault's own keys in its database, wrapped by the key-encryption key. */
export class KeyStore {
  constructor(
    private readonly db: Database,
    private readonly kek: KeyEncryptionKey,
    private readonly environment: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Makes the active key of every purpose that has none, and the next one where there has to be one,
   * after checking that the keys there open with our key-encryption key: a second root would lock
   * out the other replicas. Replicas that start at once wait for each other, so every key is made
   * once; the unique indexes are the second line.
   */
  async ensureActive(): Promise<void> {
    await this.locked(async (tx) => {
      (await tx.query<WrappedKey>(`SELECT ${COLUMNS} FROM wrapped_keys`)).forEach((key) => this.unwrap(key).fill(0));
      for (const purpose of KEY_PURPOSES) await this.ensurePurpose(tx, purpose);
    });
  }

  /**
   * The next key becomes the active one, and a new next one is made. False, with nothing changed,
   * when `expectedActive` is not the active one: whoever waited for the lock does not rotate once
   * more (V-14). A key that somebody else knows is deleted, so that no edit of its row brings it back.
   */
  async rotate(purpose: PurposeWithNext, { expectedActive, retireNow }: Rotation): Promise<boolean> {
    return this.locked(async (tx) => {
      const [active] = await this.list(purpose, tx);
      if (active?.state !== 'active' || active.id !== expectedActive) return false;
      if (retireNow) await tx.query('DELETE FROM wrapped_keys WHERE id = $1', [active.id]);
      else await tx.query(`UPDATE wrapped_keys SET state = 'retired', retired_at = $2 WHERE id = $1`, [active.id, this.clock.now()]);
      await this.ensurePurpose(tx, purpose);
      return true;
    });
  }

  /** Keys of one purpose: the active one first, then the next one if there is one, then retired ones from the newest. */
  async list(purpose: KeyPurpose, tx: Transaction = this.db): Promise<WrappedKey[]> {
    return tx.query<WrappedKey>(KEYS_OF_PURPOSE, [purpose]);
  }

  /** The active key of a purpose. */
  async active(purpose: KeyPurpose): Promise<WrappedKey> {
    const [key] = await this.list(purpose);
    if (key?.state !== 'active') throw new Fault(`the vault has no active ${purpose} key`);
    return key;
  }

  /** One version of a purpose; undefined when there is none. */
  async version(purpose: KeyPurpose, version: number): Promise<WrappedKey | undefined> {
    const [key] = await this.db.query<WrappedKey>(
      `SELECT ${COLUMNS} FROM wrapped_keys WHERE purpose = $1 AND version = $2`,
      [purpose, version],
    );
    return key;
  }

  /** Lends the unwrapped bytes for the length of `use`, then wipes them. Throws a `Fault` when the row was altered. */
  lend<T>(key: WrappedKey, use: (bytes: Buffer) => T): T {
    const bytes = this.unwrap(key);
    try {
      return use(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  /** The key's bytes on their way out: sealed to the instance that asked. */
  seal(key: WrappedKey, instanceKey: string): string {
    return this.lend(key, (bytes) => sealTo(instanceKey, bytes, vaultContracts.keyContext(key.purpose, key.id)));
  }

  private locked<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))', [KEYS_LOCK]);
      return work(tx);
    });
  }

  private unwrap({ id, purpose, version, kekId, wrapped }: WrappedKey): Buffer {
    if (kekId !== this.kek.id) {
      throw new Fault(`the key file is not the one this vault's database was sealed with (need ${kekId}, have ${this.kek.id})`);
    }
    try {
      return this.kek.unwrap(wrapped, { environment: this.environment, purpose, keyId: id, version });
    } catch (cause) {
      throw new Fault(`the ${purpose} key ${id} did not open: another environment name, or its row was altered`, { cause });
    }
  }

  private async ensurePurpose(tx: Transaction, purpose: KeyPurpose): Promise<void> {
    const keys = await this.list(purpose, tx);
    const next = keys.find(({ state }) => state === 'next');
    const lacksActive = keys[0]?.state !== 'active';
    if (lacksActive && next !== undefined) await this.promote(tx, next);
    if (lacksActive && next === undefined) await this.insert(tx, purpose, 'active');
    if (hasNext(purpose) && (lacksActive || next === undefined)) await this.insert(tx, purpose, 'next');
  }

  // Opened first: a row that was altered while it waited must not become the one everybody signs with.
  private async promote(tx: Transaction, next: WrappedKey): Promise<void> {
    this.unwrap(next).fill(0);
    await tx.query(`UPDATE wrapped_keys SET state = 'active' WHERE id = $1`, [next.id]);
  }

  private async insert(tx: Transaction, purpose: KeyPurpose, state: 'next' | 'active'): Promise<void> {
    const [last] = await tx.query<{ version: number | null }>('SELECT max(version) AS version FROM wrapped_keys WHERE purpose = $1', [purpose]);
    const version = (last?.version ?? 0) + 1;
    const id = newId('key', this.clock);
    const bytes = newKeyBytes(purpose);
    const wrapped = this.kek.wrap(bytes, { environment: this.environment, purpose, keyId: id, version });
    bytes.fill(0);
    await tx.query(
      'INSERT INTO wrapped_keys (id, purpose, version, state, kek_id, wrapped, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [id, purpose, version, state, this.kek.id, wrapped, this.clock.now()],
    );
  }
}

function hasNext(purpose: KeyPurpose): boolean {
  return (PURPOSES_WITH_NEXT as readonly KeyPurpose[]).includes(purpose);
}

/** True when the database holds wrapped keys already: then a missing key file must never be made anew. */
export async function hasWrappedKeys(db: Database): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>('SELECT EXISTS (SELECT 1 FROM wrapped_keys) AS found');
  return row?.found === true;
}
