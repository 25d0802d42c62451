import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InProcessBroker, inProcessBus, Serves, type Bus } from '@gatehouse/bus';
import { vaultContracts, type policyContracts } from '@gatehouse/contracts';
import { newId, newSealingKeyPair, sealTo } from '@gatehouse/kernel';
import { TestClock } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { UpstreamProofs } from '../upstream-proofs/upstream-proofs.js';
import { CredentialLeases } from './credential-leases.js';

type Asked = z.output<typeof vaultContracts.leaseCredential.request>;

const ORIGIN = 'https://mcp.example.com';

/** The vault's side of the contract: says what the test tells it to, when it tells it to. */
class Vault {
  asked = 0;
  owners: string[] = [];
  secret = 'first-secret';
  gate: Promise<void> = Promise.resolve();
}

describe('CredentialLeases', () => {
  const vault = new Vault();
  const target = { identityId: newId('identity'), owner: 'global', server: { id: newId('server') } as policyContracts.SnapshotServer, origin: ORIGIN } as const;
  let clock: TestClock;
  let leases: CredentialLeases;
  let parts: { close(): Promise<void> }[];

  beforeEach(async () => {
    Object.assign(vault, new Vault());
    clock = new TestClock();
    const broker = new InProcessBroker();
    const [own, bus] = [inProcessBus(broker, 'vault'), inProcessBus(broker, 'gateway')];
    parts = [await serveVault(own, vault), own, bus];
    leases = new CredentialLeases({ bus, pair: newSealingKeyPair(), clock, proofs: new UpstreamProofs(clock) });
  });
  afterEach(async () => {
    for (const part of parts) await part.close();
  });

  const secretOf = (lease: Awaited<ReturnType<CredentialLeases['fetch']>> | undefined) => lease?.lines[0]?.[1].use((bytes) => bytes.toString());

  it('asks once for calls that come at the same time', async () => {
    const [first, second] = await Promise.all([leases.fetch(target), leases.fetch(target)]);
    expect(first).toBe(second);
    expect(vault.asked).toBe(1);
    expect(secretOf(leases.held(target))).toBe('first-secret');
  });

  it('keeps what belongs to one owner from any other', async () => {
    const own = { ...target, owner: newId('person') };
    await leases.fetch(own);
    expect([leases.held(own) === undefined, leases.held(target), leases.held({ ...target, owner: newId('person') })]).toEqual([false, undefined, undefined]);
    expect(vault.owners).toEqual([own.owner]);
  });

  it('drops what was leased for one server, and nothing else', async () => {
    const other = { ...target, server: { id: newId('server') } };
    await Promise.all([leases.fetch(target), leases.fetch(other)]);
    leases.dropServer(target.server.id);
    expect([leases.held(target), leases.held(other) === undefined]).toEqual([undefined, false]);
  });

  it('is over after a minute', async () => {
    await leases.fetch(target);
    clock.advance(60_001);
    expect(leases.held(target)).toBeUndefined();
  });

  it('does not keep an answer that was on its way when the secret changed', async () => {
    let open!: () => void;
    vault.gate = new Promise((resolve) => (open = resolve));
    const before = leases.fetch(target);
    while (vault.asked === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    leases.drop(target.identityId);
    vault.secret = 'second-secret';
    open();
    expect(secretOf(await before)).toBe('first-secret');
    expect(leases.held(target)).toBeUndefined();
    expect(secretOf(await leases.fetch(target))).toBe('second-secret');
    expect(secretOf(leases.held(target))).toBe('second-secret');
  });

  it('says vault_unavailable when nobody answers', async () => {
    await parts.shift()!.close();
    await expect(leases.fetch(target)).rejects.toMatchObject({ code: 'vault_unavailable' });
    await expect(leases.fetch(target)).rejects.toMatchObject({ code: 'vault_unavailable' });
  });
});

async function serveVault(bus: Bus, vault: Vault): Promise<{ close(): Promise<void> }> {
  @Controller()
  class VaultController {
    @Serves(vaultContracts.leaseCredential)
    async lease({ identityId, serverId, origin, owner, edgeKey }: Asked) {
      vault.asked += 1;
      vault.owners.push(owner);
      const plain = JSON.stringify({ headers: [['X-Api-Key', vault.secret]] });
      await vault.gate;
      const sealed = sealTo(edgeKey, Buffer.from(plain), vaultContracts.leaseContext(identityId, serverId, origin));
      return { sealed, version: 1, expiresInMs: 60_000 };
    }
  }
  @Module({ controllers: [VaultController] })
  class VaultModule {}
  const app = await NestFactory.createMicroservice(VaultModule, { strategy: bus.strategy(), logger: false });
  await app.listen();
  return app;
}
