import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newId, Refusal, sealTo, type Clock, type Secret } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { ClientSecrets } from '../sign-in/client-secret.js';

/** What proves that Gatehouse is a client registered beforehand. */
export type SecretKind = 'client_secret' | 'private_key';

/** A secret that came in sealed under `serviceSecretContext`. */
export interface SealedSecret {
  secretId: string;
  sealed: string;
}

const PURPOSE = 'upstream-client';

/** Secrets of Gatehouse as a client of upstreams' authorization servers: they live in the vault, here stand their ids. */
export class UpstreamSecrets {
  private readonly secrets: ClientSecrets;

  constructor(
    private readonly db: Database,
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {
    this.secrets = new ClientSecrets(bus, PURPOSE);
  }

  /** The secret under this id, for at once. Refuses with `credential_missing`, or like the bus. */
  lease(secretId: string): Promise<Secret> {
    return this.secrets.lease(secretId);
  }

  /** Puts a secret of ours into the vault; resolves to its id. */
  async keep(secret: Secret): Promise<string> {
    const { publicKey } = await this.bus.request(vaultContracts.getEntryKey, {});
    const secretId = newId('secret', this.clock);
    const sealed = secret.use((bytes) => sealTo(publicKey, bytes, vaultContracts.serviceSecretContext(secretId)));
    await this.secrets.store(secretId, sealed);
    return secretId;
  }

  /** Destroys secrets for good. */
  async destroy(secretIds: readonly string[]): Promise<void> {
    for (const secretId of secretIds) await this.secrets.destroy(secretId);
  }

  /** What was given for a server's client. */
  async given(serverId: string): Promise<{ kind: SecretKind; secretId: string } | undefined> {
    const [row] = await this.db.query<{ kind: SecretKind; secretId: string }>('SELECT kind, secret_id AS "secretId" FROM upstream_secrets WHERE server_id = $1', [serverId]);
    return row;
  }

  /**
   * Keeps what an administrator gave in place of what was there; null forgets it. Refuses with
   * `bad_request` for an id that is taken, or as the vault does.
   */
  async give(serverId: string, kind: SecretKind, secret: SealedSecret | null): Promise<{ stored: boolean }> {
    const before = await this.given(serverId);
    if (secret !== null) {
      if (before?.secretId === secret.secretId) throw new Refusal('bad_request', { field: 'secretId' });
      await this.secrets.store(secret.secretId, secret.sealed);
      await this.db.query(
        `INSERT INTO upstream_secrets (server_id, kind, secret_id) VALUES ($1, $2, $3)
         ON CONFLICT (server_id) DO UPDATE SET kind = excluded.kind, secret_id = excluded.secret_id`,
        [serverId, kind, secret.secretId],
      );
    } else {
      await this.db.query('DELETE FROM upstream_secrets WHERE server_id = $1', [serverId]);
    }
    if (before !== undefined) await this.destroy([before.secretId]);
    return { stored: secret !== null };
  }
}
