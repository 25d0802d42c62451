import { Inject, Injectable } from '@nestjs/common';
import { BUS, type Bus } from '@gatehouse/bus';
import { catalogueContracts, policyContracts, vaultContracts, type Actor, type api } from '@gatehouse/contracts';
import { newId, Refusal, sealTo } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { z } from 'zod';

type ServerBody = z.output<typeof api.serverBody>;
type AddressedBody = Omit<ServerBody, 'url' | 'catalogue'> & { url: string };
type Header = { name: string; value: string; secret: boolean };

/** DI token of the outbound client. */
export const OUTBOUND = Symbol('OUTBOUND');

const PRINTABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Registers a server: its secret headers go to the vault first, sealed here, so that no other service
 * ever sees them; then policy gets the rest. When policy refuses, the secrets are destroyed again.
 */
@Injectable()
export class ServerRegistration {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(OUTBOUND) private readonly outbound: Outbound,
  ) {}

  /** Refuses with `url_refused`, `header_refused`, `certificate_refused`, `conflict`, `bad_request`, and `not_found` for a name that is not in the catalogue. */
  async add(asked: ServerBody, actor: Actor): Promise<policyContracts.Server> {
    const body = await this.#addressed(asked);
    const headers: readonly Header[] = body.auth.kind === 'headers' ? body.auth.headers : [];
    const secret = headers.filter((header) => header.secret);
    requireSendable(headers);
    const { origin } = this.outbound.destination(body.url, { allowPrivateNetwork: body.allowPrivateNetwork });
    const ids = { serverId: newId('server'), identityId: secret.length > 0 ? newId('identity') : null };
    const server = { ...registered(body, headers), id: ids.serverId, identityId: ids.identityId };
    if (ids.identityId !== null) await this.#store(ids.identityId, ids.serverId, origin, secret);
    try {
      return await this.bus.request(policyContracts.addServer, { actor, server });
    } catch (error) {
      if (ids.identityId !== null) await this.bus.request(vaultContracts.destroyCredential, { identityId: ids.identityId });
      throw error;
    }
  }

  /** Takes a server out of the register and its credential out of the vault. */
  async remove(input: { actor: Actor; name: string; revision: number | null }): Promise<void> {
    const removed = await this.bus.request(policyContracts.removeServer, input);
    if (removed.identityId !== null) await this.bus.request(vaultContracts.destroyCredential, { identityId: removed.identityId });
  }

  async #addressed({ catalogue, url, ...body }: ServerBody): Promise<AddressedBody> {
    if ((url === undefined) === (catalogue === undefined)) throw new Refusal('bad_request', { problem: 'either url or catalogue says which server' });
    if (url !== undefined) return { ...body, url };
    const entry = await this.bus.request(catalogueContracts.getCatalogueEntry, { name: catalogue! });
    return { ...body, url: entry.url, name: body.name ?? entry.name };
  }

  async #store(identityId: string, serverId: string, origin: string, secret: readonly Header[]): Promise<void> {
    const { publicKey } = await this.bus.request(vaultContracts.getEntryKey, {});
    const fields = secret.map(({ name, value }) => {
      const bytes = Buffer.from(value, 'latin1');
      const sealed = sealTo(publicKey, bytes, vaultContracts.entryContext(identityId, name));
      bytes.fill(0);
      return { name, sealed };
    });
    await this.bus.request(vaultContracts.storeCredential, { identityId, serverId, origin, owner: 'global', fields });
  }
}

function registered(body: AddressedBody, headers: readonly Header[]) {
  const secret = headers.filter((header) => header.secret).map(({ name }) => name);
  const plain = headers.filter((header) => !header.secret).map(({ name, value }) => [name, value] as [string, string]);
  const identityMode = body.identityMode ?? (secret.length > 0 ? 'global' : 'none');
  if (identityMode === 'global' && secret.length === 0) throw new Refusal('bad_request', { problem: 'identityMode global needs a secret header' });
  if (identityMode === 'none' && secret.length > 0) throw new Refusal('bad_request', { problem: 'identityMode none sends no secret header' });
  const { url, stateless, allowPrivateNetwork, caCertificate = null } = body;
  return { name: body.name ?? null, url, stateless, allowPrivateNetwork, caCertificate, identityMode, headers: plain, secretHeaders: secret };
}

// Line breaks in a header value would smuggle a header or a second request to the upstream.
function requireSendable(headers: readonly Header[]): void {
  const seen = new Set<string>();
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) throw new Refusal('header_refused', { header: name, reason: 'given twice' });
    if (!PRINTABLE.test(value)) throw new Refusal('header_refused', { header: name, reason: 'not printable' });
    seen.add(lower);
  }
}
