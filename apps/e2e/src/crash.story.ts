import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { answerHonestly, startConformanceUpstream, startRawUpstream, type ConformanceUpstream, type Upstream } from '@gatehouse/testing';
import { WireClient } from './wire/wire-client.js';
import { callRecords, logDamage, type CallRecord } from './world/call-records.js';
import { eventually, inBothForms, registered, servedEverywhere } from './world/world.js';

const ROUNDS = 3;
const EVERY_MS = 10;
const ANSWERED_BEFORE_KILL = 40;
const AFTER_KILL_MS = 100;
const ANSWER_MS = 60;
const LONG_MS = 1_500;
const STOP_WITHIN_MS = 25_000;
const SETTLED_WITHIN_MS = 15_000;
const LIMIT_MS = 60_000;

inBothForms('An edge that dies in the middle of calls', (world) => {
  /** How often the upstream ran each tool; every call names a tool of its own, so the name is the call. */
  const runs = new Map<string, number>();
  let marked: Upstream;
  let obedient: ConformanceUpstream;

  beforeAll(async () => {
    marked = await startRawUpstream(({ rpc, response }) => {
      const name = String(rpc.params['name']);
      runs.set(name, (runs.get(name) ?? 0) + 1);
      setTimeout(() => answerHonestly(rpc, response), name.startsWith('long') ? LONG_MS : ANSWER_MS);
    });
    obedient = await startConformanceUpstream();
    await registered(world(), { name: 'marked', url: marked.url });
    await registered(world(), { name: 'obedient', url: obedient.url });
    for (const name of ['marked', 'obedient']) await servedEverywhere(world(), name);
  });
  afterAll(async () => {
    await marked.close();
    await obedient.close();
  });

  /** Calls a hundred times a second until told to stop; remembers which calls were answered. */
  function load(client: WireClient, prefix: string, edge: number): { answered: Set<string>; stop(): Promise<void> } {
    const answered = new Set<string>();
    const calls: Promise<void>[] = [];
    const timer = setInterval(() => {
      const name = `${prefix}-${calls.length}`;
      const call = client.call(name, {}, { edge }).then(({ status }) => void (status === 200 && answered.add(name)));
      // The edge is about to die: losing the answer is what happens then.
      calls.push(call.catch(() => undefined));
    }, EVERY_MS);
    const stop = async (): Promise<void> => {
      clearInterval(timer);
      await Promise.all(calls);
    };
    return { answered, stop };
  }

  const unrecorded = (records: readonly CallRecord[]): string[] => {
    const targets = new Set(records.map(({ facts }) => facts.target));
    return [...runs.keys()].filter((name) => !targets.has(name));
  };
  const open = (records: readonly CallRecord[]): CallRecord[] => records.filter(({ outcome }) => outcome === null);

  /** The records once nothing is missing or open among them, or as they are when that does not come about. */
  async function settledRecords(): Promise<CallRecord[]> {
    for (const until = Date.now() + SETTLED_WITHIN_MS; ; await sleep(100)) {
      const records = await callRecords(world(), 'marked');
      if (Date.now() > until || unrecorded(records).length + open(records).length === 0) return records;
    }
  }

  it(
    'has on record every call that reached the upstream, once, and says of those it cannot know that it does not',
    async () => {
      const client = new WireClient(world(), 'marked');
      await client.initialize();
      const answered = new Set<string>();
      const edge = world().edgeProcesses[0]!;
      for (let round = 0; round < ROUNDS; round += 1) {
        const dying = load(client, `dying-${round}`, 0);
        const other = world().edges.length > 1 ? load(client, `other-${round}`, 1) : undefined;
        await eventually(async () => (dying.answered.size >= ANSWERED_BEFORE_KILL ? true : undefined));
        await edge.kill('SIGKILL');
        await sleep(AFTER_KILL_MS);
        await Promise.all([dying.stop(), other?.stop()]);
        await edge.start();
        await edge.ready();
        // The session outlives the crash, and nothing was sent again by itself.
        expect(await client.call(`after-${round}`)).toMatchObject({ status: 200 });
        for (const name of [...dying.answered, ...(other?.answered ?? [])]) answered.add(name);
      }
      const records = await settledRecords();
      expect(Math.max(...runs.values())).toBe(1);
      expect(unrecorded(records)).toEqual([]);
      expect(open(records)).toEqual([]);
      const targets = records.map(({ facts }) => facts.target);
      expect(new Set(targets).size).toBe(targets.length);
      const statusOf = new Map(records.map(({ facts, outcome }) => [facts.target!, outcome!.status]));
      expect([...answered].filter((name) => !['ok', 'unknown'].includes(statusOf.get(name)!))).toEqual([]);
      for (let round = 0; round < ROUNDS; round += 1) {
        const unknown = [...statusOf].filter(([name, status]) => name.startsWith(`dying-${round}-`) && status === 'unknown');
        expect(unknown.length).toBeGreaterThan(0);
        expect(statusOf.get(`after-${round}`)).toBe('ok');
      }
      expect([...statusOf].filter(([name, status]) => name.startsWith('other') && status !== 'ok')).toEqual([]);
      expect(await logDamage(world())).toEqual({ missing: 0, gaps: 0, deadLetters: 0 });
    },
    LIMIT_MS,
  );

  it(
    'that is asked to stop lets the calls in flight finish, ends what listens, and exits with 0',
    async () => {
      const [plain, streaming] = [new WireClient(world(), 'marked'), new WireClient(world(), 'obedient')];
      for (const client of [plain, streaming]) await client.initialize();
      const listening = await streaming.listen();
      expect(listening.status).toBe(200);
      const before = obedient.calls('tools/call').length;
      const calls = [plain.call('long-1'), streaming.call('slow', { ms: LONG_MS })];
      await eventually(async () => (runs.has('long-1') && obedient.calls('tools/call').length > before ? true : undefined), 2_000);
      const started = Date.now();
      const edge = world().edgeProcesses[0]!;
      const stopped = edge.stop();
      await listening.text();
      const listenedMs = Date.now() - started;
      const [json, events] = await Promise.all(calls);
      expect(json).toMatchObject({ status: 200, messages: [{ result: {} }] });
      expect(events?.messages.at(-1)?.result.content[0].text).toBe('waited');
      expect(listenedMs).toBeLessThan(LONG_MS);
      expect(await stopped).toBe(0);
      expect(Date.now() - started).toBeLessThan(STOP_WITHIN_MS);
      await edge.start();
      await edge.ready();
      const ended = await eventually(async () => {
        const records = [...(await callRecords(world(), 'marked')), ...(await callRecords(world(), 'obedient'))];
        const found = records.filter(({ facts }) => facts.target === 'long-1' || facts.target === 'slow');
        return found.length === calls.length && found.every(({ outcome }) => outcome !== null) ? found : undefined;
      });
      expect(ended.map(({ outcome }) => outcome!.status)).toEqual(['ok', 'ok']);
    },
    LIMIT_MS,
  );
});
