import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serverContracts } from '@gatehouse/contracts';
import { startJsonUpstream, startRawUpstream, type Upstream } from '@gatehouse/testing';
import type { z } from 'zod';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

type Order = z.input<typeof serverContracts.probeOrdered.payload>;
type Observation = z.output<typeof serverContracts.toolsObserved.payload>;

describe('probes', () => {
  const neighbours = new Neighbours();
  const policy = neighbours.bus('policy');
  const seen: Observation[] = [];
  const closing: Upstream[] = [];
  let stages: EdgeStage[];

  beforeAll(async () => {
    await neighbours.serve();
    await policy.events.consume(serverContracts.toolsObserved, 'policy-observations', async (observation) => void seen.push(observation));
    stages = await Promise.all([EdgeStage.start(neighbours), EdgeStage.start(neighbours)]);
    await Promise.all(stages.map((stage) => stage.ready()));
  }, 20_000);

  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.close()));
    await neighbours.close();
    await Promise.all(closing.map((upstream) => upstream.close()));
  });

  const order = (serverId: string, probeId: string, more: Partial<Order> = {}): Promise<void> => policy.events.publish(serverContracts.probeOrdered, { serverId, probeId, ...more }, probeId);
  const observed = async (probeId: string, parts = 1): Promise<Observation[]> => {
    const own = (): Observation[] => seen.filter((each) => each.probeId === probeId);
    await eventually(() => own().length >= parts);
    return own();
  };
  const opened = async (upstream: Promise<Upstream>): Promise<Upstream> => (closing.push(await upstream), upstream);

  it('are run once by one of the edges, with the credential, for a server that the edge had not heard of', async () => {
    const upstream = await opened(startJsonUpstream({ requiredHeader: { name: 'x-api-key', value: 'the-right-key' } }));
    const server = neighbours.addServer('fresh', upstream.url, [['X-Api-Key', 'the-right-key']]);
    await order(server.id, 'probe-1', { identity: { id: neighbours.accountOf(server), owner: 'global' } });
    const [observation, ...more] = await observed('probe-1');
    expect(more).toEqual([]);
    expect(observation).toMatchObject({ serverId: server.id, part: 0, parts: 1, health: { status: 'healthy', failure: null, serverInfo: { name: 'small-upstream' } } });
    expect(observation!.items.map(({ name }) => name)).toContain('get_issue');
    expect(upstream.calls('initialize')).toHaveLength(1);
  });

  it('say why a server fails, in a class and a sentence of ours', async () => {
    const upstream = await opened(startJsonUpstream({ requiredHeader: { name: 'x-api-key', value: 'the-right-key' } }));
    const refused = neighbours.addServer('wants-a-key', upstream.url);
    const private_ = neighbours.addServer('private', 'https://10.0.0.1/mcp');
    private_.allowPrivateNetwork = false;
    const missing = neighbours.addServer('no-credential', upstream.url, [['X-Api-Key', 'x']]);
    neighbours.credentials.delete(neighbours.accountOf(missing));
    await stages[0]!.changed();
    for (const [at, { id }] of [refused, private_, missing].entries()) await order(id, `probe-fails-${at}`);
    const failures = await Promise.all([0, 1, 2].map(async (at) => (await observed(`probe-fails-${at}`))[0]!.health));
    expect(failures.map(({ status, failure }) => [status, failure])).toEqual([['failing', 'unauthenticated'], ['failing', 'url_refused'], ['failing', 'credential']]);
    for (const { detail } of failures) expect(detail).not.toContain('127.0.0.1');
  });

  it('report many items in parts of a hundred', async () => {
    const tools = Array.from({ length: 250 }, (_, at) => ({ name: `tool-${at}` }));
    const upstream = await opened(
      startRawUpstream(({ rpc, response }) => void response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: { tools } })), { methods: ['tools/list'] }),
    );
    const server = neighbours.addServer('many', upstream.url);
    await order(server.id, 'probe-many');
    const parts = await observed('probe-many', 3);
    expect(parts.map(({ part, parts: of, items }) => [part, of, items.length])).toEqual([[0, 3, 100], [1, 3, 100], [2, 3, 50]]);
  });

  it('pass over an order for a server that is gone', async () => {
    await order('srv_019a0000-0000-7000-8000-000000000000', 'probe-gone');
    const upstream = await opened(startJsonUpstream());
    await order(neighbours.addServer('after', upstream.url).id, 'probe-after');
    await observed('probe-after');
    expect(seen.filter(({ probeId }) => probeId === 'probe-gone')).toEqual([]);
  });
});
