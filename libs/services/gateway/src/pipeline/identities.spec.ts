import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerHonestly, startRawUpstream, type RawHandler, type Upstream } from '@gatehouse/testing';
import { vaultContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { EdgeStage } from '../edge-stage.conformance.js';
import { Neighbours } from '../neighbours.conformance.js';

const LINK = 'http://gatehouse.test/connect/ticket-0123456789abcdef';
const refusalOf = ({ error, result }: any): any => error?.data ?? result?._meta?.['io.gatehouse/refusal'];
const bearer = (text: string): [string, string][] => [['Authorization', `Bearer ${text}`]];

describe('whose account a call carries', () => {
  const neighbours = new Neighbours();
  const accepted = new Set<string>();
  let stage: EdgeStage;
  let upstream: Upstream;
  let server: ReturnType<Neighbours['addServer']>;
  let refuse: (response: Parameters<RawHandler>[0]['response']) => void;
  let records = 0;

  const guarded: RawHandler = ({ rpc, recorded, response }) => {
    if (accepted.has(recorded.headers.authorization ?? '')) answerHonestly(rpc, response);
    else refuse(response);
  };

  beforeAll(async () => {
    await neighbours.serve();
    upstream = await startRawUpstream(guarded, { methods: ['tools/call', 'tools/list'] });
    server = neighbours.addServer('mail', upstream.url);
    server.identityMode = 'private-or-global';
    server.auth = 'oauth';
    neighbours.setPolicy('permit (principal, action, resource);');
    stage = await (await EdgeStage.start(neighbours)).ready();
  }, 20_000);

  afterAll(async () => {
    await stage.close();
    await neighbours.close();
    await upstream.close();
  });

  beforeEach(async () => {
    refuse = (response) => void response.writeHead(401, { 'www-authenticate': 'Bearer resource_metadata="https://elsewhere.example/x", error="invalid_token"' }).end();
    Object.assign(neighbours, { renew: () => ({ outcome: 'unchanged', reason: null }), connect: () => LINK, identities: [], renewals: [], connects: [], leased: [], obtained: [] });
    accepted.clear();
  });

  /** A person of this test alone, with accounts connected as given; a session opened with the shared one. */
  const person = async (name: string, capabilities: object = {}, version?: string) => {
    const id = newId(name === 'robot' ? 'service_account' : 'person');
    const token = neighbours.addToken(name, { callerId: id });
    const opener = neighbours.addIdentity(server, 'global', { name: 'opener' }, bearer('opener'));
    accepted.add('Bearer opener');
    await stage.changed();
    const session = await stage.session('mail', token, capabilities, version);
    neighbours.identities = neighbours.identities.filter((each) => each !== opener);
    neighbours.directoryVersion += 1;
    return { id, token, session };
  };
  const connected = async (): Promise<void> => {
    neighbours.directoryVersion += 1;
    await stage.changed();
    upstream.forget();
    records = await stage.recordsSoFar();
  };
  const sent = () => upstream.calls('tools/call').map(({ headers }) => headers.authorization);
  const call = ({ token, session }: { token: string; session: string }, id: string | number = 1) => stage.call('mail', token, session, 'get_issue', id);

  it('is the person’s own, by name and reason on record, leased as theirs', async () => {
    const ada = await person('ada');
    const own = neighbours.addIdentity(server, ada.id, { name: 'work' }, bearer('of-ada'));
    neighbours.addIdentity(server, 'global', {}, bearer('shared'));
    accepted.add('Bearer of-ada');
    await connected();
    expect((await call(ada)).status).toBe(200);
    expect(sent()).toEqual(['Bearer of-ada']);
    expect(neighbours.leased.at(-1)).toMatchObject({ identityId: own.id, owner: ada.id });
    const [record] = await stage.recordsAfter(records);
    expect(record?.facts.identity).toEqual({ visibility: 'private', id: own.id, name: 'work', reason: 'own_only' });
  });

  it('is never another person’s', async () => {
    const [ada, ben] = [await person('ada'), await person('ben')];
    neighbours.addIdentity(server, ben.id, {}, bearer('of-ben'));
    accepted.add('Bearer of-ben');
    await connected();
    expect(refusalOf((await call(ada)).json)).toMatchObject({ code: 'identity_missing' });
    expect((await call(ben)).json.result.isError).toBeUndefined();
    expect(sent()).toEqual(['Bearer of-ben']);
  });

  it('is not the shared one in place of one’s own that is dead', async () => {
    const ada = await person('ada');
    const dead = neighbours.addIdentity(server, ada.id, { name: 'work', status: 'needs_reauth' }, bearer('dead'));
    neighbours.addIdentity(server, 'global', {}, bearer('shared'));
    accepted.add('Bearer shared');
    await connected();
    const { json } = await call(ada);
    expect(refusalOf(json)).toMatchObject({ code: 'identity_dead', reason: 'not_accepted', connect: { url: LINK } });
    expect([upstream.hits(), neighbours.connects.at(-1)]).toEqual([0, { personId: ada.id, serverId: server.id, owner: ada.id, name: null, identityId: dead.id, cause: 'call' }]);
    const [record] = await stage.recordsAfter(records);
    expect(record).toMatchObject({ intended: false, outcome: { status: 'refused', code: 'identity_dead' }, facts: { identity: { visibility: 'private', id: dead.id, reason: 'not_accepted' } } });
  });

  it('is told by a link to connect one, in the text of a tool’s result', async () => {
    const ada = await person('ada');
    await connected();
    const answer = await call(ada);
    expect([answer.status, answer.json.result.isError, upstream.hits()]).toEqual([200, true, 0]);
    expect(answer.json.result.content[0].text).toContain(`Connect it here: ${LINK}`);
    const [record] = await stage.recordsAfter(records);
    expect(record).toMatchObject({ outcome: { status: 'refused', code: 'identity_missing' }, facts: { identity: { visibility: 'none', id: null, reason: 'nothing_connected' } } });
  });

  it('is told by an error for other methods', async () => {
    const ada = await person('ada');
    await connected();
    const answer = await stage.post('mail', ada.token, { jsonrpc: '2.0', id: 3, method: 'tools/list' }, { 'mcp-session-id': ada.session });
    expect(answer.json.error).toMatchObject({ code: 1052, message: expect.stringContaining(LINK), data: { type: 'identity_missing', connect: { url: LINK } } });
  });

  it('is asked for by elicitation where the client opens pages', async () => {
    const ada = await person('ada', { elicitation: { form: {}, url: {} } });
    await connected();
    const { json, status } = await call(ada, 'x');
    expect([status, json]).toEqual([200, { jsonrpc: '2.0', id: 'x', error: expect.objectContaining({ code: -32042 }) }]);
    expect(json.error.data.elicitations).toEqual([{ mode: 'url', elicitationId: 'ticket-0123456789abcdef', url: LINK, message: expect.stringContaining('mail') }]);
  });

  it.each([
    ['a client that fills in forms only', { elicitation: {} }, undefined],
    ['a revision without it', { elicitation: { url: {} } }, '2025-06-18'],
  ])('is told in text to %s', async (_who, capabilities, version) => {
    const ada = await person('ada', capabilities, version);
    await connected();
    expect((await call(ada)).json.result.content[0].text).toContain(LINK);
  });

  it('is told by the same link for a while, without asking again', async () => {
    const ada = await person('ada');
    await connected();
    await Promise.all(Array.from({ length: 20 }, (_, at) => call(ada, at)));
    await call(ada);
    expect(neighbours.connects).toHaveLength(1);
  });

  it('is refused plainly while no link can be had', async () => {
    const ada = await person('ada');
    neighbours.connect = () => {
      throw new Error('auth is in trouble');
    };
    await connected();
    const { text } = await call(ada);
    expect([text.includes('identity_missing'), text.includes('/connect/')]).toEqual([true, false]);
  });

  it('is the organisation’s alone for a service account, which gets no link', async () => {
    const robot = await person('robot');
    server.identityMode = 'private-required';
    neighbours.policyVersion += 1;
    await connected();
    const { text } = await call(robot);
    server.identityMode = 'private-or-global';
    neighbours.policyVersion += 1;
    neighbours.addIdentity(server, 'global', {}, bearer('opener'));
    await connected();
    expect([text.includes('service account'), text.includes('/connect/'), neighbours.connects]).toEqual([true, false, []]);
    expect((await call(robot)).json.result.isError).toBeUndefined();
  });

  it('goes up with the headers that the administrator named, and no others of the client’s', async () => {
    const ada = await person('ada');
    neighbours.addIdentity(server, ada.id, {}, bearer('of-ada'));
    accepted.add('Bearer of-ada');
    server.forwardHeaders = ['X-Tenant', 'Authorization', 'Cookie', 'Host', 'Mcp-Session-Id', 'Transfer-Encoding', 'DPoP', 'X-Forwarded-For', 'X-Set', 'X-Absent'];
    server.headers = [['X-Set', 'by the administrator']];
    neighbours.policyVersion += 1;
    await connected();
    const sentByClient = { 'x-tenant': 'blue', cookie: 'a=b', 'x-forwarded-for': '1.2.3.4', 'x-set': 'by the client', 'x-other': 'no' };
    await stage.post('mail', ada.token, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_issue', arguments: {} } }, { 'mcp-session-id': ada.session, ...sentByClient });
    const went = upstream.calls('tools/call')[0]!.headers;
    Object.assign(server, { forwardHeaders: [], headers: [] });
    neighbours.policyVersion += 1;
    await connected();
    expect(went).toMatchObject({ 'x-tenant': 'blue', authorization: 'Bearer of-ada', 'x-set': 'by the administrator', host: expect.stringContaining('127.0.0.1') });
    expect(Object.keys(went)).toEqual(expect.not.arrayContaining(['cookie', 'dpop', 'x-forwarded-for', 'x-other', 'x-absent', 'transfer-encoding']));
    expect(went['mcp-session-id']).not.toBe(ada.session);
  });

  describe('when its credential has ended', () => {
    it('is renewed once for two hundred calls that wait', async () => {
      const ada = await person('ada');
      const own = neighbours.addIdentity(server, ada.id, {}, bearer('ended'));
      neighbours.lives.set(own.id, 0);
      neighbours.renew = async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        neighbours.lives.delete(own.id);
        neighbours.versions.set(own.id, 2);
        neighbours.credentials.set(own.id, bearer('renewed'));
        return { outcome: 'fresh', reason: null };
      };
      accepted.add('Bearer renewed');
      await connected();
      const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => call(ada, at)));
      expect(new Set(answers.map(({ json }) => json.result?.isError))).toEqual(new Set([undefined]));
      expect(neighbours.renewals).toEqual([{ identityId: own.id, version: 0, cause: 'expired', challenge: null }]);
      expect(new Set(sent())).toEqual(new Set(['Bearer renewed']));
    });

    it.each([
      ['dead', 'identity_dead', true],
      ['retrying', 'credential_expired', false],
    ] as const)('ends the call when that is %s', async (outcome, code, linked) => {
      const ada = await person('ada');
      const own = neighbours.addIdentity(server, ada.id, {}, bearer('ended'));
      neighbours.lives.set(own.id, 0);
      neighbours.renew = () => ({ outcome, reason: null });
      await connected();
      const { text } = await call(ada);
      expect([text.includes(code), text.includes(LINK), upstream.hits()]).toEqual([true, linked, 0]);
    });

    it('ends when its server moved to another origin, and its owner is told where to connect again', async () => {
      const ada = await person('ada');
      const own = neighbours.addIdentity(server, ada.id, {}, bearer('of-the-old-place'));
      neighbours.unbound.add(own.id);
      neighbours.renew = () => ({ outcome: 'dead', reason: 'origin_changed' });
      await connected();
      const { text } = await call(ada);
      expect([text.includes('identity_dead'), text.includes(LINK), upstream.hits()]).toEqual([true, true, 0]);
      expect(neighbours.renewals).toEqual([{ identityId: own.id, version: 0, cause: 'restarted', challenge: null }]);
    });

    it('is renewed ahead, once, while calls go on', async () => {
      const ada = await person('ada');
      const own = neighbours.addIdentity(server, ada.id, {}, bearer('ending'));
      accepted.add('Bearer ending');
      neighbours.lives.set(own.id, 3_600_000);
      await connected();
      await call(ada);
      neighbours.lives.set(own.id, 200_000);
      await neighbours.bus('vault').events.publish(vaultContracts.credentialChanged, { identityId: own.id, serverId: server.id, version: 1 }, 'changed');
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (let time = 0; time < 5; time++) expect((await call(ada)).json.result.isError).toBeUndefined();
      for (const until = Date.now() + 8_000; neighbours.renewals.length === 0 && Date.now() < until; ) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(neighbours.renewals).toEqual([{ identityId: own.id, version: 1, cause: 'expiring', challenge: null }]);
    }, 15_000);
  });

  describe('when the server refuses its credential', () => {
    const renewing = async (token: string) => {
      const ada = await person('ada');
      const own = neighbours.addIdentity(server, ada.id, {}, bearer('old'));
      neighbours.renew = () => {
        neighbours.versions.set(own.id, 2);
        neighbours.credentials.set(own.id, bearer(token));
        return { outcome: 'fresh', reason: null };
      };
      await connected();
      return { ada, own };
    };

    it('is renewed and the call sent once more', async () => {
      const { ada, own } = await renewing('new');
      accepted.add('Bearer new');
      expect((await call(ada)).json.result.isError).toBeUndefined();
      expect(sent()).toEqual(['Bearer old', 'Bearer new']);
      expect(neighbours.renewals).toEqual([{ identityId: own.id, version: 1, cause: 'refused', challenge: expect.stringContaining('invalid_token'), wasAccepted: false }]);
      const [record, ...more] = await stage.recordsAfter(records);
      expect([more, record?.outcome]).toMatchObject([[], { status: 'ok', upstreamStatus: 200 }]);
    });

    it('is told to auth as one that worked before, where it did', async () => {
      const { ada } = await renewing('new');
      accepted.add('Bearer new');
      await call(ada);
      accepted.delete('Bearer new');
      await call(ada);
      expect(neighbours.renewals.map(({ version, wasAccepted }) => [version, wasAccepted])).toEqual([[1, false], [2, true]]);
    });

    it('is renewed for a scope that is lacking too', async () => {
      refuse = (response) => void response.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="mail.send"' }).end();
      const { ada } = await renewing('new');
      accepted.add('Bearer new');
      expect((await call(ada)).json.result.isError).toBeUndefined();
      expect(neighbours.renewals[0]?.challenge).toContain('mail.send');
    });

    it('is sent no third time; the way out is a link, and the server’s challenge stays here', async () => {
      const { ada } = await renewing('new');
      const answer = await call(ada);
      expect([answer.json.result.content[0].text.includes(LINK), sent()]).toEqual([true, ['Bearer old', 'Bearer new']]);
      expect(JSON.stringify([answer.headers, answer.text])).not.toMatch(/elsewhere|www-authenticate|invalid_token/i);
    });

    it('has auth told by the next call that the new one is refused too, which ends the identity', async () => {
      const { ada } = await renewing('new');
      await call(ada);
      neighbours.renew = () => ({ outcome: 'dead', reason: 'server_refused' });
      expect((await call(ada)).text).toContain('identity_dead');
      expect([neighbours.renewals.map(({ version }) => version), sent()]).toEqual([[1, 2], ['Bearer old', 'Bearer new', 'Bearer new']]);
    });

    it('is renewed once for all calls that were refused', async () => {
      const { ada } = await renewing('new');
      accepted.add('Bearer new');
      const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => call(ada, at)));
      expect([new Set(answers.map(({ json }) => json.result.isError)), neighbours.renewals.length]).toEqual([new Set([undefined]), 1]);
    });

    it.each([403, 500, 404, 429])('is not renewed for a plain %d', async (status) => {
      refuse = (response) => void response.writeHead(status).end();
      const { ada } = await renewing('new');
      await call(ada);
      expect([neighbours.renewals, sent()]).toEqual([[], ['Bearer old']]);
    });

    it('is not sent again once a byte of the answer was relayed', async () => {
      refuse = (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"401"}}\n\n');
        setTimeout(() => response.destroy(), 20);
      };
      const { ada } = await renewing('new');
      await call(ada).catch(() => undefined);
      expect([neighbours.renewals, sent()]).toEqual([[], ['Bearer old']]);
    });
  });
});
