import { Fault } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { CREDENTIAL_COLUMNS, type CredentialRow, type FieldRow } from '../credentials/credential-rows.js';
import type { SecretSealer } from '../credentials/secret-sealer.js';
import { KeyGone, type CredentialKeys } from '../keys/credential-keys.js';
import { BlobRefused, type VersionedKey } from '../sealing/secret-blob.js';
import type { ServiceSecretRow } from '../service-secrets/service-secret-rows.js';
import type { ServiceSecrets } from '../service-secrets/service-secrets.js';
import type { Batch, Move } from './moving.js';

// A batch holds its rows for some milliseconds, which a store of the same credential waits.
const BATCH = 50;
/** The blob's own header says which key it is under; see `sealSecret`. */
const KEY_VERSION = 'substring(blob FROM 6 FOR 4)';
const ELSEWHERE = `${KEY_VERSION} <> int4send($1::int)`;
const SERVICE_SECRETS = 's:';

type FieldOfRow = FieldRow & CredentialRow;

/** Seals every secret anew under the active `credential` key, then deletes the keys that no blob names. */
export class SecretMove implements Move {
  readonly what = 'secrets';
  private key: VersionedKey | undefined;

  constructor(
    private readonly parts: { keys: CredentialKeys; sealer: SecretSealer; serviceSecrets: ServiceSecrets; log: Logger },
  ) {}

  /** The active key's version. */
  async target(): Promise<string> {
    this.key = await this.parts.keys.active();
    return `credential ${this.key.version}`;
  }

  async left(tx: Transaction): Promise<number> {
    const [row] = await tx.query<{ left: number }>(
      `SELECT (SELECT count(*) FROM credential_fields WHERE ${ELSEWHERE})::int
            + (SELECT count(*) FROM service_secrets WHERE blob IS NOT NULL AND ${ELSEWHERE})::int AS left`,
      [this.key!.version],
    );
    return row!.left;
  }

  async batch(tx: Transaction, after: string): Promise<Batch> {
    // Replaced since it was fetched, it may be deleted by whoever moves to the newer one.
    await this.parts.keys.hold(tx, this.key!);
    if (!after.startsWith(SERVICE_SECRETS)) {
      const batch = await this.fields(tx, after);
      if (batch.last !== undefined) return batch;
    }
    return this.serviceSecrets(tx, after.startsWith(SERVICE_SECRETS) ? after.slice(SERVICE_SECRETS.length) : '');
  }

  /** Retired keys that no blob names are gone for good: what was sealed with them and kept elsewhere stays closed. */
  async finish(tx: Transaction): Promise<void> {
    // Held before anything is counted, in a statement of its own: who seals with a key holds it too.
    await tx.query(`SELECT 1 FROM wrapped_keys WHERE purpose = 'credential' FOR UPDATE`);
    const deleted = await tx.query<{ version: number }>(
      `DELETE FROM wrapped_keys k WHERE purpose = 'credential' AND state = 'retired'
          AND NOT EXISTS (SELECT 1 FROM credential_fields WHERE ${KEY_VERSION} = int4send(k.version))
          AND NOT EXISTS (SELECT 1 FROM service_secrets WHERE blob IS NOT NULL AND ${KEY_VERSION} = int4send(k.version))
        RETURNING version`,
    );
    if (deleted.length > 0) this.parts.log.info({ versions: deleted.map(({ version }) => version) }, 'credential keys destroyed: no secret is sealed with them any more');
  }

  private async fields(tx: Transaction, after: string): Promise<Batch> {
    const rows = await tx.query<FieldOfRow>(
      `SELECT f.secret_id AS "secretId", f.name, f.blob, ${CREDENTIAL_COLUMNS}
         FROM credential_fields f JOIN credentials c USING (identity_id)
        WHERE ${ELSEWHERE} AND f.secret_id > $2 ORDER BY f.secret_id LIMIT $3`,
      [this.key!.version, after, BATCH],
    );
    const put = 'UPDATE credential_fields SET blob = $3 WHERE secret_id = $1 AND blob = $2';
    const moved = await this.each(rows, async (row) => {
      const blob = await this.parts.sealer.reseal(this.key!, row, row);
      await tx.query(put, [row.secretId, row.blob, blob]);
    });
    return { ...moved, last: rows.at(-1)?.secretId };
  }

  private async serviceSecrets(tx: Transaction, after: string): Promise<Batch> {
    const rows = await tx.query<ServiceSecretRow & { blob: Buffer; at: string }>(
      `SELECT owner || ' ' || secret_id AS at, owner, secret_id AS "secretId", purpose, version, blob FROM service_secrets
        WHERE blob IS NOT NULL AND ${ELSEWHERE} AND owner || ' ' || secret_id > $2 ORDER BY at LIMIT $3`,
      [this.key!.version, after, BATCH],
    );
    const put = 'UPDATE service_secrets SET blob = $4 WHERE owner = $1 AND secret_id = $2 AND blob = $3';
    const moved = await this.each(rows, async (row) => {
      const blob = await this.parts.serviceSecrets.reseal(this.key!, row, row.blob);
      await tx.query(put, [row.owner, row.secretId, row.blob, blob]);
    });
    const last = rows.at(-1)?.at;
    return { ...moved, last: last === undefined ? undefined : `${SERVICE_SECRETS}${last}` };
  }

  // A secret that does not open is left as it is, with its key, and counted: one altered row must not keep the others.
  private async each<R extends { secretId: string }>(rows: readonly R[], reseal: (row: R) => Promise<void>): Promise<Pick<Batch, 'moved' | 'failed'>> {
    let failed = 0;
    for (const row of rows) {
      await reseal(row).catch((error: unknown) => {
        if (!(error instanceof Fault || error instanceof BlobRefused || error instanceof KeyGone)) throw error;
        failed += 1;
        this.parts.log.error({ err: error, secretId: row.secretId }, 'a stored secret could not be sealed anew');
      });
    }
    return { moved: rows.length - failed, failed };
  }
}
