import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryEphemeral } from '@gatehouse/ephemeral';
import { calculateJwkThumbprint } from 'jose';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';
import { claimsFor, headerFor, listed, newMintKey, proofParts, signed, type Members } from '../tokens/token-mint.conformance.js';

const ORIGIN = 'http://gatehouse.test';
const RESOURCE = `${ORIGIN}/mcp/tracker`;
const key = newMintKey('key_at');
const holder = newMintKey('holder');
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** An upstream that holds every GET open and answers every POST; keeps the headers it got. */
async function startListening(got: IncomingMessage['headers'][]): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    got.push(request.headers);
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

describe('calls with access tokens', () => {
  const neighbours = new Neighbours();
  const ephemeral = memoryEphemeral();
  const got: IncomingMessage['headers'][] = [];
  let stage: EdgeStage;
  let upstream: Awaited<ReturnType<typeof startListening>>;
  let ada: string;
  let bound: string;

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startListening(got);
    neighbours.addServer('tracker', upstream.url);
    neighbours.setPolicy('permit(principal, action, resource);');
    stage = await (await EdgeStage.start(neighbours, {}, ephemeral)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    upstream.server.closeAllConnections();
    upstream.server.close();
  });

  beforeEach(async () => {
    neighbours.callers = [];
    neighbours.denied = [];
    neighbours.keys = [listed(key)];
    ada = neighbours.addCaller('ada', undefined, ['servers.read']);
    await stage.changed();
    const jkt = await calculateJwkThumbprint(holder.publicKey.export({ format: 'jwk' }) as never);
    bound = minted({ cnf: { jkt } });
  });

  const minted = (more: Members = {}, aud = RESOURCE): string => signed(headerFor(key), claimsFor(ada, aud, more), key);
  const ping = async (token: string, session: string): Promise<number> => (await stage.post('tracker', token, PING, { 'mcp-session-id': session })).status;

  it('keep their session when the token is refreshed, and no other client has it (E-42)', async () => {
    const session = await stage.session('tracker', minted({ gid: 'grant-1', client_id: 'editor' }));
    expect(await ping(minted({ gid: 'grant-1', client_id: 'editor' }), session)).toBe(200);
    expect(await ping(minted({ gid: 'grant-2', client_id: 'other' }), session)).toBe(404);
    const ben = neighbours.addCaller('ben');
    const pat = neighbours.addToken('ada', { callerId: ada });
    await stage.changed();
    expect(await ping(signed(headerFor(key), claimsFor(ben, RESOURCE, { gid: 'grant-1' }), key), session)).toBe(404);
    expect(await ping(pat, session)).toBe(404);
  });

  it('never take the token or its proof to the server (E-46)', async () => {
    got.length = 0;
    await stage.session('tracker', minted());
    expect(got.flatMap((headers) => Object.keys(headers)).filter((name) => ['authorization', 'dpop', 'cookie'].includes(name))).toEqual([]);
    expect(JSON.stringify(got)).not.toContain(minted().split('.')[0]);
  });

  describe('that listen', () => {
    const listening = async (token: string): Promise<IncomingMessage & { over: boolean }> => {
      const headers = { host: 'gatehouse.test', accept: 'text/event-stream', authorization: `Bearer ${token}`, 'mcp-session-id': await stage.session('tracker', token) };
      const [stream] = (await once(get({ host: '127.0.0.1', port: stage.gateway.port, path: '/mcp/tracker', headers, agent: false }), 'response')) as [IncomingMessage & { over: boolean }];
      stream.over = false;
      stream.on('error', () => undefined).on('close', () => (stream.over = true)).resume();
      expect(stream.statusCode).toBe(200);
      return stream;
    };

    it.each<[string, () => void]>([
      ['their grant is denied', () => neighbours.denied.push({ id: 'grant-1', until: Date.now() + 60_000 })],
      ['their token is denied', () => neighbours.denied.push({ id: 'jti-1', until: Date.now() + 60_000 })],
      ['their caller is gone', () => void (neighbours.callers = [])],
      ['their key is gone', () => void (neighbours.keys = [])],
    ])('are cut once %s', async (_what, change) => {
      const stream = await listening(minted({ gid: 'grant-1', jti: 'jti-1' }));
      await stage.changed();
      expect(stream.over).toBe(false);
      change();
      neighbours.directoryVersion += 1;
      await stage.changed();
      await eventually(() => stream.over, 2_000);
    });

    it('are cut once their token is over, leeway included', async () => {
      const stream = await listening(minted({ exp: Math.floor(Date.now() / 1_000) - 58 }));
      expect(stream.over).toBe(false);
      await eventually(() => stream.over, 4_000);
    });
  });

  describe('bound to a key', () => {
    const proof = (more: Members = {}, use: { htm?: string; htu?: string } = {}): string => {
      const { header, claims } = proofParts(bound, holder, { htu: RESOURCE, ...use });
      return signed(header, { ...claims, ...more }, holder);
    };
    const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'x', version: '1' } } };
    const shown = (message: unknown, headers: Record<string, string>) => stage.send('POST', '/mcp/tracker', { authorization: `DPoP ${bound}`, ...headers }, JSON.stringify(message));

    it('pass with a proof for each request, batches as one', async () => {
      const opened = await shown(initialize, { dpop: proof() });
      expect(opened.status).toBe(200);
      const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
      const batch = await shown([PING, { ...PING, id: 2 }], { dpop: proof(), ...session });
      expect([batch.status, batch.text.match(/"result"/g)?.length]).toEqual([200, 2]);
    });

    it('are refused with what they were lacking', async () => {
      const used = proof();
      expect((await shown(initialize, { dpop: used })).status).toBe(200);
      const asked = `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp/tracker", scope="mcp:access", error="invalid_token"`;
      for (const headers of [{ dpop: used }, { dpop: proof({}, { htm: 'GET' }) }, {}] as Record<string, string>[]) {
        const answer = await shown(initialize, headers);
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, `DPoP ${asked}, algs="ES256 EdDSA", Bearer ${asked}`]);
      }
      expect((await stage.post('tracker', bound, initialize)).status).toBe(401);
    });

    it('are refused as trouble of ours when the proof cannot be used up, and others go on', async () => {
      const away = memoryEphemeral();
      const lonely = await (await EdgeStage.start(neighbours, {}, away)).ready();
      await away.close();
      const body = JSON.stringify(initialize);
      const refused = await lonely.send('POST', '/mcp/tracker', { authorization: `DPoP ${bound}`, dpop: proof() }, body);
      expect([refused.status, refused.json.error.data.type]).toEqual([503, 'service_unavailable']);
      expect((await lonely.send('POST', '/mcp/tracker', { authorization: `Bearer ${minted()}` }, body)).status).toBe(200);
      await lonely.close();
    });
  });

  describe('to the admin API', () => {
    const API = `${ORIGIN}/api/v1`;
    const asked = `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/api/v1", scope="admin"`;

    it('pass with a token for it and its scope', async () => {
      const answer = await stage.send('GET', '/api/v1/whoami', { authorization: `Bearer ${minted({ scope: 'admin' }, API)}` });
      expect([answer.status, JSON.stringify(answer.json)]).toEqual([200, expect.stringContaining(ada)]);
    });

    it.each<[string, () => string, number, string]>([
      ['a token for an endpoint', () => minted({ scope: 'admin' }), 401, `Bearer ${asked}, error="invalid_token"`],
      ['a token for the origin', () => minted({ scope: 'admin' }, ORIGIN), 401, `Bearer ${asked}, error="invalid_token"`],
      ['another scope', () => minted({ scope: 'mcp:access' }, API), 403, `Bearer ${asked}, error="insufficient_scope"`],
    ])('do not pass with %s', async (_what, make, status, challenge) => {
      const answer = await stage.send('GET', '/api/v1/whoami', { authorization: `Bearer ${make()}` });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([status, challenge]);
    });

    it('pass bound to a key with a proof for the very path', async () => {
      const jkt = await calculateJwkThumbprint(holder.publicKey.export({ format: 'jwk' }) as never);
      const token = minted({ scope: 'admin', cnf: { jkt } }, API);
      const ask = (htu: string) => {
        const { header, claims } = proofParts(token, holder, { htm: 'GET', htu });
        return stage.send('GET', '/api/v1/whoami?x=1', { authorization: `DPoP ${token}`, dpop: signed(header, claims, holder) });
      };
      expect([(await ask(`${API}/whoami`)).status, (await ask(API)).status, (await ask(`${API}/people`)).status]).toEqual([200, 401, 401]);
    });

    it('are on record with grant and client', async () => {
      const before = await stage.recordsSoFar();
      await stage.send('POST', '/api/v1/policies/test', { authorization: `Bearer ${minted({ scope: 'admin', gid: 'grant-9', client_id: 'cli' }, API)}` }, '{}');
      expect((await stage.recordsAfter(before))[0]!.facts).toMatchObject({ kind: 'admin', caller: { id: ada, tokenId: 'grant-9' }, client: { id: 'cli' } });
    });
  });
});
