import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { catalogueContracts, identityContracts, serverContracts, type Actor, type api } from '@gatehouse/contracts';
import { newId, Refusal } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { z } from 'zod';
import { accessOf, requireFitting, type ServerAccess } from './server-access.js';
import { ServerSecrets } from './server-secrets.js';
import { SnapshotWaits } from './snapshot-waits.js';

type ServerBody = z.output<typeof api.serverBody>;
type ServerChange = z.output<typeof api.serverChange>;
type AddressedBody = Omit<ServerBody, 'url' | 'catalogue'> & { url: string };
type Server = serverContracts.Server;
type PolicyChange = z.input<typeof serverContracts.patchServer.request>['change'];

/** Which server is meant, and at which revision. */
export interface ServerTarget {
  readonly actor: Actor;
  readonly name: string;
  readonly revision: number | null;
}

/** DI token of the outbound client. */
export const OUTBOUND = Symbol('OUTBOUND');

/** Registers, changes and removes servers: policy gets what is no secret, those who keep secrets get them sealed. */
@Injectable()
export class ServerRegistration {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(OUTBOUND) private readonly outbound: Outbound,
    private readonly secrets: ServerSecrets,
    private readonly waits: SnapshotWaits,
  ) {}

  /** Refuses with `url_refused`, `header_refused`, `certificate_refused`, `conflict`, `bad_request`, and `not_found` for a name that is not in the catalogue. */
  async add(asked: ServerBody, actor: Actor): Promise<Server> {
    const body = await this.#addressed(asked);
    const access = accessOf(body.auth, body.headers);
    const identityMode = body.identityMode ?? modeOfNames(access);
    requireFitting(access, identityMode);
    this.#requireReachable([body.url, ...oauthAddresses(access)], body.allowPrivateNetwork);
    const server = await this.bus.request(serverContracts.addServer, { actor, server: { ...registered(body, access), identityMode } });
    try {
      await this.secrets.store(server, access, actor);
    } catch (error) {
      // Without its secrets it would only fail: whoever asked tries again from the start.
      await this.remove({ actor, name: server.name, revision: null });
      throw error;
    }
    return server;
  }

  /** What is left out stays. Refuses as `add` does, and with `unknown_server` and `precondition_failed`. */
  async change(target: ServerTarget, { auth, headers, ...rest }: ServerChange): Promise<Server> {
    const held = await this.bus.request(serverContracts.getServer, { name: target.name });
    const access = auth === undefined && headers === undefined ? undefined : accessOf(auth ?? { kind: 'auto' }, headers ?? []);
    if (access !== undefined && auth !== undefined) requireFitting(access, rest.identityMode === undefined ? chosenMode(held) : rest.identityMode);
    const named = rest.url === undefined ? [] : [rest.url];
    this.#requireReachable([...named, ...oauthAddresses(access)], rest.allowPrivateNetwork ?? held.allowPrivateNetwork);
    return this.#patched(target, { ...rest, ...changed(access, { auth, headers }) }, access);
  }

  async #patched(target: ServerTarget, change: PolicyChange, access: ServerAccess | undefined): Promise<Server> {
    const server = await this.bus.request(serverContracts.patchServer, { ...target, change });
    if (access !== undefined) await this.secrets.store(server, access, target.actor);
    return server;
  }

  /** Takes a server out of the register; its identities, its client and their secrets are destroyed. */
  async remove(target: ServerTarget): Promise<void> {
    const { id } = await this.bus.request(serverContracts.removeServer, target);
    const { directory } = await this.bus.request(identityContracts.forgetUpstream, { actor: target.actor, serverId: id });
    await this.waits.directoryReached(directory);
  }

  async #addressed({ catalogue, url, ...body }: ServerBody): Promise<AddressedBody> {
    if ((url === undefined) === (catalogue === undefined)) throw new Refusal('bad_request', { problem: 'either url or catalogue says which server' });
    if (url !== undefined) return { ...body, url };
    const entry = await this.bus.request(catalogueContracts.getCatalogueEntry, { name: catalogue! });
    return { ...body, url: entry.url, name: body.name ?? entry.name };
  }

  #requireReachable(urls: readonly string[], allowPrivateNetwork: boolean): void {
    for (const url of urls) this.outbound.destination(url, { allowPrivateNetwork });
  }
}

/** Names alone mean that people bring the values; a shared one can be added. */
function modeOfNames({ secretNames, values }: ServerAccess): Server['identityMode'] | null {
  return secretNames.length > 0 && values.length === 0 ? 'private-or-global' : null;
}

/** What Gatehouse itself asks in order to sign in. */
function oauthAddresses(access: ServerAccess | undefined): string[] {
  return [access?.oauth.issuer, access?.oauth.authorizeUrl, access?.oauth.tokenUrl].filter((url) => url !== undefined);
}

function registered(body: AddressedBody, { auth, oauth, plain, secretNames }: ServerAccess) {
  const { url, transport, stateless, allowPrivateNetwork, caCertificate = null, signCalls, forwardHeaders } = body;
  const settings = { url, transport, stateless, allowPrivateNetwork, caCertificate, signCalls, forwardHeaders };
  return { ...settings, id: newId('server'), name: body.name ?? null, auth, oauth, headers: plain, secretHeaders: secretNames };
}

function changed(access: ServerAccess | undefined, { auth, headers }: Pick<ServerChange, 'auth' | 'headers'>): PolicyChange {
  if (access === undefined) return {};
  const withPlain = headers !== undefined || access.plain.length > 0 ? { headers: access.plain } : {};
  return auth === undefined ? withPlain : { ...withPlain, auth: access.auth, oauth: access.oauth, secretHeaders: access.secretNames };
}

/** The mode, where it surely is an administrator's choice: the others may follow from what probes found, and change with the way in. */
function chosenMode({ identityMode }: Server): Server['identityMode'] | null {
  return identityMode === 'private-required' ? identityMode : null;
}
