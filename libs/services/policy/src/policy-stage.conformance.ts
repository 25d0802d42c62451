import { generateKeyPairSync, verify } from 'node:crypto';
import { inProcessBus, InProcessBroker, Serves, type Bus } from '@gatehouse/bus';
import { policyContracts, serverContracts, vaultContracts, type SnapshotVersion } from '@gatehouse/contracts';
import { newId, Refusal, sealTo } from '@gatehouse/kernel';
import { createLogger } from '@gatehouse/telemetry';
import { TestClock, testDatabase, type TestDatabase } from '@gatehouse/testing';
import { Controller, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, expect } from '@jest/globals';
import type { z } from 'zod';
import { startPolicyService, type RunningService } from './start-policy-service.js';

/** Who changes things in these suites. */
export const ACTOR = { callerId: newId('person'), tokenId: null };
const signing = generateKeyPairSync('ed25519');
const KEY_ID = 'key_1';

/** The vault's contract as this service sees it. */
@Controller()
export class LeasingVault {
  static away = false;

  @Serves(vaultContracts.leasePolicySigningKey)
  lease({ instanceKey }: { instanceKey: string }): { keys: { id: string; sealed: string }[] } {
    if (LeasingVault.away) throw new Refusal('service_unavailable');
    const der = signing.privateKey.export({ format: 'der', type: 'pkcs8' });
    return { keys: [{ id: KEY_ID, sealed: sealTo(instanceKey, der, vaultContracts.keyContext('policy-signing', KEY_ID)) }] };
  }
}

@Module({ controllers: [LeasingVault] })
class LeasingVaultModule {}

let database: TestDatabase;
export let broker: InProcessBroker;
export let gateway: Bus;
let vault: INestMicroservice;
export let replicas: RunningService[];
export let clock: TestClock;
export let published: SnapshotVersion[];
export let orders: z.output<typeof serverContracts.probeOrdered.payload>[];

const log = createLogger({ service: 'policy', level: 'silent' });

export async function startReplica(): Promise<RunningService> {
  const replica = await startPolicyService({ bus: inProcessBus(broker, 'policy'), log, clock, database: database.url, config: { probeIntervalMs: 300_000 } });
  replicas.push(replica);
  return replica;
}

export async function until<T>(what: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let turn = 0; turn < 1_000; turn += 1) {
    const found = await what();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('waited for ten seconds');
}

/** Each test has a database and a replica of its own. */
export function onPolicyStage(): void {
  beforeEach(async () => {
    database = await testDatabase();
    [broker, clock, replicas, published, orders] = [new InProcessBroker(), new TestClock(Date.now()), [], [], []];
    LeasingVault.away = false;
    vault = await NestFactory.createMicroservice(LeasingVaultModule, { strategy: inProcessBus(broker, 'vault').strategy(), logger: false });
    await vault.listen();
    gateway = inProcessBus(broker, 'gateway');
    await gateway.events.follow(policyContracts.policySnapshotPublished, (version) => void published.push(version));
    await gateway.events.follow(serverContracts.probeOrdered, (order) => void orders.push(order));
    await startReplica();
  }, 30_000);

  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await gateway.close();
    await vault.close();
    await database.stop();
  }, 30_000);
}

type Snapshot = policyContracts.PolicySnapshot;

export async function fetchSnapshot(): Promise<Snapshot & { chunks: string[] }> {
  const chunks: string[] = [];
  for (let parts = 1, part = 0; part < parts; part += 1) {
    const reply = await gateway.request(policyContracts.getPolicySnapshot, { part });
    if (reply.unchanged) throw new Error('unchanged without having any');
    parts = reply.parts;
    chunks.push(reply.chunk);
    if (part === parts - 1) expect(verify(null, Buffer.from(chunks.join('')), signing.publicKey, Buffer.from(reply.signature, 'base64url'))).toBe(true);
  }
  return { ...policyContracts.policySnapshot.parse(JSON.parse(chunks.join(''))), chunks };
}

type Wanted = Partial<z.input<typeof serverContracts.serverInput>>;

function withDefaults(more: Wanted): z.input<typeof serverContracts.serverInput> {
  const plain = { name: null, url: 'https://api.notion.com/mcp', allowPrivateNetwork: false, identityMode: null, headers: [], secretHeaders: [] };
  return { id: newId('server'), ...plain, ...more };
}

export const add = (more: Wanted = {}) => gateway.request(serverContracts.addServer, { actor: ACTOR, server: withDefaults(more) });
export const apply = (policies: { name: string; text: string }[]) => gateway.request(policyContracts.applyPolicies, { actor: ACTOR, policies });
export const refusal = (code: string, details?: object) => expect.objectContaining(details === undefined ? { code } : { code, details });

const HEALTHY = { status: 'healthy' as const, failure: null, detail: null, protocolVersion: '2025-06-18', serverInfo: { name: 'demo', version: '1' } };
export const toolItem = (name: string, fingerprint = `f-${name}`) => ({ kind: 'tool' as const, name, title: null, description: 'd', fingerprint });

export interface Seen {
  part?: number;
  parts?: number;
  items?: ReturnType<typeof toolItem>[];
  health?: object;
  probeId?: string;
}

let observations = 0;
export async function observe(serverId: string, { part = 0, parts = 1, items = [], health = {}, probeId = 'p1' }: Seen): Promise<void> {
  const payload = { serverId, probeId, part, parts, health: { ...HEALTHY, checkedAt: clock.now(), ...health }, items };
  await gateway.events.publish(serverContracts.toolsObserved, payload, `seen-${(observations += 1)}`);
}
