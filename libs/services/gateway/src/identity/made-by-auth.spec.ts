import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerHonestly, startRawUpstream, type RawHandler, type Upstream } from '@gatehouse/testing';
import { newId } from '@gatehouse/kernel';
import { EdgeStage } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

const PROBLEM = 'Your account at mail is made from your sign-in, which has ended: sign in again at http://gatehouse.test/login?fresh=1, then try again.';
const bearer = (text: string): [string, string][] => [['Authorization', `Bearer ${text}`]];
const refusalOf = ({ error, result }: any): any => error?.data ?? result?._meta?.['io.gatehouse/refusal'];

describe('an account that auth makes of a sign-in', () => {
  const neighbours = new Neighbours();
  const accepted = new Set<string>();
  let stage: EdgeStage;
  let upstream: Upstream;
  let server: ReturnType<Neighbours['addServer']>;

  const guarded: RawHandler = ({ rpc, recorded, response }) => {
    if (accepted.has(recorded.headers.authorization ?? '')) answerHonestly(rpc, response);
    else response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
  };

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startRawUpstream(guarded, { methods: ['tools/call', 'tools/list'] });
    server = neighbours.addServer('mail', upstream.url);
    Object.assign(server, { identityMode: 'private-required', auth: 'oauth', grant: 'id_jag' });
    neighbours.setPolicy('permit (principal, action, resource);');
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
  });

  beforeEach(() => {
    Object.assign(neighbours, { renew: () => ({ outcome: 'unchanged', reason: null }), identities: [], renewals: [], connects: [], leased: [], obtained: [] });
    neighbours.obtain = ({ personId }) => neighbours.addIdentity(server, personId, { name: 'default' }, bearer(`of-${personId}`)).id;
    accepted.clear();
  });

  /** A caller of this test alone. */
  const caller = async (kind: 'person' | 'service_account' = 'person'): Promise<{ id: string; token: string }> => {
    const id = newId(kind);
    const token = neighbours.addToken(`of-${id}`, { callerId: id });
    await stage.changed();
    accepted.add(`Bearer of-${id}`);
    upstream.forget();
    return { id, token };
  };
  const sent = (): (string | undefined)[] => upstream.calls('tools/call').map(({ headers }) => headers.authorization);
  const initialize = ({ token }: { token: string }) => stage.post('mail', token, { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });

  it('is there before the first answer, and asked for once however many calls come at once', async () => {
    const ada = await caller();
    const opened = await Promise.all(Array.from({ length: 50 }, () => initialize(ada)));
    expect(new Set(opened.map(({ json }) => json.result?.instructions ?? 'the server’s'))).toEqual(new Set(['the server’s']));
    expect(neighbours.obtained).toEqual([{ serverId: server.id, personId: ada.id }]);
    const session = await stage.session('mail', ada.token);
    expect((await stage.call('mail', ada.token, session, 'get_issue')).json.result.isError).toBeUndefined();
    expect([sent(), neighbours.connects]).toEqual([[`Bearer of-${ada.id}`], []]);
  });

  it('is made anew in the same call when the one before has ended', async () => {
    const ada = await caller();
    const session = await stage.session('mail', ada.token);
    const [account] = neighbours.identities;
    Object.assign(account!, { status: 'needs_reauth' });
    neighbours.directoryVersion += 1;
    await stage.changed();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    neighbours.obtain = () => {
      Object.assign(account!, { status: 'active' });
      neighbours.directoryVersion += 1;
      return account!.id;
    };
    expect((await stage.call('mail', ada.token, session, 'get_issue')).json.result.isError).toBeUndefined();
    expect(neighbours.obtained).toHaveLength(2);
  });

  it('is refused with what the person can do, and no link to connect one', async () => {
    const ada = await caller();
    neighbours.obtain = () => ({ problem: PROBLEM });
    const { json, headers } = await initialize(ada);
    expect(json.result.instructions).toContain(PROBLEM);
    const session = String(headers['mcp-session-id']);
    const { text, json: refused } = await stage.call('mail', ada.token, session, 'connect_mail');
    expect(refused.result.isError).toBe(true);
    expect(text).toContain('/login?fresh=1');
    expect(refusalOf(refused)).toMatchObject({ code: 'identity_missing' });
    expect([sent(), neighbours.connects]).toEqual([[], []]);
  });

  it('that the server refuses for good tells the same', async () => {
    const ada = await caller();
    const session = await stage.session('mail', ada.token);
    accepted.clear();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    Object.assign(neighbours, { renew: () => ({ outcome: 'dead', reason: 'refresh_refused' }), obtain: () => ({ problem: PROBLEM }) });
    const { text } = await stage.call('mail', ada.token, session, 'get_issue');
    expect(text).toContain('/login?fresh=1');
    expect(neighbours.connects).toEqual([]);
  });

  it('is none for a service account, which is told so', async () => {
    const robot = await caller('service_account');
    const { text, json } = await initialize(robot);
    expect(refusalOf(json)).toMatchObject({ type: 'identity_missing' });
    expect(text).toContain('service account');
    expect([neighbours.obtained, sent()]).toEqual([[], []]);
  });
});
