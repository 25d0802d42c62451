import type { Database } from '@gatehouse/persistence';
import { deleteClients } from './client-rows.js';
import type { UpstreamSecrets } from './upstream-secrets.js';

/** Ends what was kept for servers that are gone. */
export class ForgottenUpstreams {
  constructor(
    private readonly db: Database,
    private readonly secrets: UpstreamSecrets,
  ) {}

  /** Forgets a server's discovery, clients and links, and destroys their secrets; twice is fine. Rejects like the vault. */
  async forget(serverId: string): Promise<void> {
    const given = await this.secrets.given(serverId);
    const ids = await this.db.query<{ secretId: string | null }>('SELECT secret_id AS "secretId" FROM upstream_clients WHERE server_id = $1', [serverId]);
    // First the secrets: a row that is left still leads to them when the vault is away.
    await this.secrets.destroy([...(given === undefined ? [] : [given.secretId]), ...ids.flatMap(({ secretId }) => secretId ?? [])]);
    await this.db.transaction(async (tx) => {
      await deleteClients(tx, serverId);
      await tx.query('DELETE FROM upstream_secrets WHERE server_id = $1', [serverId]);
      await tx.query('DELETE FROM upstream_oauth WHERE server_id = $1', [serverId]);
      await tx.query('DELETE FROM upstream_connections WHERE server_id = $1', [serverId]);
    });
  }
}
