import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { policyContracts, serverContracts } from '@gatehouse/contracts';
import { startConformanceUpstream, type ConformanceUpstream } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

describe('a server that was restarted', () => {
  const neighbours = new Neighbours();
  let stages: EdgeStage[];
  let upstream: ConformanceUpstream;
  let ada: string;
  let server: policyContracts.SnapshotServer;

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startConformanceUpstream({ requiredHeader: { name: 'x-api-key', value: 'the-first-key' } });
    ada = neighbours.addToken('ada');
    server = neighbours.addServer('one', upstream.url, [['X-Api-Key', 'the-first-key']]);
    neighbours.addServer('two', upstream.url, [['X-Api-Key', 'the-first-key']]);
    neighbours.setPolicy('permit (principal, action, resource);');
    stages = await Promise.all([EdgeStage.start(neighbours), EdgeStage.start(neighbours)]);
    await Promise.all(stages.map((stage) => stage.ready()));
  }, 20_000);

  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.close()));
    await neighbours.close();
    await upstream.close();
  });

  const restart = async (): Promise<void> => {
    server.restarts += 1;
    neighbours.policyVersion += 1;
    await stages[0]!.changed();
  };

  it('has its credential leased anew at every edge, and only its own', async () => {
    const sessions = await Promise.all(stages.map((stage) => stage.session('one', ada)));
    const other = await stages[0]!.session('two', ada);
    neighbours.credentials.set(neighbours.accountOf(server), [['X-Api-Key', 'the-second-key']]);
    upstream.forget();
    const call = async (at: number): Promise<unknown> => {
      const { json, status } = await stages[at]!.call('one', ada, sessions[at]!, 'echo', 1, { text: 'x' });
      return json.result._meta?.['io.gatehouse/refusal'].code ?? status;
    };
    expect([await call(0), await call(1)]).toEqual([200, 200]);
    await restart();
    expect([await call(0), await call(1)]).toEqual(['identity_dead', 'identity_dead']);
    expect((await stages[0]!.call('two', ada, other, 'echo', 1, { text: 'x' })).status).toBe(200);
    const restarted = { identityId: neighbours.accountOf(server), version: 1, cause: 'restarted', challenge: null };
    expect(neighbours.renewals.filter(({ cause }) => cause === 'restarted')).toEqual([restarted, restarted]);
    neighbours.credentials.set(neighbours.accountOf(server), [['X-Api-Key', 'the-first-key']]);
    await restart();
    expect([await call(0), await call(1)]).toEqual([200, 200]);
  });

  it('ends the streams that its clients hold open', async () => {
    const id = await stages[0]!.session('one', ada);
    const listening = stages[0]!.send('GET', '/mcp/one', { authorization: `Bearer ${ada}`, accept: 'text/event-stream', 'mcp-session-id': id });
    let over = false;
    void listening.then(() => (over = true), () => (over = true));
    await eventually(() => upstream.requests().some(({ method }) => method === 'GET'));
    expect(over).toBe(false);
    await restart();
    await eventually(() => over);
  });

  it('is probed as it is now, by an edge that has not heard of the restart', async () => {
    const seen: unknown[] = [];
    await neighbours.bus('policy').events.consume(serverContracts.toolsObserved, 'policy-observations', async ({ health }) => void seen.push(health.status));
    neighbours.credentials.set(neighbours.accountOf(server), [['X-Api-Key', 'another-key']]);
    server.restarts += 1;
    neighbours.policyVersion += 1;
    await neighbours.bus('policy').events.publish(serverContracts.probeOrdered, { serverId: server.id, probeId: 'p', restarts: server.restarts }, 'p');
    await eventually(() => seen.length > 0);
    expect(seen).toEqual(['failing']);
  });
});
