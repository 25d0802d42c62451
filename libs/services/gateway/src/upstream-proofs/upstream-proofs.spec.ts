import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { serverContracts, vaultContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { makeProof, newBoundKey, startHttpSseUpstream, startOauthUpstream, type HttpSseUpstream, type OauthUpstream } from '@gatehouse/testing';
import { decodeJwt } from 'jose';
import type { z } from 'zod';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

type Observation = z.output<typeof serverContracts.toolsObserved.payload>;

const CLIENT = { clientId: 'machine', clientSecret: 'machine-secret' };
const BASIC = `Basic ${Buffer.from(`${CLIENT.clientId}:${CLIENT.clientSecret}`).toString('base64')}`;

describe('a token that is bound to a key', () => {
  const neighbours = new Neighbours();
  const key = newBoundKey();
  const seen: Observation[] = [];
  let stage: EdgeStage;
  let upstream: OauthUpstream;
  let older: HttpSseUpstream;
  let server: ReturnType<Neighbours['addServer']>;
  let token: string;
  let client: { token: string; session: string };

  const issued = async (): Promise<string> => {
    const url = upstream.endpoints.token;
    const headers = { authorization: BASIC, dpop: await makeProof({ key, method: 'POST', url }) };
    const answer = await fetch(url, { method: 'POST', headers, body: new URLSearchParams({ grant_type: 'client_credentials' }) });
    return ((await answer.json()) as { access_token: string }).access_token;
  };
  const calls = () => upstream.requests('/mcp').filter(({ body }) => body.includes('tools/call'));
  const call = () => stage.call('bound', client.token, client.session, 'whoami');

  beforeAll(async () => {
    await neighbours.serve();
    await neighbours.bus('policy').events.consume(serverContracts.toolsObserved, 'policy-observations', async (observation) => void seen.push(observation));
    upstream = await startOauthUpstream({ clients: [CLIENT], dpop: 'required' });
    older = await startHttpSseUpstream();
    token = await issued();
    const lines: [string, string][] = [['Authorization', `DPoP ${token}`], [vaultContracts.DPOP_KEY_FIELD, key]];
    server = neighbours.addServer('bound', `${upstream.url}?tenant=7`, lines);
    const sse = neighbours.addServer('older', older.url, lines);
    sse.transport = 'sse';
    older.require({ name: 'authorization', value: `DPoP ${token}` });
    neighbours.setPolicy('permit (principal, action, resource);');
    const ada = neighbours.addToken('ada', { callerId: newId('person') });
    stage = await (await EdgeStage.start(neighbours)).ready();
    client = { token: ada, session: await stage.session('bound', ada) };
  }, 30_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
    await older.close();
  });

  beforeEach(() => {
    upstream.set({ dpopNonce: 'nowhere' });
    upstream.forget();
  });

  it('goes with a proof of its own in every request, made for this address without its query', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, call));
    expect(new Set(answers.map(({ json }) => json.result.content[0].text))).toEqual(new Set(['client:machine']));
    const proofs = calls().map(({ headers }) => decodeJwt(String(headers['dpop'])));
    expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(20);
    expect(new Set(proofs.map(({ htu }) => htu))).toEqual(new Set([upstream.url]));
    expect(neighbours.renewals).toEqual([]);
  });

  it('is sent once more with the nonce that the server wants, which the next requests hold from the start', async () => {
    upstream.set({ dpopNonce: 'everywhere' });
    const nonces = (): unknown[] => calls().map(({ headers }) => decodeJwt(String(headers['dpop']))['nonce']);
    expect((await call()).json.result.content[0].text).toBe('client:machine');
    expect(nonces()).toEqual([undefined, expect.any(String)]);
    expect((await call()).status).toBe(200);
    expect(nonces()).toHaveLength(3);
    upstream.changeNonce();
    expect((await call()).status).toBe(200);
    expect(nonces()).toHaveLength(5);
    expect(neighbours.renewals).toEqual([]);
  });

  it('gives up on a server that goes on asking for nonces', async () => {
    upstream.set({ dpopNonce: 'ever-new' });
    upstream.changeNonce();
    const { json } = await call();
    expect(JSON.stringify(json)).toContain('identity_dead');
    expect(calls()).toHaveLength(2);
    expect(neighbours.renewals).toMatchObject([{ cause: 'refused', challenge: expect.stringContaining('use_dpop_nonce') }]);
  });

  it('never goes with a proof that a client sent', async () => {
    const sent = await makeProof({ key, method: 'POST', url: upstream.url, token });
    server.forwardHeaders = ['DPoP'];
    await stage.changed();
    await stage.post('bound', client.token, { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'whoami' } }, { 'mcp-session-id': client.session, dpop: sent });
    expect(calls().map(({ headers }) => headers['dpop'])).toEqual([expect.not.stringMatching(sent)]);
    server.forwardHeaders = [];
    await stage.changed();
  });

  it('goes with a proof in probes too', async () => {
    const probeId = 'probe-bound';
    await neighbours.bus('policy').events.publish(serverContracts.probeOrdered, { serverId: server.id, probeId, identity: { id: neighbours.accountOf(server), owner: 'global' } }, probeId);
    await eventually(() => seen.some((each) => each.probeId === probeId));
    expect(seen.find((each) => each.probeId === probeId)!.health).toMatchObject({ status: 'healthy', failure: null });
  });

  it('goes with proofs over HTTP+SSE: one for the stream, and one for each message at the address it is posted to', async () => {
    const session = await stage.session('older', client.token);
    await stage.call('older', client.token, session, 'echo', 1, { text: 'hello' });
    const proofs = older.requests().map(({ method, headers }) => [method, decodeJwt(String(headers['dpop']))['htm'], new URL(String(decodeJwt(String(headers['dpop']))['htu'])).search]);
    expect(proofs.length).toBeGreaterThanOrEqual(3);
    for (const [method, htm, search] of proofs) expect([htm, search]).toEqual([method, '']);
  });

  it('is nowhere with its key but in the vault and in requests', () => {
    const told = [...stage.logLines, JSON.stringify(neighbours.records()), JSON.stringify(seen)].join('\n');
    for (const secret of [key, token]) expect(told).not.toContain(secret);
  });
});
