import { Serves } from '@gatehouse/bus';
import { identityContracts, type Actor } from '@gatehouse/contracts';
import { Controller } from '@nestjs/common';
import { ObtainedIdentities } from '../identities/obtained-identities.js';
import { Connections, type ConnectionState, type ConnectLink, type ConnectWish } from './connections.js';
import { UpstreamDiscovery, type UpstreamVerdict } from './upstream-discovery.js';
import { UpstreamSecrets, type SealedSecret, type SecretKind } from './upstream-secrets.js';

/** Answers about signing in to upstreams. */
@Controller()
export class UpstreamsController {
  constructor(
    private readonly discovery: UpstreamDiscovery,
    private readonly secrets: UpstreamSecrets,
    private readonly connections: Connections,
    private readonly obtained: ObtainedIdentities,
  ) {}

  /** How a server wants to be signed in to; where nobody has to, it is done. Accounts of another origin that it had are over. */
  @Serves(identityContracts.discoverUpstream)
  async discover(asked: { serverId: string; challenge: string | null; anew: boolean }): Promise<UpstreamVerdict> {
    const verdict = await this.discovery.discover(asked);
    await this.obtained.looked(asked.serverId, verdict.verdict === 'sign_in');
    return verdict;
  }

  /** Keeps or forgets the secret of a client registered beforehand. */
  @Serves(identityContracts.putUpstreamSecret)
  putSecret({ serverId, kind, secret }: { actor: Actor; serverId: string; kind: SecretKind; secret: SealedSecret | null }): Promise<{ stored: boolean }> {
    return this.secrets.give(serverId, kind, secret);
  }

  /** A link that connects an account. */
  @Serves(identityContracts.startConnect)
  startConnect(wish: ConnectWish): Promise<ConnectLink> {
    return this.connections.start(wish);
  }

  /** How a connection went. */
  @Serves(identityContracts.getConnection)
  getConnection({ id, personId }: { id: string; personId: string }): Promise<ConnectionState> {
    return this.connections.show(id, personId);
  }
}
