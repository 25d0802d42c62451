import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditContracts } from '@gatehouse/contracts';
import { AuditWorld } from '../audit-world.conformance.js';
import { SampleEdge, sampleFacts } from '../sample-entries.js';

const { appendEntries, queryRecords } = auditContracts;

describe('the audit log', () => {
  let world: AuditWorld;

  beforeAll(async () => {
    world = await AuditWorld.start();
  }, 60_000);

  afterAll(() => world.stop(), 30_000);

  const send = (shipment: ReturnType<SampleEdge['shipment']>, replica = 0): Promise<{ upTo: number }> => world.gateway(replica).request(appendEntries, shipment);
  const recordOf = async (id: string): Promise<auditContracts.AuditRecord | undefined> => (await world.gateway().request(queryRecords, { filter: { id } })).items[0];
  const rows = <T extends object>(sql: string, ...params: unknown[]): Promise<T[]> => world.database.query<T>(sql, params);
  const storedSeqs = async (edge: SampleEdge): Promise<number[]> =>
    (await rows<{ edge_seq: string }>('SELECT edge_seq FROM entries WHERE edge = $1 ORDER BY seq', edge.id)).map(({ edge_seq }) => Number(edge_seq));

  it('confirms what it committed, verbatim, with contiguous numbers of its own', async () => {
    const edge = new SampleEdge();
    const shipment = edge.shipment(edge.intent('a1'), edge.outcome('a1'), edge.single('a2'));
    expect(await send(shipment)).toEqual({ upTo: 3 });
    const entries = await rows<{ leaf: Buffer; leaf_hash: Buffer }>('SELECT leaf, leaf_hash FROM entries WHERE edge = $1 ORDER BY seq', edge.id);
    expect(entries.map(({ leaf }) => leaf.toString())).toEqual(shipment.entries.map(({ body }) => body));
    expect(entries[0]?.leaf_hash).toEqual(createHash('sha256').update('\0').update(shipment.entries[0]!.body).digest());
    const [gaps] = await rows<{ holes: string }>('SELECT max(seq) - min(seq) + 1 - count(*) AS holes FROM entries');
    expect(gaps?.holes).toBe('0');
  });

  it('joins intent and outcome of one shipment', async () => {
    const edge = new SampleEdge();
    await send(edge.shipment(edge.intent('b1', {}, 1_000), edge.outcome('b1', { status: 'tool_error' }, 2_000)));
    expect(await recordOf('b1')).toMatchObject({ id: 'b1', at: 1_000, edge: edge.id, facts: sampleFacts, outcome: { status: 'tool_error' } });
  });

  it('joins an outcome that comes later', async () => {
    const edge = new SampleEdge();
    await send(edge.shipment(edge.intent('c1', {}, 1_000)));
    const open = await recordOf('c1');
    expect(open?.outcome).toBeNull();
    await send(edge.shipment(edge.outcome('c1', {}, 2_000)), 1);
    const ended = await recordOf('c1');
    expect(ended).toMatchObject({ at: 1_000, outcome: { status: 'ok' } });
    expect(ended!.seq).toBeGreaterThan(open!.seq);
  });

  it('keeps an outcome whose intent is missing', async () => {
    const edge = new SampleEdge();
    await send(edge.shipment(edge.outcome('d1')));
    expect(await recordOf('d1')).toBeUndefined();
    expect(await rows("SELECT 1 FROM records WHERE call_id = 'd1' AND status = 'ok'")).toHaveLength(1);
  });

  it('takes a repeated shipment once, whole or overlapping', async () => {
    const edge = new SampleEdge();
    const [one, two, three] = [edge.single('e1'), edge.single('e2'), edge.single('e3')];
    await send(edge.shipment(one, two));
    expect(await send(edge.shipment(one, two))).toEqual({ upTo: 2 });
    expect(await send(edge.shipment(one, two, three))).toEqual({ upTo: 3 });
    expect(await send(edge.shipment(one))).toEqual({ upTo: 3 });
    expect(await storedSeqs(edge)).toEqual([1, 2, 3]);
    expect(await rows('SELECT 1 FROM dead_letters WHERE edge = $1', edge.id)).toEqual([]);
  });

  it('takes a shipment once when two replicas get it at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const edge = new SampleEdge();
      const shipment = edge.shipment(...Array.from({ length: 50 }, (_, i) => edge.single(`f${round}.${i}`)));
      const receipts = await Promise.all([send(shipment, 0), send(shipment, 1), send(shipment, 0), send(shipment, 1)]);
      expect(receipts).toEqual(Array(4).fill({ upTo: 50 }));
      expect(await storedSeqs(edge)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    }
  });

  it('takes many edges on two replicas at once', async () => {
    const edges = Array.from({ length: 12 }, () => new SampleEdge());
    await Promise.all(
      edges.map(async (edge, i) => {
        for (let batch = 0; batch < 5; batch += 1) await send(edge.shipment(edge.intent(`g${i}.${batch}`), edge.outcome(`g${i}.${batch}`)), (i + batch) % 2);
      }),
    );
    for (const edge of edges) expect(await storedSeqs(edge)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const [head] = await rows<{ holes: string }>('SELECT (SELECT seq FROM log_head) - count(*) AS holes FROM entries');
    expect(head?.holes).toBe('0');
  });

  it.each([
    ['text that is not JSON', () => '{"v":1'],
    ['something else', () => '{"v":1,"phase":"intent"}'],
    ['a member it does not know', (body: string) => body.replace('{"v":1', '{"v":1,"extra":true')],
    ['another edge', (body: string) => body.replace(/"edge":"[^"]*"/, '"edge":"another"')],
    ['another number', (body: string) => body.replace('"seq":2', '"seq":7')],
    ['60,000 characters of nothing', () => ' '.repeat(60_000)],
  ])('puts %s aside and goes on', async (_what, spoil) => {
    const edge = new SampleEdge();
    const shipment = edge.shipment(edge.single('h1'), edge.single('h2'), edge.single('h3'));
    shipment.entries[1]!.body = spoil(shipment.entries[1]!.body);
    const before = world.metrics.render();
    expect(await send(shipment)).toEqual({ upTo: 3 });
    expect(await send(shipment)).toEqual({ upTo: 3 });
    expect(await storedSeqs(edge)).toEqual([1, 3]);
    const letters = await rows<{ edge_seq: string; body: Buffer; reason: string }>('SELECT edge_seq, body, reason FROM dead_letters WHERE edge = $1', edge.id);
    expect(letters).toMatchObject([{ edge_seq: '2', body: Buffer.from(shipment.entries[1]!.body) }]);
    expect(letters[0]?.reason).not.toBe('');
    const counted = (text: string): number => Number(/gatehouse_audit_dead_letters_total (\d+)/.exec(text)?.[1] ?? 0);
    expect(counted(world.metrics.render()) - counted(before)).toBe(1);
  });

  it('confirms a shipment of nothing but invalid entries', async () => {
    const edge = new SampleEdge();
    expect(await send({ edge: edge.id, entries: [{ seq: 1, body: 'x' }, { seq: 2, body: 'y' }] })).toEqual({ upTo: 2 });
    edge.skip(2);
    expect(await send(edge.shipment(edge.single('i1')))).toEqual({ upTo: 3 });
  });

  it('notes numbers that were skipped, before and inside a shipment', async () => {
    const edge = new SampleEdge();
    edge.skip(4);
    const first = edge.single('j1');
    edge.skip(2);
    expect(await send(edge.shipment(first, edge.single('j2')))).toEqual({ upTo: 8 });
    const gaps = await rows<{ from_seq: string; to_seq: string }>('SELECT from_seq, to_seq FROM gaps WHERE edge = $1 ORDER BY from_seq', edge.id);
    expect(gaps).toEqual([{ from_seq: '1', to_seq: '4' }, { from_seq: '6', to_seq: '7' }]);
    expect(world.metrics.render()).toMatch(/gatehouse_audit_gaps_total [1-9]/);
  });

  it('loses nothing of an edge that uses numbers again', async () => {
    const edge = new SampleEdge();
    await send(edge.shipment(edge.single('k1'), edge.single('k2')));
    const copy = new SampleEdge(edge.id);
    const again = copy.shipment(copy.single('k3'));
    expect(await send(again)).toEqual({ upTo: 2 });
    expect(await send(again)).toEqual({ upTo: 2 });
    const letters = await rows<{ body: Buffer }>('SELECT body FROM dead_letters WHERE edge = $1', edge.id);
    expect(letters.map(({ body }) => body.toString())).toEqual([again.entries[0]!.body]);
  });

  it('puts an event id that is taken aside, and takes the others', async () => {
    const edge = new SampleEdge();
    const first = edge.single('l1');
    await send(edge.shipment(first));
    const twin = { ...edge.single('l2'), id: first.id };
    const third = edge.single('l3');
    const fourth = { ...edge.single('l4'), id: third.id };
    expect(await send(edge.shipment(twin, third, fourth))).toEqual({ upTo: 4 });
    expect(await storedSeqs(edge)).toEqual([1, 3]);
    expect(await rows("SELECT 1 FROM dead_letters WHERE edge = $1 AND reason = 'the event id is taken'", edge.id)).toHaveLength(2);
  });

  it('lets no edge touch the record of another', async () => {
    const [victim, other] = [new SampleEdge(), new SampleEdge()];
    await send(victim.shipment(victim.intent('m1')));
    await send(other.shipment(other.outcome('m1', { status: 'cancelled' })));
    expect((await recordOf('m1'))?.outcome).toBeNull();
    await send(victim.shipment(victim.outcome('m1')));
    expect((await recordOf('m1'))?.outcome?.status).toBe('ok');
    expect(await storedSeqs(other)).toEqual([1]);
  });

  it('refuses numbers that do not ascend', async () => {
    const edge = new SampleEdge();
    const [one, two] = [edge.single('n1'), edge.single('n2')];
    await expect(send(edge.shipment(two, one))).rejects.toMatchObject({ code: 'bad_params' });
    expect(await send(edge.shipment(one, two))).toEqual({ upTo: 2 });
  });

  it('keeps hostile text: the leaf verbatim, the record readable', async () => {
    const hostile = 'a\r\nb\u0000\u001b[31m\u202e"}}\ud800|=cmd() \u{1f600}\'; DROP TABLE records; --';
    const edge = new SampleEdge();
    const shipment = edge.shipment(edge.single('o1', { target: hostile, client: { name: hostile, version: null, userAgent: hostile } }));
    await send(shipment);
    const [entry] = await rows<{ leaf: Buffer }>('SELECT leaf FROM entries WHERE edge = $1', edge.id);
    expect(entry?.leaf.toString()).toBe(shipment.entries[0]!.body);
    const readable = hostile.replace('\u0000', '\ufffd').replace('\ud800', '\ufffd');
    expect((await recordOf('o1'))?.facts).toMatchObject({ target: readable, client: { name: readable, userAgent: readable } });
  });

  it.each([
    ['without token', { caller: { kind: 'anonymous', id: null, name: null, tokenId: null, address: null }, decision: null }, 'unauthenticated'],
    ['of a foreign origin', { endpoint: null, server: null, method: null, target: null, decision: null }, 'origin_denied'],
    ['too large', { method: null, target: null, argumentsDigest: null, decision: null }, 'too_large'],
    ['too often', { decision: null }, 'rate_limited'],
    ['not JSON', { method: null, target: null, argumentKeys: [], decision: null }, 'parse_error'],
    ['denied', { decision: { effect: 'deny', reason: 'no_policy', policies: [], snapshot: '12' } }, 'policy_denied'],
  ] as const)('has exactly one record of a request that was refused: %s', async (what, facts, code) => {
    const edge = new SampleEdge();
    const callId = `p ${what}`;
    const shipment = edge.shipment(edge.single(callId, facts as Partial<auditContracts.RecordFacts>, { status: 'refused', code, upstreamStatus: null }));
    await send(shipment);
    await send(shipment, 1);
    const { items } = await world.gateway().request(queryRecords, { filter: { id: callId } });
    expect(items).toMatchObject([{ id: callId, outcome: { status: 'refused', code } }]);
  });
});
