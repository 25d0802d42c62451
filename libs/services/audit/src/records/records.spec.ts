import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditContracts } from '@gatehouse/contracts';
import { AuditWorld } from '../audit-world.conformance.js';
import { SampleEdge, sampleFacts } from '../sample-entries.js';

const { appendEntries, queryRecords } = auditContracts;
type Filter = auditContracts.RecordFilter;

describe('records', () => {
  let world: AuditWorld;
  const edge = new SampleEdge();

  const send = (shipment: ReturnType<SampleEdge['shipment']>, replica = 0): Promise<{ upTo: number }> => world.gateway(replica).request(appendEntries, shipment);
  const ask = (filter: Filter, rest: { follow?: boolean; cursor?: string | null; limit?: number; waitMs?: number } = {}, replica = 0): Promise<{ items: auditContracts.AuditRecord[]; nextCursor: string | null }> =>
    world.gateway(replica).request(queryRecords, { filter, ...rest });
  const idsOf = async (filter: Filter): Promise<string[]> => (await ask(filter)).items.map(({ id }) => id);

  beforeAll(async () => {
    world = await AuditWorld.start();
    const deny = { effect: 'deny', reason: 'forbidden', policies: ['no-deletes', 'night'], snapshot: '13' } satisfies auditContracts.RecordFacts['decision'];
    const other = { ...sampleFacts.caller, id: 'per_other', name: 'Grace Hopper' };
    const calls = [edge.intent('call 1', {}, 1_000), edge.outcome('call 1'), edge.intent('call 2', { target: 'delete_ticket', decision: deny }, 2_000)];
    const more = [edge.outcome('call 2', { status: 'refused', code: 'policy_denied' }), edge.intent('call 3', { caller: other, server: { id: 'srv_x', name: 'wiki' }, method: 'resources/read', target: 'wiki://start', traceId: 'b'.repeat(32) }, 3_000)];
    const admin = edge.intent('call 4', { kind: 'admin', caller: other, server: null, method: 'servers.add', target: 'wiki', decision: null, traceId: null }, 3_000);
    await send(edge.shipment(...calls, ...more, admin));
  }, 60_000);

  afterAll(() => world.stop(), 30_000);

  it.each<[Filter, string[]]>([
    [{}, ['call 4', 'call 3', 'call 2', 'call 1']],
    [{ since: 2_000 }, ['call 4', 'call 3', 'call 2']],
    [{ since: 2_000, until: 2_000 }, ['call 2']],
    [{ kind: 'admin' }, ['call 4']],
    [{ caller: sampleFacts.caller.id! }, ['call 2', 'call 1']],
    [{ caller: 'ADA@EXAMPLE.COM' }, ['call 2', 'call 1']],
    [{ caller: 'Grace Hopper' }, ['call 4', 'call 3']],
    [{ caller: 'grace hopper' }, []],
    [{ server: 'wiki' }, ['call 3']],
    [{ server: sampleFacts.server!.id }, ['call 2', 'call 1']],
    [{ tool: 'delete_ticket' }, ['call 2']],
    [{ tool: 'delete' }, []],
    [{ method: 'resources/read' }, ['call 3']],
    [{ decision: 'deny' }, ['call 2']],
    [{ troubledBeyondMs: 4 }, []],
    [{ troubledBeyondMs: 3 }, ['call 2', 'call 1']],
    [{ policy: 'night' }, ['call 2']],
    [{ policy: 'nigh' }, []],
    [{ outcome: 'refused' }, ['call 2']],
    [{ code: 'policy_denied' }, ['call 2']],
    [{ traceId: 'b'.repeat(32) }, ['call 3']],
    [{ id: 'call 1' }, ['call 1']],
    [{ server: 'wiki', decision: 'deny' }, []],
  ])('answers %j', async (filter, ids) => {
    expect(await idsOf({ ...filter, until: filter.until ?? 10_000 })).toEqual(ids);
  });

  it.each(["' OR '1'='1", "'; DELETE FROM records; --", '%', '_', '*', '\\', '$1', '"', '{}', 'null', 'a\u0000b', '\ud800', '*/ OR 1=1 /*', "\\' OR 1=1 --"])('finds nothing for %j in any text filter', async (text) => {
    for (const name of ['caller', 'server', 'tool', 'method', 'policy', 'code', 'traceId', 'id']) expect(await idsOf({ [name]: text })).toEqual([]);
    expect(await idsOf({ until: 10_000 })).toHaveLength(4);
  });

  it('pages newest first without repeating or leaving out equal times', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: auditContracts.AuditRecord[]; nextCursor: string | null } = await ask({ until: 10_000 }, { limit: 1, cursor }, seen.length % 2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(['call 4', 'call 3', 'call 2', 'call 1']);
  });

  it('refuses a cursor that was changed, made up, or given for another filter or order', async () => {
    const filter = { until: 10_000 };
    const { nextCursor } = await ask(filter, { limit: 1 });
    const cursor = nextCursor!;
    const changed = Buffer.from(cursor);
    const forged = Buffer.from('["t",9999999999999,"x"]').toString('base64url');
    changed[3] = changed[3] === 65 ? 66 : 65;
    for (const bad of [changed.toString(), `${cursor}x`, `${cursor}.x`, cursor.slice(0, -1), `${forged}.${cursor.split('.')[1]}`, forged, '', '.', "' OR 1=1", '\ud800']) {
      await expect(ask(filter, { cursor: bad })).rejects.toMatchObject({ code: 'invalid_cursor' });
    }
    await expect(ask({ until: 10_001 }, { cursor })).rejects.toMatchObject({ code: 'invalid_cursor' });
    await expect(ask({}, { cursor })).rejects.toMatchObject({ code: 'invalid_cursor' });
    await expect(ask(filter, { cursor, follow: true })).rejects.toMatchObject({ code: 'invalid_cursor' });
    expect((await ask(filter, { cursor }, 1)).items).toHaveLength(3);
  });

  it('answers a range of ten years in time', async () => {
    const started = performance.now();
    await ask({ since: 0, until: Date.now() + 10 * 365 * 86_400_000, caller: 'nobody' }, { limit: 1_000 });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('gives up on a question that the database cannot answer within five seconds', async () => {
    await world.database.transaction(async (tx) => {
      await tx.query('LOCK TABLE records IN ACCESS EXCLUSIVE MODE');
      await expect(ask({ caller: 'nobody' })).rejects.toMatchObject({ code: 'service_timeout' });
    });
  });

  it('finds calls that failed at the other side, waited for it for long, or whose server was being debugged', async () => {
    const caller = { ...sampleFacts.caller, name: 'troubled' };
    const single = (id: string, outcome: Partial<auditContracts.RecordOutcome>) => edge.single(id, { caller }, outcome);
    const failed = [single('unreachable', { status: 'upstream_error' }), single('an error', { status: 'error' }), single('slow', { steps: { forward: 5_000 } })];
    await send(edge.shipment(...failed, single('debugged', { hops: { connection: 'new', bytesUp: 1, bytesDown: 2, dns: 0.5, end: 3 } }), single('quick', {}), single('denied', { status: 'refused', steps: {} })));
    expect((await idsOf({ caller: 'troubled', troubledBeyondMs: 3_000 })).sort()).toEqual(['an error', 'debugged', 'slow', 'unreachable']);
  });

  it('follows in commit order, a record again when it ends, from an old time on', async () => {
    const filter = { caller: 'follower' };
    const start = await ask(filter, { follow: true });
    expect(start.items).toEqual([]);
    const own = new SampleEdge();
    const caller = { ...sampleFacts.caller, name: 'follower' };
    await send(own.shipment(own.intent('late', { caller }, 5), own.intent('later', { caller }, 1)));
    const opened = await ask(filter, { follow: true, cursor: start.nextCursor });
    expect(opened.items.map(({ id, outcome }) => [id, outcome])).toEqual([['late', null], ['later', null]]);
    await send(own.shipment(own.outcome('late')), 1);
    const ended = await ask(filter, { follow: true, cursor: opened.nextCursor });
    expect(ended.items.map(({ id, outcome }) => [id, outcome?.status])).toEqual([['late', 'ok']]);
    const nothing = await ask(filter, { follow: true, cursor: ended.nextCursor });
    expect(nothing.items).toEqual([]);
    expect((await ask({ ...filter, since: 0 }, { follow: true, limit: 1 })).items.map(({ id }) => id)).toEqual(['later']);
  });

  it.each([['the same replica', 0, 100], ['another replica', 1, 350]])('wakes a follower when %s commits', async (_which, replica, withinMs) => {
    const filter = { caller: `waiter ${replica}` };
    const start = await ask(filter, { follow: true });
    const waiting = ask(filter, { follow: true, cursor: start.nextCursor, waitMs: 5_000 }).then((page) => ({ page, at: performance.now() }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const own = new SampleEdge();
    await send(own.shipment(own.single(`woken ${replica}`, { caller: { ...sampleFacts.caller, name: filter.caller } })), replica);
    const committed = performance.now();
    const { page, at } = await waiting;
    expect(page.items.map(({ id }) => id)).toEqual([`woken ${replica}`]);
    // Generous, because machines that run tests are busy.
    expect(at - committed).toBeLessThan(withinMs + 1_000);
  });

  it('gives an empty page and a cursor when nothing comes in time', async () => {
    const started = performance.now();
    const page = await ask({ caller: 'nobody' }, { follow: true, waitMs: 300 });
    expect(page).toEqual({ items: [], nextCursor: expect.any(String) });
    expect(performance.now() - started).toBeGreaterThanOrEqual(290);
  });

  it('never skips a record for a follower while many edges commit on both replicas', async () => {
    const caller = { ...sampleFacts.caller, name: 'busy' };
    const start = await ask({ caller: 'busy' }, { follow: true });
    const edges = Array.from({ length: 8 }, () => new SampleEdge());
    let isDone = false;
    const writing = Promise.all(
      edges.map(async (own, i) => {
        for (let k = 0; k < 15; k += 1) await send(own.shipment(own.single(`busy ${i}.${k}`, { caller }), own.single(`idle ${i}.${k}`)), (i + k) % 2);
      }),
    ).then(() => (isDone = true));
    const seen: string[] = [];
    let cursor = start.nextCursor;
    for (let idle = 0; idle < 2; idle += isDone ? 1 : 0) {
      const page = await ask({ caller: 'busy' }, { follow: true, cursor, limit: 7, waitMs: 20 }, seen.length % 2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      if (page.items.length > 0) idle = 0;
    }
    await writing;
    expect(seen.length).toBe(8 * 15);
    expect(new Set(seen).size).toBe(8 * 15);
  }, 60_000);
});
