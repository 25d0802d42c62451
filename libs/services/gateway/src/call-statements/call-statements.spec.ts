import { hash } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serverContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, systemClock } from '@gatehouse/kernel';
import { createLogger } from '@gatehouse/telemetry';
import { startJsonUpstream, type Upstream } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours, newSigner } from '../neighbours.conformance.js';
import { StatementKeys } from './statement-keys.js';

const JWKS = '/.well-known/gatehouse-calls/jwks.json';
const PERMIT = 'permit (principal, action, resource);';
const EMPTY = hash('sha256', '', 'base64url');

describe('a server that asks for signed calls', () => {
  const neighbours = new Neighbours();
  let stage: EdgeStage;
  let upstream: Upstream;
  let plain: Upstream;
  let ada: string;
  let adaId: string;

  beforeAll(async () => {
    await neighbours.serve();
    [upstream, plain] = [await startJsonUpstream(), await startJsonUpstream()];
    adaId = neighbours.addCaller('ada');
    ada = neighbours.addToken('ada', { callerId: adaId });
    neighbours.addServer('signed', upstream.url, [['authorization', 'Bearer upstream-secret']]).signCalls = true;
    neighbours.addServer('plain', plain.url);
    neighbours.setPolicy(PERMIT);
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
    await plain.close();
  });

  async function verified(request: { headers: Record<string, unknown> }): Promise<JWTPayload> {
    const { json } = await stage.send('GET', JWKS);
    const options = { issuer: 'http://gatehouse.test', audience: upstream.url, typ: 'gatehouse-call+jwt', algorithms: ['EdDSA'] };
    return (await jwtVerify(String(request.headers['gatehouse-call']), createLocalJWKSet(json), options)).payload;
  }

  it('is told with every call who makes it, by which record, with exactly which body', async () => {
    const session = await stage.session('signed', ada);
    const before = await stage.recordsSoFar();
    const called = await stage.call('signed', ada, session, 'get_issue', 1, { id: 'ISSUE-1' });
    expect([called.status, called.json.error]).toEqual([200, undefined]);
    const [record] = await stage.recordsAfter(before);
    const request = upstream.calls('tools/call').at(-1)!;
    const payload = await verified(request);
    expect(payload).toEqual({
      ...{ iss: 'http://gatehouse.test', aud: upstream.url, sub: adaId, jti: record!.callId },
      ...{ digest: hash('sha256', request.body, 'base64url'), iat: expect.any(Number), exp: payload.iat! + 60 },
    });
    expect(Math.abs(payload.iat! * 1_000 - Date.now())).toBeLessThan(10_000);
    expect(decodeProtectedHeader(String(request.headers['gatehouse-call']))).toEqual({ alg: 'EdDSA', typ: 'gatehouse-call+jwt', kid: 'key_calls' });
  });

  it('is told so with every other request: initialize, notifications, GET and DELETE, each with its own number', async () => {
    upstream.forget();
    const session = await stage.session('signed', ada);
    const headers = { authorization: `Bearer ${ada}`, 'mcp-session-id': session };
    await stage.post('signed', ada, { jsonrpc: '2.0', method: 'notifications/initialized' }, { 'mcp-session-id': session });
    await stage.send('GET', '/mcp/signed', { ...headers, accept: 'text/event-stream' });
    await stage.send('DELETE', '/mcp/signed', headers);
    const requests = upstream.requests();
    expect(new Set(requests.map(({ method }) => method))).toEqual(new Set(['POST', 'GET', 'DELETE']));
    const payloads = await Promise.all(requests.map(verified));
    expect(payloads.map(({ digest }) => digest)).toEqual(requests.map(({ method, body }) => (method === 'POST' ? hash('sha256', body, 'base64url') : EMPTY)));
    expect(new Set(payloads.map(({ jti }) => jti)).size).toBe(requests.length);
    expect(payloads.every(({ sub }) => sub === adaId)).toBe(true);
  });

  it('is never shown what a client says in that header', async () => {
    upstream.forget();
    await stage.post('signed', ada, initialize(), { 'gatehouse-call': 'forged' });
    await stage.post('plain', ada, initialize(), { 'gatehouse-call': 'forged' });
    expect((await verified(upstream.requests()[0]!)).sub).toBe(adaId);
    expect(plain.requests().map((request) => request.headers['gatehouse-call'])).toEqual(plain.requests().map(() => undefined));
  });

  it('is probed with statements of Gatehouse itself', async () => {
    upstream.forget();
    const seen: unknown[] = [];
    await neighbours.bus('policy').events.consume(serverContracts.toolsObserved, 'policy-observations', async ({ health }) => void seen.push(health.status));
    const { id } = neighbours.servers.find(({ name }) => name === 'signed')!;
    await neighbours.bus('policy').events.publish(serverContracts.probeOrdered, { serverId: id, probeId: 'p' }, 'p');
    await eventually(() => seen.length > 0);
    const payloads = await Promise.all(upstream.requests().map(verified));
    expect(payloads.length).toBeGreaterThan(1);
    expect(new Set(payloads.map(({ sub }) => sub))).toEqual(new Set(['http://gatehouse.test']));
    expect(new Set(payloads.map(({ jti }) => jti)).size).toBe(payloads.length);
  });

  it('finds the keys for everybody, from every page', async () => {
    const answer = await stage.send('GET', JWKS, { origin: 'https://somewhere.example' });
    expect([answer.status, answer.headers['content-type'], answer.headers['cache-control'], answer.headers['access-control-allow-origin']]).toEqual([200, 'application/json', 'public, max-age=60', '*']);
    expect(answer.json).toEqual({ keys: [{ kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid: 'key_calls', alg: 'EdDSA', use: 'sig' }] });
    expect((await stage.send('OPTIONS', JWKS)).status).toBe(204);
    expect((await stage.send('GET', `${JWKS}?fresh`)).status).toBe(200);
    expect((await stage.send('POST', JWKS)).status).toBe(405);
    expect((await stage.send('GET', `${JWKS}/x`)).status).toBe(404);
    expect((await stage.send('GET', JWKS, { host: 'evil.example' })).status).toBe(403);
  });
});

