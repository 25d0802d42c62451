import { generateKeyPairSync, verify } from 'node:crypto';
import { inProcessBus, InProcessBroker, Serves } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { newId, Refusal, sealTo } from '@gatehouse/kernel';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SnapshotSigner } from './snapshot-signer.js';

let active = { id: newId('key'), ...generateKeyPairSync('ed25519') };
let isAway = false;

@Controller()
class VaultDouble {
  @Serves(vaultContracts.leaseDirectorySigningKey)
  lease({ instanceKey }: { instanceKey: string }) {
    if (isAway) throw new Refusal('vault_unavailable');
    const der = active.privateKey.export({ format: 'der', type: 'pkcs8' });
    return { keys: [{ id: active.id, sealed: sealTo(instanceKey, der, vaultContracts.keyContext('directory-signing', active.id)) }] };
  }
}

@Module({ controllers: [VaultDouble] })
class VaultModule {}

afterEach(() => void jest.restoreAllMocks());

describe('the signer of snapshots', () => {
  it('follows a rotation within a minute, and signs on while the vault is away', async () => {
    const broker = new InProcessBroker();
    const [vault, auth] = [inProcessBus(broker, 'vault'), inProcessBus(broker, 'auth')];
    const app = await NestFactory.createMicroservice(VaultModule, { strategy: vault.strategy(), logger: false });
    await app.listen();
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const signer = new SnapshotSigner(auth, { contract: vaultContracts.leaseDirectorySigningKey, purpose: 'directory-signing' });
    const signed = async (): Promise<boolean> => {
      const { keyId, signature } = await signer.sign('text');
      return keyId === active.id && verify(null, Buffer.from('text'), active.publicKey, Buffer.from(signature, 'base64url'));
    };
    expect(await signed()).toBe(true);
    active = { id: newId('key'), ...generateKeyPairSync('ed25519') };
    expect(await signed()).toBe(false);
    now += 61_000;
    isAway = true;
    expect(await signed()).toBe(false);
    isAway = false;
    now += 61_000;
    expect(await signed()).toBe(true);
    await auth.close();
    await app.close();
    await vault.close();
  });
});
