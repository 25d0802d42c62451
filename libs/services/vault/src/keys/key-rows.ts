import type { Transaction } from '@gatehouse/persistence';
import type { KeyPurpose } from './key-purposes.js';

/** What a wrapped key is bound to; these never change. */
export interface KeyName {
  id: string;
  purpose: KeyPurpose;
  version: number;
}

/** A key as it lies in the database: wrapped. */
export interface WrappedKey extends KeyName {
  state: 'next' | 'active' | 'retired';
  createdAt: number;
  /** Epoch milliseconds; null also for a key that was retired by hand. */
  retiredAt: number | null;
  kekId: string;
  /** Version of the provider's key that wrapped it; empty where there is none to tell. */
  kekVersion: string;
  wrapped: Buffer;
}

// As float8, which holds epoch milliseconds exactly: a bigint would arrive as a string.
const COLUMNS = `id, purpose, version, state, created_at::float8 AS "createdAt", retired_at::float8 AS "retiredAt",
  kek_id AS "kekId", kek_version AS "kekVersion", wrapped`;

/** Every key of every purpose. */
export function allKeys(tx: Transaction): Promise<WrappedKey[]> {
  return tx.query<WrappedKey>(`SELECT ${COLUMNS} FROM wrapped_keys ORDER BY id`);
}

/** Keys of one purpose: the active one first, then the next one if there is one, then retired ones from the newest. */
export function keysOfPurpose(tx: Transaction, purpose: KeyPurpose): Promise<WrappedKey[]> {
  const order = `ORDER BY array_position(ARRAY['active', 'next', 'retired'], state), version DESC`;
  return tx.query<WrappedKey>(`SELECT ${COLUMNS} FROM wrapped_keys WHERE purpose = $1 ${order}`, [purpose]);
}

/** One version of a purpose; undefined when there is none. */
export async function keyVersion(tx: Transaction, purpose: KeyPurpose, version: number): Promise<WrappedKey | undefined> {
  const [key] = await tx.query<WrappedKey>(`SELECT ${COLUMNS} FROM wrapped_keys WHERE purpose = $1 AND version = $2`, [purpose, version]);
  return key;
}

/** Adds a key. */
export async function insertKey(tx: Transaction, key: WrappedKey): Promise<void> {
  const { id, purpose, version, state, kekId, kekVersion, wrapped, createdAt } = key;
  await tx.query(
    `INSERT INTO wrapped_keys (id, purpose, version, state, kek_id, kek_version, wrapped, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, purpose, version, state, kekId, kekVersion, wrapped, createdAt],
  );
}

/** The present key-encryption key and its version, and the ids of those whose keys can be opened here. */
export interface PresentRoot {
  kekId: string;
  kekVersion: string;
  openable: readonly string[];
}

const ELSEWHERE = '(kek_id <> $1 OR kek_version <> $2) AND kek_id = ANY($3)';

/** How many keys something else than the present version of the present key-encryption key wrapped. */
export async function countKeysElsewhere(tx: Transaction, { kekId, kekVersion, openable }: PresentRoot): Promise<number> {
  const [row] = await tx.query<{ count: number }>(`SELECT count(*)::int AS count FROM wrapped_keys WHERE ${ELSEWHERE}`, [kekId, kekVersion, openable]);
  return row!.count;
}

/** The next of them after an id. */
export function keysElsewhere(tx: Transaction, { kekId, kekVersion, openable }: PresentRoot, page: { after: string; limit: number }): Promise<WrappedKey[]> {
  return tx.query<WrappedKey>(
    `SELECT ${COLUMNS} FROM wrapped_keys WHERE ${ELSEWHERE} AND id > $4 ORDER BY id LIMIT $5`,
    [kekId, kekVersion, openable, page.after, page.limit],
  );
}

/** Puts other wrapped bytes in the place of those that were read; false when somebody else has done so meanwhile. */
export async function replaceWrapped(tx: Transaction, read: WrappedKey, next: Pick<WrappedKey, 'kekId' | 'kekVersion' | 'wrapped'>): Promise<boolean> {
  const changed = await tx.query(
    'UPDATE wrapped_keys SET kek_id = $3, kek_version = $4, wrapped = $5 WHERE id = $1 AND wrapped = $2 RETURNING id',
    [read.id, read.wrapped, next.kekId, next.kekVersion, next.wrapped],
  );
  return changed.length === 1;
}

/** Deletes the keys of these purposes that were retired before a time; one retired by hand has none and stays. */
export async function deleteRetired(tx: Transaction, purposes: readonly KeyPurpose[], beforeMs: number): Promise<void> {
  await tx.query(`DELETE FROM wrapped_keys WHERE state = 'retired' AND purpose = ANY($1) AND retired_at < $2`, [purposes, beforeMs]);
}

/** True when the database holds wrapped keys already: then a missing key file must never be made anew. */
export async function hasWrappedKeys(tx: Transaction): Promise<boolean> {
  const [row] = await tx.query<{ found: boolean }>('SELECT EXISTS (SELECT 1 FROM wrapped_keys) AS found');
  return row?.found === true;
}
