import type { Actor, clientContracts, SnapshotVersion } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Logger } from '@gatehouse/telemetry';
import { hostOfFirst } from '../authorization-server/client-store.js';
import { endGrants } from '../authorization-server/end-grants.js';
import type { DirectoryChanges } from '../directory/directory-changes.js';
import { allClients, deleteClientRow, findClient, insertRegistered, markDecision } from './client-rows.js';
import { newClientId, newRegisteredClient, type NewClient } from './new-registered-client.js';
import { validSettings, type RegistrationSettings } from './registration-settings.js';

type OauthClient = clientContracts.OauthClient;
type Settings = clientContracts.RegistrationSettings;

/** What `Clients` works with. */
export interface ClientsParts {
  db: Database;
  changes: DirectoryChanges;
  settings: RegistrationSettings;
  log: Logger;
  clock: Clock;
}

/** What an administrator decides about a client. */
export interface ClientDecision {
  id: string;
  status: 'allowed' | 'denied';
}

/** The clients that may ask our authorization server for tokens, however they came. */
export class Clients {
  constructor(private readonly parts: ClientsParts) {}

  /** All that were seen and not removed. */
  list(): Promise<OauthClient[]> {
    return allClients(this.parts.db, this.parts.clock.now());
  }

  /** Registers a client; see `newRegisteredClient` for what is refused. */
  async create(by: Actor, asked: NewClient): Promise<{ client: OauthClient; sealedSecret: string | null }> {
    const { db, settings, clock, log } = this.parts;
    const id = newClientId();
    const { metadata, sealedSecret } = newRegisteredClient(id, asked, (await settings.current()).redirectSchemes);
    const client = await db.transaction(async (tx) => {
      await insertRegistered(tx, { id, name: asked.name, host: hostOfFirst(asked.redirectUris), createdAt: clock.now() }, metadata);
      return this.existing(tx, id);
    });
    log.info({ actorId: by.callerId, clientId: id, authMethod: asked.authMethod }, 'client registered');
    return { client, sealedSecret };
  }

  /** Lets a client in or keeps it out, which ends its grants. Refuses with `not_found`; twice is fine. */
  async decide(by: Actor, { id, status }: ClientDecision): Promise<{ client: OauthClient; directory: SnapshotVersion }> {
    const { result, directory } = await this.parts.changes.apply(async (tx) => {
      await this.existing(tx, id);
      await markDecision(tx, id, status);
      const ended = status === 'denied' ? await this.endGrantsOf(tx, id) : 0;
      return { result: await this.existing(tx, id), changed: ended > 0 };
    });
    this.parts.log.info({ actorId: by.callerId, clientId: id, status }, 'client decided');
    return { client: result, directory };
  }

  /** Removes a client and every grant of it. Refuses with `not_found`. */
  async delete(by: Actor, id: string): Promise<SnapshotVersion> {
    const { directory } = await this.parts.changes.apply(async (tx) => {
      await this.existing(tx, id);
      const ended = await this.endGrantsOf(tx, id);
      await deleteClientRow(tx, id);
      return { result: undefined, changed: ended > 0 };
    });
    this.parts.log.info({ actorId: by.callerId, clientId: id }, 'client removed');
    return directory;
  }

  /** How clients may come by themselves. */
  settings(): Promise<Settings> {
    return this.parts.settings.current();
  }

  /** Replaces that; refuses with `bad_request` what `validSettings` does. */
  async putSettings(by: Actor, asked: Settings): Promise<Settings> {
    const settings = validSettings(asked);
    await this.parts.settings.replace(this.parts.db, settings);
    this.parts.log.info({ actorId: by.callerId, dynamic: settings.dynamic, metadataDocuments: settings.metadataDocuments, rules: settings.rules.length }, 'client registration set');
    return settings;
  }

  // Codes and pushed requests of a consent under way too: they would end in a grant a moment later.
  private async endGrantsOf(tx: Transaction, clientId: string): Promise<number> {
    const ended = await endGrants(tx, { clientId }, this.parts.clock.now());
    await tx.query('DELETE FROM artefacts WHERE client_id = $1', [clientId]);
    return ended;
  }

  private async existing(tx: Transaction, id: string): Promise<OauthClient> {
    const client = await findClient(tx, id, this.parts.clock.now());
    if (client === undefined) throw new Refusal('not_found');
    return client;
  }
}
