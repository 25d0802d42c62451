import { newId, systemClock, Fault, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { KeyEncryptionKey } from '../sealing/key-encryption-key.js';
import { KEY_PURPOSES, newKeyBytes, type KeyPurpose } from './key-purposes.js';

/** A key as it lies in the database: wrapped. */
export interface WrappedKey {
  id: string;
  purpose: KeyPurpose;
  version: number;
  state: 'active' | 'retired';
  kekId: string;
  wrapped: Buffer;
}

// First key of a two-part advisory lock; the second is the schema's hash, because services may share a database.
const CREATION_LOCK = 7_200;

const COLUMNS = 'id, purpose, version, state, kek_id AS "kekId", wrapped';

/** The vault's own keys in its database, wrapped by the key-encryption key. */
export class KeyStore {
  constructor(
    private readonly db: Database,
    private readonly kek: KeyEncryptionKey,
    private readonly environment: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Makes the active key of every purpose that has none, after checking that the keys there open
   * with our key-encryption key: a second root would lock out the other replicas. Replicas that start at once wait for each
   * other, so every key is made once; the unique indexes are the second line.
   */
  async ensureActive(): Promise<void> {
    await this.db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))', [CREATION_LOCK]);
      (await tx.query<WrappedKey>(`SELECT ${COLUMNS} FROM wrapped_keys`)).forEach((key) => this.unwrap(key).fill(0));
      for (const purpose of KEY_PURPOSES) await this.ensurePurpose(tx, purpose);
    });
  }

  /** Keys of one purpose, the active one first, then retired ones from the newest. */
  async list(purpose: KeyPurpose): Promise<WrappedKey[]> {
    const order = `ORDER BY (state = 'active') DESC, version DESC`;
    return this.db.query<WrappedKey>(`SELECT ${COLUMNS} FROM wrapped_keys WHERE purpose = $1 ${order}`, [purpose]);
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
    const [state] = await tx.query<{ active: boolean; last: number }>(
      `SELECT coalesce(bool_or(state = 'active'), false) AS active, coalesce(max(version), 0) AS last FROM wrapped_keys WHERE purpose = $1`,
      [purpose],
    );
    if (state?.active !== true) await this.insert(tx, purpose, (state?.last ?? 0) + 1);
  }

  private async insert(tx: Transaction, purpose: KeyPurpose, version: number): Promise<void> {
    const id = newId('key', this.clock);
    const bytes = newKeyBytes(purpose);
    const wrapped = this.kek.wrap(bytes, { environment: this.environment, purpose, keyId: id, version });
    bytes.fill(0);
    await tx.query(
      `INSERT INTO wrapped_keys (id, purpose, version, state, kek_id, wrapped, created_at) VALUES ($1, $2, $3, 'active', $4, $5, $6)`,
      [id, purpose, version, this.kek.id, wrapped, this.clock.now()],
    );
  }
}

/** True when the database holds wrapped keys already: then a missing key file must never be made anew. */
export async function hasWrappedKeys(db: Database): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>('SELECT EXISTS (SELECT 1 FROM wrapped_keys) AS found');
  return row?.found === true;
}
