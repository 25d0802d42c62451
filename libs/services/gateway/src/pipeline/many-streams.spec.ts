import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EdgeStage } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

/** More than the default of a pool, and more than one person may have. */
const STREAMS = 300;
const PEOPLE = 2;

/** An upstream that holds every GET open and answers every POST at once. */
async function startListening(): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { id, method, params } = JSON.parse(text);
      const greeting = { protocolVersion: params?.protocolVersion, capabilities: {}, serverInfo: { name: 'listening', version: '1' } };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: method === 'initialize' ? greeting : {} }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` };
}

describe('a server that many clients listen to', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;
  let upstream: Awaited<ReturnType<typeof startListening>>;
  const streams: IncomingMessage[] = [];

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startListening();
    neighbours.addServer('listened', upstream.url);
    neighbours.setPolicy('permit(principal, action, resource);');
  }, 20_000);
  afterAll(async () => {
    for (const stream of streams) stream.destroy();
    await stage.close();
    await neighbours.close();
    upstream.server.closeAllConnections();
    upstream.server.close();
  });

  it('still answers calls', async () => {
    const tokens = Array.from({ length: PEOPLE }, (_, at) => neighbours.addToken(`person ${at}`));
    stage = await (await EdgeStage.start(neighbours)).ready();
    const sessions = await Promise.all(tokens.map((token) => stage.session('listened', token)));
    while (streams.length < STREAMS) {
      const at = streams.length % PEOPLE;
      const headers = { host: 'gatehouse.test', accept: 'text/event-stream', authorization: `Bearer ${tokens[at]}`, 'mcp-session-id': sessions[at] };
      const [answer] = await once(get({ host: '127.0.0.1', port: stage.gateway.port, path: '/mcp/listened', headers, agent: false }), 'response');
      streams.push(answer);
    }
    expect(streams.map(({ statusCode }) => statusCode).filter((status) => status !== 200)).toEqual([]);
    const answer = await stage.post('listened', tokens[0]!, { jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': sessions[0]! });
    expect([answer.status, answer.json]).toEqual([200, { jsonrpc: '2.0', id: 1, result: {} }]);
  }, 60_000);
});
