import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { inProcessBus, InProcessBroker, Serves, type Bus } from '@gatehouse/bus';
import { policyContracts, serverContracts, vaultContracts, type upstreamContracts } from '@gatehouse/contracts';
import { newId, newSealingKeyPair, openSealed, Refusal, sealTo } from '@gatehouse/kernel';
import { Controller, Inject } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { z } from 'zod';

type In<C extends { request: z.ZodType }> = z.output<C['request']>;

interface TokenKey {
  id: string;
  state: 'next' | 'active' | 'retired';
  pair: { publicKey: KeyObject; privateKey: KeyObject };
  retiredAt: number | null;
}

/** What the vault of a test has of one identity, open. */
export interface HeldCredential {
  serverId: string;
  origin: string;
  owner: vaultContracts.CredentialOwner;
  version: number;
  expiresAt: number | null;
  /** Empty when it was destroyed. */
  headers: [name: string, value: string][];
}

const newTokenKey = (state: TokenKey['state']): TokenKey => ({ id: newId('key'), state, pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }), retiredAt: null });
const der = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'pkcs8' });

/** What vault and policy say to auth, as one state that a test changes. */
export class Neighbours {
  readonly broker = new InProcessBroker();
  readonly directoryKey = { id: newId('key'), ...generateKeyPairSync('ed25519') };
  readonly authSecret = { id: newId('key'), bytes: randomBytes(32) };
  readonly entryPair = newSealingKeyPair();
  tokenKeys: TokenKey[] = [newTokenKey('active'), newTokenKey('next')];
  endpoints: string[] = ['notes', 'mail'];
  /** Secrets of auth by id, open. */
  readonly secrets = new Map<string, Buffer>();
  /** Credentials of identities by id, open. */
  readonly credentials = new Map<string, HeldCredential>();
  /** The register of servers. */
  readonly upstreams = new Map<string, upstreamContracts.UpstreamServer>();
  /** Called before the vault stores a secret of auth's or a credential; may throw. */
  beforeStore: (what: 'secret' | 'credential') => void | Promise<void> = () => undefined;
  /** What the vault and policy were asked, as it came over the bus. */
  readonly heard: string[] = [];
  /** Set: policy and vault answer with this. */
  trouble: Refusal | undefined;
  #buses: Bus[] = [];

  /** A bus of one service on the broker of this neighbourhood. */
  bus(service: 'gateway' | 'auth' | 'vault' | 'policy'): Bus {
    const bus = inProcessBus(this.broker, service);
    this.#buses.push(bus);
    return bus;
  }

  /** Starts answering. */
  async serve(): Promise<void> {
    for (const [service, controller] of [['vault', VaultDouble], ['policy', PolicyDouble]] as const) {
      const module = { module: NeighbourModule, controllers: [controller], providers: [{ provide: STATE, useValue: this }] };
      const app = await NestFactory.createMicroservice(module, { strategy: this.bus(service).strategy(), logger: false });
      await app.listen();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close()));
  }

  /** Next becomes active, active retired. */
  rotateTokenKeys(retireNow: boolean): void {
    const [active, next, ...older] = this.tokenKeys as [TokenKey, TokenKey, ...TokenKey[]];
    const retired = retireNow ? [] : [{ ...active, state: 'retired' as const, retiredAt: Date.now() }];
    this.tokenKeys = [{ ...next, state: 'active' }, newTokenKey('next'), ...retired, ...older];
  }
}

const STATE = 'NEIGHBOURS';

class NeighbourModule {}

const listed = ({ id, state, pair, retiredAt }: TokenKey) => {
  const { x, y } = pair.publicKey.export({ format: 'jwk' }) as { x: string; y: string };
  return { id, state, retiredAt, publicJwk: { kty: 'EC' as const, crv: 'P-256' as const, x, y } };
};

@Controller()
class VaultDouble {
  constructor(@Inject(STATE) private readonly state: Neighbours) {}

  @Serves(vaultContracts.leaseDirectorySigningKey)
  directoryKey({ instanceKey }: In<typeof vaultContracts.leaseDirectorySigningKey>) {
    const { id, privateKey } = this.state.directoryKey;
    return { keys: [{ id, sealed: sealTo(instanceKey, der(privateKey), vaultContracts.keyContext('directory-signing', id)) }] };
  }

  @Serves(vaultContracts.leaseAuthSecretKey)
  authSecret({ instanceKey }: In<typeof vaultContracts.leaseAuthSecretKey>) {
    const { id, bytes } = this.state.authSecret;
    return { keys: [{ id, sealed: sealTo(instanceKey, Buffer.from(bytes), vaultContracts.keyContext('auth-secret', id)) }] };
  }

