import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serverContracts } from '@gatehouse/contracts';
import { startJsonUpstream, startRawUpstream, TestAuthority, type Upstream } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

describe('a stateless server', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;
  let upstream: Upstream;
  let eager: Upstream;
  let ada: string;

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startJsonUpstream();
    // It gives a session id although nobody may end it.
    eager = await startRawUpstream(
      ({ rpc, response }) => {
        const result = rpc.method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'eager', version: '1' } } : {};
        response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'given' }).end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result }));
      },
      { methods: ['initialize', 'notifications/initialized'] },
    );
    ada = neighbours.addToken('ada');
    for (const { name, url } of [{ name: 'plain', url: upstream.url }, { name: 'eager', url: eager.url }]) neighbours.addServer(name, url).stateless = true;
    neighbours.setPolicy('permit (principal, action, resource);');
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
    await eager.close();
  });

  it('is called like any other, in sessions that are ours alone', async () => {
    const id = await stage.session('plain', ada);
    const answer = await stage.call('plain', ada, id, 'get_issue', 1, { id: 'ISSUE-1' });
    expect([answer.status, answer.json.error]).toEqual([200, undefined]);
    expect(upstream.requests().map(({ headers }) => headers['mcp-session-id'])).not.toContain(id);
  });

  it.each(['GET', 'HEAD', 'DELETE'])('is not asked by %s: 405 is answered here, in a session and without one', async (method) => {
    const id = await stage.session('plain', ada);
    const hits = upstream.hits();
    for (const session of [{}, { 'mcp-session-id': id }, { 'mcp-session-id': 'garbage' }]) {
      const { status, headers } = await stage.send(method, '/mcp/plain', { authorization: `Bearer ${ada}`, accept: 'text/event-stream', ...session });
      expect([status, headers.allow]).toEqual([405, expect.stringContaining('POST')]);
    }
    expect(upstream.hits()).toBe(hits);
    expect((await stage.call('plain', ada, id, 'get_issue', 2, { id: 'ISSUE-1' })).status).toBe(200);
  });

  it('still asks who calls', async () => {
    expect((await stage.send('GET', '/mcp/plain')).status).toBe(401);
  });

  it('is probed by POST alone', async () => {
    const seen: unknown[] = [];
    await neighbours.bus('policy').events.consume(serverContracts.toolsObserved, 'policy-observations', async ({ health }) => void seen.push(health.status));
    const { id } = neighbours.servers.find(({ name }) => name === 'eager')!;
    await neighbours.bus('policy').events.publish(serverContracts.probeOrdered, { serverId: id, probeId: 'p' }, 'p');
    await eventually(() => seen.length > 0);
    expect([seen, new Set(eager.requests().map(({ method }) => method))]).toEqual([['healthy'], new Set(['POST'])]);
  });
});

describe('a call that fails in TLS', () => {
  it('is on record with the reason', async () => {
    const neighbours = new Neighbours();
    await neighbours.serve();
    const ada = neighbours.addToken('ada');
    const plain = await startJsonUpstream();
    const server = neighbours.addServer('no-tls', plain.url.replace('http:', 'https:'));
    server.caCertificate = new TestAuthority().certificate;
    neighbours.setPolicy('permit (principal, action, resource);');
    const stage = await (await EdgeStage.start(neighbours)).ready();
    const answer = await stage.post('no-tls', ada, { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });
    const [record] = await stage.recordsAfter(0);
    expect([answer.status, record?.outcome?.code, record?.outcome?.reason]).toEqual([502, 'upstream_unreachable', 'tls_protocol']);
    await stage.close();
    await neighbours.close();
    await plain.close();
  });
});
