import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  answerHonestly,
  findServerBinary,
  serverLeg,
  startConformanceUpstream,
  startJsonUpstream,
  startRawUpstream,
  type Upstream,
} from '@gatehouse/testing';
import { connectV1 } from './clients/client-v1.js';
import { WireClient } from './wire/wire-client.js';
import { callRecords, logDamage } from './world/call-records.js';
import { startDistributed, type DistributedWorld } from './world/distributed-world.js';
import { freshToken } from './world/fresh-token.js';
import type { ManagedProcess } from './world/managed-process.js';
import { admin, eventually, registered, servedEverywhere } from './world/world.js';

const POLICY_MAX_AGE_MS = 10_000;
const OUTAGE_MS = 1_500;
const EVERY_MS = 50;
const WITHIN_MS = 2_000;
const LIMIT_MS = 60_000;
const EDGES = [0, 1] as const;
const SECRET = { name: 'x-key', value: 'kept-by-the-vault' };
/** What the admin API may answer while a store or a service behind it is away. */
const AWAY = ['503 service_unavailable', '504 service_timeout'];

const missing = (['nats-server', 'redis-server', 'postgres'] as const).find((binary) => findServerBinary(binary) === undefined);

serverLeg(missing ?? 'nats-server', 'While a part is down, five services', () => {
  let world: DistributedWorld;
  let marked: Upstream;
  let locked: Upstream;
  let obedient: Upstream;
  let client: WireClient;
  let calls = 0;

  beforeAll(async () => {
    world = await startDistributed({ edge: { GATEHOUSE_POLICY_MAX_AGE_MS: String(POLICY_MAX_AGE_MS) } });
    marked = await startRawUpstream(({ rpc, response }) => answerHonestly(rpc, response));
    locked = await startJsonUpstream({ requiredHeader: SECRET });
    obedient = await startConformanceUpstream();
    await registered(world, { name: 'marked', url: marked.url });
    await registered(world, { name: 'obedient', url: obedient.url });
    const auth = { kind: 'headers', headers: [{ ...SECRET, secret: true }] };
    for (const name of ['locked', 'unused']) await registered(world, { name, url: locked.url, auth });
    for (const name of ['marked', 'obedient', 'locked', 'unused']) await servedEverywhere(world, name);
    client = new WireClient(world, 'marked');
    await client.initialize();
  }, LIMIT_MS * 2);
  afterAll(async () => {
    await world.stop();
    await marked.close();
    await locked.close();
    await obedient.close();
  }, LIMIT_MS);

  const processOf = (app: string): ManagedProcess => world.processes.find((each) => each.app === app)!;
  const backAgain = async (app: string): Promise<void> => {
    await processOf(app).start();
    await processOf(app).ready();
  };

  /** Calls at both edges for a while, each under a tool name of its own, and expects every one to succeed. */
  const callsGoOn = async (): Promise<string[]> => {
    const names: string[] = [];
    for (const until = Date.now() + OUTAGE_MS; Date.now() < until; await sleep(EVERY_MS)) {
      const name = `call-${calls++}`;
      const { status, messages } = await client.call(name, {}, { edge: names.length });
      expect([status, messages[0]?.error]).toEqual([200, undefined]);
      names.push(name);
    }
    expect(names.length).toBeGreaterThan(1);
    return names;
  };

  /** Waits until each of these calls is on record, once, as having succeeded. */
  const onRecord = async (names: readonly string[]): Promise<void> => {
    const found = await eventually(async () => {
      const records = (await callRecords(world, 'marked')).filter(({ facts }) => names.includes(facts.target ?? ''));
      return new Set(records.map(({ facts }) => facts.target)).size === names.length && records.every(({ outcome }) => outcome) ? records : undefined;
    }, 20_000);
    expect(found).toHaveLength(names.length);
    expect(new Set(found.map(({ outcome }) => outcome!.status))).toEqual(new Set(['ok']));
    expect(await logDamage(world)).toEqual({ missing: 0, gaps: 0, deadLetters: 0 });
  };

  /** Tries a change that must be refused with what the documentation says. */
  const changeIsRefused = async (method: string, path: string, body: unknown): Promise<void> => {
    const answer = await admin(world).send(method, path, body);
    expect(AWAY).toContain(`${answer.status} ${answer.body?.code}`);
  };

  /** Sends the change again until it is taken. */
  const changeIsTaken = (method: string, path: string, body: unknown): Promise<unknown> =>
    eventually(async () => ((await admin(world).send(method, path, body)).status < 300 ? true : undefined), 20_000);

  const forbid = (tool: string): { text: string } => ({
    text: `forbid (principal, action == Gatehouse::Action::"call", resource == Gatehouse::Tool::"marked/${tool}");`,
  });

  it(
    'NATS: calls go on from memory, changes are refused and not half made, and after it is back a policy reaches both edges',
    async () => {
      await admin(world).ok('PUT', '/policies/before', forbid('before'));
      await world.stores.nats.kill('SIGKILL');
      const [names] = await Promise.all([callsGoOn(), changeIsRefused('PUT', '/policies/meanwhile', forbid('meanwhile'))]);
      await world.stores.nats.restart();
      await changeIsTaken('PUT', '/policies/afterwards', forbid('afterwards'));
      for (const edge of EDGES) {
        await eventually(async () => {
          const answer = await client.call('afterwards', {}, { edge });
          return JSON.stringify(answer.messages).includes('policy_denied') ? true : undefined;
        }, WITHIN_MS);
      }
      const { items } = await admin(world).ok('GET', '/policies');
      const known = items.map(({ name }: { name: string }) => name);
      expect(known).toEqual(expect.arrayContaining(['before', 'afterwards']));
      expect(known).not.toContain('meanwhile');
      await onRecord(names);
    },
    LIMIT_MS,
  );

  it(
    'Redis: calls go on, sessions open and reopen at the other edge, servers may ask, and an ended session stays ended',
    async () => {
      const before = new WireClient(world, 'marked');
      await before.initialize();
      await world.stores.redis.kill('SIGKILL');
      const names = await callsGoOn();
      for (const reopened of [before, new WireClient(world, 'marked')]) {
        if (reopened !== before) expect(await reopened.initialize()).toMatchObject({ status: 200 });
        expect(await reopened.call(`reopened-${calls++}`, {}, { edge: 1 })).toMatchObject({ status: 200 });
      }
      const asked = await connectV1({ url: `${world.edges[0]}/mcp/obedient`, token: world.adminToken });
      expect(await asked.call('test_elicitation', { message: 'who?' })).toContain('action=accept');
      await asked.close();
      expect(await before.end()).toBe(200);
      await eventually(async () => ((await before.call('ended', {}, { edge: 1 })).status === 404 ? true : undefined), WITHIN_MS);
      await world.stores.redis.restart();
      expect((await before.call('ended', {}, { edge: 0 })).status).toBe(404);
      await onRecord(names);
    },
    LIMIT_MS,
  );

  it(
    'PostgreSQL: calls go on, changes are refused, and the records arrive afterwards',
    async () => {
      await world.stores.postgres.kill('SIGKILL');
      const [names] = await Promise.all([callsGoOn(), changeIsRefused('POST', '/people', { name: 'Nobody' })]);
      await world.stores.postgres.restart();
      await onRecord(names);
      await changeIsTaken('PUT', '/policies/database-back', forbid('database-back'));
      const { items } = await admin(world).ok('GET', '/people');
      expect(items.map(({ name }: { name: string }) => name)).not.toContain('Nobody');
    },
    LIMIT_MS,
  );

  it(
    'audit: calls go on, and the records arrive when it is back',
    async () => {
      expect(await processOf('audit').stop()).toBe(0);
      const names = await callsGoOn();
      await backAgain('audit');
      await onRecord(names);
    },
    LIMIT_MS,
  );

  it(
    'vault: calls with a credential at hand go on, others are refused with vault_unavailable before the server hears of them',
    async () => {
      const holder = new WireClient(world, 'locked');
      await holder.initialize();
      for (const edge of EDGES) expect(await holder.call('search', {}, { edge })).toMatchObject({ status: 200 });
      expect(await processOf('vault').stop()).toBe(0);
      for (const edge of EDGES) {
        const { status, messages } = await holder.call('search', {}, { edge });
        expect([status, messages[0]?.error]).toEqual([200, undefined]);
      }
      const hits = locked.hits();
      const others = new WireClient(world, 'unused');
      const answers = await Promise.all(EDGES.map((edge) => others.initialize('2025-11-25', { edge })));
      const refused = answers.filter(({ status }) => status === 503);
      // The edge that probed the server may hold its credential still; the other one cannot.
      expect(refused.length).toBeGreaterThan(0);
      for (const { messages } of refused) expect(JSON.stringify(messages)).toContain('vault_unavailable');
      expect(locked.hits()).toBe(hits + answers.length - refused.length);
      await backAgain('vault');
      for (const edge of EDGES) {
        await eventually(async () => ((await others.initialize('2025-11-25', { edge })).status === 200 ? true : undefined), 5_000);
      }
    },
    LIMIT_MS,
  );

  it(
    'auth: calls go on, no token is made, and one made later is known at both edges',
    async () => {
      expect(await processOf('auth').stop()).toBe(0);
      const [names] = await Promise.all([callsGoOn(), changeIsRefused('POST', '/tokens', { name: 'too early' })]);
      await backAgain('auth');
      const { token } = await freshToken(world, { name: 'in time' });
      for (const edge of EDGES) expect(await new WireClient(world, 'marked', token).initialize('2025-11-25', { edge })).toMatchObject({ status: 200 });
      await onRecord(names);
    },
    LIMIT_MS,
  );

  it(
    'policy: calls go on within the bound, are refused with policy_stale after it, and are taken again when it is back',
    async () => {
      const hits = (): number => marked.calls('tools/call').length;
      expect(await processOf('policy').stop()).toBe(0);
      const stopped = Date.now();
      await callsGoOn();
      for (const edge of EDGES) {
        const { status, messages } = await eventually(async () => {
          const answer = await client.call(`stale-${calls++}`, {}, { edge });
          return answer.status === 200 ? undefined : answer;
        }, POLICY_MAX_AGE_MS * 2);
        expect([status, messages[0].error.data.type]).toEqual([503, 'policy_stale']);
      }
      expect(Date.now() - stopped).toBeLessThan(POLICY_MAX_AGE_MS * 1.5);
      const before = hits();
      for (const edge of EDGES) expect((await client.call('refused', {}, { edge })).status).toBe(503);
      expect(hits()).toBe(before);
      await backAgain('policy');
      for (const edge of EDGES) {
        await eventually(async () => ((await client.call(`back-${calls++}`, {}, { edge })).status === 200 ? true : undefined), 5_000);
      }
      const late = JSON.stringify((await client.call('afterwards')).messages);
      expect(late).toContain('policy_denied');
    },
    LIMIT_MS,
  );
});
