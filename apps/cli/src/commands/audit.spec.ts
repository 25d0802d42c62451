import { afterEach, describe, expect, it } from '@jest/globals';
import { startGatewayWorld, type GatewayWorld, type Routes } from '../../test/gateway-world.js';
import { invoke, type Given } from '../../test/invoke.js';
import { sampleRecord } from '../../test/samples.js';

const RECORDS = 'GET /api/v1/audit/records';
const NOW = 1_750_000_000_000;

let world: GatewayWorld;
afterEach(() => world.close());

async function gatehouse(routes: Routes, args: string[], given: Given = {}) {
  world = await startGatewayWorld(routes);
  return invoke(args, { url: world.url, now: NOW, ...given });
}

describe('audit query', () => {
  it('prints who called what, what was decided and how long it took', async () => {
    const ran = await gatehouse({ [RECORDS]: { body: { items: [sampleRecord()], nextCursor: null } } }, ['audit', 'query', '-o', 'table']);
    expect(ran.out).toMatch(/^TIME +CALLER +SERVER +TOOL\/METHOD +DECISION +POLICY +IDENTITY +OUTCOME +MS\n/);
    expect(ran.out).toMatch(/\n2025-06-15T15:06:40Z +Ada +demo +echo +allow +everyone +none +ok +4\.5\n$/);
  });

  it('sends the filters, with times in milliseconds', async () => {
    const args = ['--since', '1h', '--until', '2025-06-15T15:00:00Z', '--caller', 'ada', '--tool', 'echo', '--decision', 'deny', '--trace-id', 't', '--limit', '7'];
    await gatehouse({ [RECORDS]: { body: { items: [], nextCursor: null } } }, ['audit', 'query', ...args]);
    expect(Object.fromEntries(world.arrived[0]?.query ?? [])).toEqual({
      since: String(NOW - 3_600_000),
      until: String(Date.parse('2025-06-15T15:00:00Z')),
      caller: 'ada',
      tool: 'echo',
      decision: 'deny',
      traceId: 't',
      limit: '7',
    });
  });

  it('reads pages until the limit', async () => {
    const routes: Routes = { [RECORDS]: () => ({ body: { items: [sampleRecord(), sampleRecord()], nextCursor: 'next' } }) };
    const ran = await gatehouse(routes, ['audit', 'query', '--limit', '3', '-o', 'json']);
    expect(JSON.parse(ran.out)).toHaveLength(3);
    expect(world.arrived.map(({ query }) => [query.get('limit'), query.get('cursor')])).toEqual([
      ['3', null],
      ['1', 'next'],
    ]);
  });

  it('shows the steps of one record', async () => {
    const ran = await gatehouse({ [RECORDS]: { body: { items: [sampleRecord()], nextCursor: null } } }, ['audit', 'query', '--id', 'cal_1', '-o', 'table']);
    expect(ran.out).toMatch(/argument keys +text/);
    expect(ran.out).toMatch(/STEP +MS\nauthenticate +0\.1\nforward +3\.3\ntotal +4\.5\n$/);
  });

  it('says so when there is no such record', async () => {
    const ran = await gatehouse({ [RECORDS]: { body: { items: [], nextCursor: null } } }, ['audit', 'query', '--id', 'cal_1']);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('there is no record cal_1') });
  });

  it('follows from now on by cursor until it is interrupted, and exits 0', async () => {
    const interrupt = new AbortController();
    const routes: Routes = {
      [RECORDS]: ({ query }) => {
        const cursor = query.get('cursor');
        if (cursor === null) return { body: { items: [sampleRecord({ seq: 1 })], nextCursor: 'c1' } };
        return cursor === 'c1' ? { body: { items: [sampleRecord({ seq: 2, outcome: null })], nextCursor: null } } : { body: { items: [], nextCursor: null } };
      },
    };
    const ran = await gatehouse(routes, ['audit', 'query', '--follow', '-o', 'json'], {
      interrupted: interrupt.signal,
      onOutput: (out) => (out.split('\n').length > 4 ? interrupt.abort() : undefined),
    });
    expect(ran.code).toBe(0);
    const lines = ran.out.trim().split('\n');
    expect(lines.slice(0, 2).map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2]);
    expect(world.arrived.slice(0, 3).map(({ query }) => [query.get('since'), query.get('cursor'), query.get('follow')])).toEqual([
      [String(NOW), null, 'true'],
      [String(NOW), 'c1', 'true'],
      [String(NOW), 'c1', 'true'],
    ]);
  });

  it('refuses a time it cannot read as usage', async () => {
    expect(await gatehouse({}, ['audit', 'query', '--since', 'yesterday'])).toMatchObject({ code: 2 });
  });
});