  @Serves(vaultContracts.leaseTokenSigningKeys)
  tokenKeys({ instanceKey }: In<typeof vaultContracts.leaseTokenSigningKeys>) {
    if (this.state.trouble !== undefined) throw this.state.trouble;
    const sealed = ({ id, state, pair }: TokenKey): string | null =>
      state === 'retired' ? null : sealTo(instanceKey, der(pair.privateKey), vaultContracts.keyContext('token-signing', id));
    return { keys: this.state.tokenKeys.map((key) => ({ ...listed(key), sealed: sealed(key) })) };
  }

  @Serves(vaultContracts.rotateTokenSigningKey)
  rotate({ expectedActive, retireNow }: In<typeof vaultContracts.rotateTokenSigningKey>) {
    const rotated = this.state.tokenKeys[0]!.id === expectedActive;
    if (rotated) this.state.rotateTokenKeys(retireNow);
    return { rotated, keys: this.state.tokenKeys.map(listed) };
  }

  @Serves(vaultContracts.getEntryKey)
  entryKey() {
    return { keyId: 'key_entry', publicKey: this.state.entryPair.publicKey };
  }

  @Serves(vaultContracts.storeAuthSecret)
  async store({ secretId, sealed }: In<typeof vaultContracts.storeAuthSecret>) {
    this.state.heard.push(JSON.stringify({ secretId, sealed }));
    await this.state.beforeStore('secret');
    this.state.secrets.set(secretId, openSealed(this.state.entryPair, sealed, vaultContracts.serviceSecretContext(secretId)));
    return { version: 1 };
  }

  @Serves(vaultContracts.leaseAuthSecret)
  lease({ secretId, instanceKey }: In<typeof vaultContracts.leaseAuthSecret>) {
    const secret = this.state.secrets.get(secretId);
    if (secret === undefined) throw new Refusal('credential_missing');
    return { sealed: sealTo(instanceKey, Buffer.from(secret), vaultContracts.serviceSecretLeaseContext(secretId, 1)), version: 1 };
  }

  @Serves(vaultContracts.destroyAuthSecret)
  destroy({ secretId }: In<typeof vaultContracts.destroyAuthSecret>) {
    return { destroyed: this.state.secrets.delete(secretId) };
  }

  @Serves(vaultContracts.storeCredential)
  async storeCredential(asked: In<typeof vaultContracts.storeCredential>) {
    this.state.heard.push(JSON.stringify(asked));
    await this.state.beforeStore('credential');
    const { identityId, serverId, origin, owner, fields, expiresAt } = asked;
    const before = this.state.credentials.get(identityId);
    if (before !== undefined && (before.owner !== owner || before.serverId !== serverId)) throw new Refusal('conflict');
    const version = (before?.version ?? 0) + 1;
    const headers = fields.map(({ name, sealed }): [string, string] => [name, openSealed(this.state.entryPair, sealed, vaultContracts.entryContext(identityId, name)).toString()]);
    this.state.credentials.set(identityId, { serverId, origin, owner, version, expiresAt, headers });
    return { version };
  }

  @Serves(vaultContracts.transferCredential)
  transfer({ identityId, from, to }: In<typeof vaultContracts.transferCredential>) {
    const held = this.state.credentials.get(identityId);
    if (held === undefined || (held.owner !== from && held.owner !== to)) throw new Refusal('credential_missing');
    this.state.credentials.set(identityId, { ...held, owner: to, version: held.version + 1 });
    return { version: held.version + 1 };
  }

  @Serves(vaultContracts.destroyCredential)
  destroyCredential({ identityId }: In<typeof vaultContracts.destroyCredential>) {
    const held = this.state.credentials.get(identityId);
    if (held !== undefined) this.state.credentials.set(identityId, { ...held, headers: [] });
    return { destroyed: held !== undefined && held.headers.length > 0 };
  }
}

@Controller()
class PolicyDouble {
  constructor(@Inject(STATE) private readonly state: Neighbours) {}

  @Serves(policyContracts.findEndpoint)
  endpoint({ slug }: In<typeof policyContracts.findEndpoint>) {
    if (this.state.trouble !== undefined) throw this.state.trouble;
    const { endpoints } = this.state;
    if (slug === null) return { slug: endpoints.length === 1 ? endpoints[0]! : null };
    return { slug: endpoints.includes(slug) ? slug : null };
  }

  @Serves(serverContracts.findUpstream)
  upstream({ server }: In<typeof serverContracts.findUpstream>) {
    if (this.state.trouble !== undefined) throw this.state.trouble;
    const found = [...this.state.upstreams.values()].find(({ id, name }) => id === server || name === server);
    return { upstream: found ?? null };
  }
}
