import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { identityContracts, serverContracts, type api, type authContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { newId, Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';
import { actorOf, type AdminRequest } from './admin-guard.js';
import { ownOrAll } from './own-or-all.js';
import { requireSendable, type SecretHeader } from './server-access.js';
import { ServiceSecrets } from './service-secrets.js';
import { SnapshotWaits } from './snapshot-waits.js';

type Identity = identityContracts.Identity;
type Owner = Identity['owner'];

/** Who may do what with identities, and the changes that carry secrets. */
@Injectable()
export class IdentityDesk {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    private readonly secrets: ServiceSecrets,
    private readonly waits: SnapshotWaits,
  ) {}

  /** Whose identities a list shows; null stands for everybody's. Refuses with `capability_missing`. */
  listedOwners(request: AdminRequest, all: boolean): (Owner | null)[] {
    if (all) requireCapability(request, 'identities.read');
    if (all) return [null];
    return isPerson(request) ? [callerOf(request).id, 'global'] : ['global'];
  }

  /** The owner of something new. Refuses with `capability_missing`, and with `bad_request` where a service account wants one of its own. */
  newOwner(visibility: 'private' | 'global', request: AdminRequest): Owner {
    if (visibility === 'private') return personOf(request);
    requireCapability(request, 'identities.manage');
    return 'global';
  }

  /** Restricts a change to the caller's own; the organisation's are for who may manage them. Nobody changes what is another's alone. */
  async changeableBy(identityId: string, request: AdminRequest): Promise<string | null> {
    const own = callerOf(request).id;
    if (ownOrAll(request, 'identities.manage') !== null) return own;
    const { items } = await this.bus.request(identityContracts.listIdentities, { owner: 'global', server: null });
    return items.some(({ id }) => id === identityId) ? null : own;
  }

  /** Restricts a removal: who may manage identities ends anybody's. */
  removableBy(request: AdminRequest): string | null {
    return ownOrAll(request, 'identities.manage');
  }

  /** Stores secret headers as a new identity. */
  async create({ server, visibility, name, headers }: z.output<typeof api.identityBody>, request: AdminRequest): Promise<Identity> {
    const owner = this.newOwner(visibility, request);
    const given = headersOf(headers);
    const { id: serverId } = await this.bus.request(serverContracts.getServer, { name: server });
    const identityId = newId('identity');
    const sealed = await this.secrets.sealHeaders(identityId, given);
    return this.inForce(this.bus.request(identityContracts.createIdentity, { actor: actorOf(request), identityId, serverId, owner, name, headers: sealed }));
  }

  /** Puts new secret headers in place of an identity's. */
  async replaceHeaders(identityId: string, headers: Record<string, string>, request: AdminRequest): Promise<Identity> {
    const given = headersOf(headers);
    const ownedBy = await this.changeableBy(identityId, request);
    const sealed = await this.secrets.sealHeaders(identityId, given);
    return this.inForce(this.bus.request(identityContracts.replaceIdentityHeaders, { actor: actorOf(request), identityId, ownedBy, headers: sealed }));
  }

  /** The identity as it is now, once this edge calls by it. */
  async inForce(change: Promise<{ identity: Identity; directory: SnapshotVersion }>): Promise<Identity> {
    const { identity, directory } = await change;
    await this.waits.directoryReached(directory);
    return identity;
  }
}

/** The person who asks. Refuses service accounts, which have no accounts of their own and nobody who could sign in for them. */
export function personOf(request: AdminRequest): string {
  if (isPerson(request)) return callerOf(request).id;
  throw new Refusal('bad_request', { problem: 'a service account calls with the organisation\'s identities: ask for visibility global, or sign in as a person' });
}

/** Refuses with `capability_missing`. */
export function requireCapability({ caller }: AdminRequest, capability: authContracts.Capability): void {
  if (caller?.capabilities.has(capability) !== true) throw new Refusal('capability_missing', { capability });
}

function callerOf({ caller }: AdminRequest) {
  if (caller === undefined) throw new Refusal('unauthenticated', { tokenSent: false });
  return caller.account;
}

const isPerson = (request: AdminRequest): boolean => callerOf(request).kind === 'person';

function headersOf(headers: Record<string, string>): SecretHeader[] {
  const given = Object.entries(headers).map(([name, value]) => ({ name, value }));
  requireSendable(given);
  return given;
}