describe('without a key', () => {
  it('nothing is sent: the call is refused until the vault gives one', async () => {
    const neighbours = new Neighbours();
    const signers = neighbours.callSigners;
    neighbours.callSigners = [];
    await neighbours.serve();
    const upstream = await startJsonUpstream();
    const ada = neighbours.addToken('ada');
    neighbours.addServer('signed', upstream.url).signCalls = true;
    neighbours.addServer('plain', upstream.url);
    neighbours.setPolicy(PERMIT);
    const stage = await (await EdgeStage.start(neighbours)).ready();
    const refused = await stage.post('signed', ada, initialize());
    const [record] = await stage.recordsAfter(0);
    expect([refused.status, upstream.hits(), record?.outcome?.code]).toEqual([503, 0, 'vault_unavailable']);
    expect((await stage.send('GET', JWKS)).status).toBe(503);
    expect((await stage.post('plain', ada, initialize())).status).toBe(200);
    neighbours.callSigners = signers;
    for (let tries = 0; (await stage.post('signed', ada, initialize())).status !== 200; tries++) {
      if (tries === 30) throw new Error('still refused');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await stage.send('GET', JWKS)).status).toBe(200);
    await stage.close();
    await neighbours.close();
    await upstream.close();
  }, 20_000);
});

describe('the key', () => {
  it('is another one after a rotation, and both verify', async () => {
    const neighbours = new Neighbours();
    await neighbours.serve(['vault']);
    const [bus, log] = [neighbours.bus('gateway'), createLogger({ service: 'gateway', level: 'silent' })];
    const keys = new StatementKeys({ bus, pair: newSealingKeyPair(), clock: systemClock, log, issuer: 'http://gatehouse.test' });
    const stated = { aud: 'https://mcp.example/mcp', sub: 'per_1', client_id: 'client-1', jti: 'cal_1' };
    expect(() => keys.statement(stated, null)).toThrow(expect.objectContaining({ code: 'vault_unavailable' }));
    await keys.start();
    const before = keys.statement(stated, null);
    neighbours.callSigners = [newSigner('key_new'), ...neighbours.callSigners];
    await keys.start();
    const after = keys.statement(stated, Buffer.from('{}'));
    await keys.close();
    const set = createLocalJWKSet(JSON.parse(keys.published().toString()));
    const [one, two] = [await jwtVerify(before, set), await jwtVerify(after, set)];
    expect([one.protectedHeader.kid, two.protectedHeader.kid]).toEqual(['key_calls', 'key_new']);
    expect([one.payload['digest'], two.payload['digest'], two.payload['client_id']]).toEqual([EMPTY, hash('sha256', '{}', 'base64url'), 'client-1']);
    await neighbours.close();
  });
});

function initialize(): object {
  return { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } };
}
