import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { identityContracts, serverContracts, type Actor, type SnapshotVersion } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import type { SecretHeader, ServerAccess } from './server-access.js';
import { ServiceSecrets } from './service-secrets.js';
import { SnapshotWaits } from './snapshot-waits.js';

const { createIdentity, listIdentities, putUpstreamSecret, replaceIdentityHeaders } = identityContracts;

/** A server that is registered already. */
interface Registered {
  readonly id: string;
  readonly name: string;
}

/** Gives the secrets of a server to those who keep them: headers become the organisation's identity, a client's secret is auth's. */
@Injectable()
export class ServerSecrets {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly secrets: ServiceSecrets,
    private readonly waits: SnapshotWaits,
  ) {}

  /** Answers once this edge can call with them. Refuses as auth does. */
  async store(server: Registered, { values, client }: ServerAccess, actor: Actor): Promise<void> {
    if (values.length > 0) await this.#inForce(this.#identity(server, values, actor));
    if (client === null) return;
    const secret = await this.secrets.seal(client.text);
    await this.bus.request(putUpstreamSecret, { actor, serverId: server.id, kind: client.kind, secret });
    // The first look may have come before the secret did, and told that a client is missing.
    await this.bus.request(serverContracts.probeServer, { actor, name: server.name, revision: null });
  }

  async #identity({ id: serverId, name }: Registered, values: readonly SecretHeader[], actor: Actor) {
    const { items } = await this.bus.request(listIdentities, { owner: 'global', server: name });
    const held = items.filter(({ method }) => method === 'headers').sort((one, other) => Number(other.preferred) - Number(one.preferred))[0];
    const identityId = held?.id ?? newId('identity');
    const headers = await this.secrets.sealHeaders(identityId, values);
    if (held !== undefined) return this.bus.request(replaceIdentityHeaders, { actor, identityId, ownedBy: null, headers });
    return this.bus.request(createIdentity, { actor, identityId, serverId, owner: 'global', name: 'default', headers });
  }

  async #inForce(change: Promise<{ directory: SnapshotVersion }>): Promise<void> {
    const { directory } = await change;
    await this.waits.directoryReached(directory);
  }
}
