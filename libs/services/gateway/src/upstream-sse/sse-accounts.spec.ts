import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@gatehouse/kernel';
import { startHttpSseUpstream, type HttpSseUpstream } from '@gatehouse/testing';
import { EdgeStage, eventually } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

const INITIALIZE = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'editor', title: 'An editor', version: '3' } } };
const lines = (token: string): [string, string][] => [['Authorization', `Bearer ${token}`]];

describe('accounts at an HTTP+SSE server', () => {
  const neighbours = new Neighbours();
  let upstream: HttpSseUpstream;
  let server: ReturnType<Neighbours['addServer']>;
  let stage: EdgeStage;
  let ada: { id: string; token: string };

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startHttpSseUpstream();
    server = neighbours.addServer('mail', upstream.url);
    Object.assign(server, { transport: 'sse', identityMode: 'private-or-global', auth: 'oauth' });
    neighbours.setPolicy('permit (principal, action, resource);');
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  beforeEach(async () => {
    Object.assign(neighbours, { identities: [], renewals: [], renew: () => ({ outcome: 'unchanged', reason: null }) });
    const id = newId('person');
    ada = { id, token: neighbours.addToken('ada', { callerId: id }) };
    accepts('token-of-ada');
    await changed();
    upstream.forget();
  });

  afterEach(async () => {
    upstream.cut();
    await eventually(() => upstream.connections() === 0);
  });

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
  });

  const accepts = (token: string): void => upstream.require({ name: 'authorization', value: `Bearer ${token}` });
  const changed = async (): Promise<void> => {
    neighbours.directoryVersion += 1;
    await stage.changed();
  };
  const echoed = async (session: string, said: string, token = ada.token): Promise<unknown> => {
    const answer = await stage.call('mail', token, session, 'echo', said, { text: said });
    return answer.json.error ?? answer.json.result.content[0].text;
  };
  const sent = (): unknown[] => upstream.requests().map(({ method, headers }) => `${method} ${headers.authorization}`);

  it('may be connected after the session began: the next call opens the connection, with what the client said', async () => {
    const began = await stage.post('mail', ada.token, INITIALIZE);
    const session = String(began.headers['mcp-session-id']);
    expect([began.status, upstream.hits()]).toEqual([200, 0]);
    neighbours.addIdentity(server, ada.id, {}, lines('token-of-ada'));
    await changed();
    expect(await echoed(session, 'connected')).toBe('connected');
    expect(upstream.calls('initialize').map(({ json }) => (json as { params: object }).params)).toEqual([INITIALIZE.params]);
    expect(new Set(sent())).toEqual(new Set(['GET Bearer token-of-ada', 'POST Bearer token-of-ada']));
  });

  it('are renewed when the server refuses them, as it opens and in the middle of a session', async () => {
    const { id } = neighbours.addIdentity(server, ada.id, {}, lines('token-of-old'));
    await changed();
    neighbours.renew = () => {
      neighbours.versions.set(id, (neighbours.versions.get(id) ?? 1) + 1);
      neighbours.credentials.set(id, lines(`token-${neighbours.versions.get(id)}`));
      return { outcome: 'fresh', reason: null };
    };
    accepts('token-2');
    const session = await stage.session('mail', ada.token);
    expect(await echoed(session, 'one')).toBe('one');
    accepts('token-3');
    expect(await echoed(session, 'two')).toBe('two');
    expect(neighbours.renewals.map(({ cause, version }) => [cause, version])).toEqual([['refused', 1], ['refused', 2]]);
    expect(upstream.connections()).toBe(1);
  });

  it('have connections of their own: another account is another connection', async () => {
    const first = neighbours.addIdentity(server, ada.id, {}, lines('token-of-ada'));
    await changed();
    const session = await stage.session('mail', ada.token);
    expect(await echoed(session, 'first')).toBe('first');
    neighbours.addIdentity(server, ada.id, { name: 'work', preferred: true }, lines('token-of-work'));
    await changed();
    accepts('token-of-work');
    upstream.forget();
    expect(await echoed(session, 'second')).toBe('second');
    expect(new Set(sent())).toEqual(new Set(['GET Bearer token-of-work', 'POST Bearer token-of-work']));
    expect(first.id).not.toBe(neighbours.identities[1]!.id);
    await eventually(() => upstream.connections() === 1);
  });

  it('are never used for somebody else, whose session is another', async () => {
    const id = newId('person');
    const ben = neighbours.addToken('ben', { callerId: id });
    neighbours.addIdentity(server, ada.id, {}, lines('token-of-ada'));
    await changed();
    const session = await stage.session('mail', ada.token);
    const stolen = await stage.call('mail', ben, session, 'echo', 1, { text: 'x' });
    expect(stolen.status).toBe(404);
    expect((await stage.post('mail', ben, INITIALIZE)).status).toBe(200);
    expect(upstream.connections()).toBe(1);
  });
});
