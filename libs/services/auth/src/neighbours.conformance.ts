import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { inProcessBus, InProcessBroker, Serves, type Bus } from '@gatehouse/bus';
import { policyContracts, vaultContracts } from '@gatehouse/contracts';
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
  store({ secretId, sealed }: In<typeof vaultContracts.storeAuthSecret>) {
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
}
