import { Serves } from '@gatehouse/bus';
import { clientContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { Clients, type ClientDecision } from './clients.js';
import type { NewClient } from './new-registered-client.js';

type OauthClient = clientContracts.OauthClient;
type Settings = clientContracts.RegistrationSettings;

/** Answers for OAuth clients and how they may come. */
@Controller()
export class ClientsController {
  constructor(private readonly clients: Clients) {}

  /** All clients. */
  @Serves(clientContracts.listClients)
  async list(): Promise<{ items: OauthClient[] }> {
    return { items: await this.clients.list() };
  }

  /** Registers a client by hand. */
  @Serves(clientContracts.createClient)
  create({ actor, ...asked }: NewClient & { actor: Actor }): Promise<{ client: OauthClient; sealedSecret: string | null }> {
    return this.clients.create(actor, asked);
  }

  /** Lets a client in or keeps it out. */
  @Serves(clientContracts.decideClient)
  decide({ actor, ...decision }: ClientDecision & { actor: Actor }): Promise<{ client: OauthClient; directory: SnapshotVersion }> {
    return this.clients.decide(actor, decision);
  }

  /** Removes a client. */
  @Serves(clientContracts.deleteClient)
  async delete({ actor, id }: { actor: Actor; id: string }): Promise<{ directory: SnapshotVersion }> {
    return { directory: await this.clients.delete(actor, id) };
  }

  /** How clients may come by themselves. */
  @Serves(clientContracts.getRegistrationSettings)
  settings(): Promise<Settings> {
    return this.clients.settings();
  }

  /** Replaces that. */
  @Serves(clientContracts.putRegistrationSettings)
  putSettings({ actor, settings }: { actor: Actor; settings: Settings }): Promise<Settings> {
    return this.clients.putSettings(actor, settings);
  }
}
