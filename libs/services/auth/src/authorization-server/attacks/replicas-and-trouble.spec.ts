import { callbackParameters } from '@gatehouse/testing';
import { Refusal } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage, until } from '../../auth-stage.conformance.js';
import { Connecting, refreshTokenOf } from '../connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
}, 60_000);
afterAll(() => stage.close(), 30_000);

const at = (clientId: string, port: number | undefined) => desk.client({ clientId, resolve: () => `http://127.0.0.1:${port}` });

describe('several replicas', () => {
  it('one asks, another gives, and of both at once one does', async () => {
    const { port } = await stage.addReplica();
    const client = await desk.registered();
    const browser = await desk.browser(ada, client);
    const { code } = await desk.consented(client, browser);
    const other = at(client.options.clientId, port);
    const verifier = { code_verifier: client.pkce.verifier };
    expect((await other.exchange(code, verifier)).status).toBe(200);
    const second = (await desk.consented(client, browser))['code'];
    const race = await Promise.all(Array.from({ length: 20 }, (_none, turn) => (turn % 2 === 0 ? client : other).exchange(second, verifier)));
    expect(race.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('a refresh token used at two at once is used twice, not lost', async () => {
    const { port } = stage.replicas[1]!;
    const { client, tokens } = await desk.connected(ada);
    const both = await Promise.all([client.refresh(refreshTokenOf(tokens)), at(client.options.clientId, port).refresh(refreshTokenOf(tokens))]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('a restart in the middle of connecting is not noticed', async () => {
    const client = await desk.registered();
    const browser = await desk.browser(ada, client);
    const page = await desk.ask(client, browser);
    await stage.replicas.shift()!.close();
    await stage.addReplica(Number(new URL(stage.origin).port));
    const { code } = callbackParameters((await browser.submit(page.forms[0], {}, 'allow')).url);
    const tokens = await client.exchange(code);
    expect(tokens.status).toBe(200);
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });
});

describe('when something it needs is away', () => {
  it('vault and policy: a replica that starts gives nothing until the keys are here', async () => {
    stage.neighbours.trouble = new Refusal('service_unavailable');
    const starting = stage.addReplica();
    await until('the replica listens', () => stage.replicas.length === 3);
    const { port } = stage.replicas[2]!;
    const answer = await at('anybody', port).token({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'x' });
    expect([answer.status, answer.json['error'], answer.headers['retry-after'], answer.headers['cache-control']]).toEqual([503, 'temporarily_unavailable', '1', 'no-store']);
    stage.neighbours.trouble = undefined;
    await starting;
  });

  it('vault: replicas that hold the keys go on', async () => {
    const { client, tokens } = await desk.connected(ada);
    stage.neighbours.trouble = new Refusal('service_unavailable');
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
    stage.neighbours.trouble = undefined;
  });

  it.each(['artefacts', 'clients', 'people', 'signing_keys', 'registration_settings', 'login_sessions'])('the table %s: no code, no token, no word of the inside', async (table) => {
    const { client, tokens, browser } = await desk.connected(ada);
    const { code } = await desk.consented(client, browser);
    await stage.db.query(`ALTER TABLE ${table} RENAME TO gone`);
    stage.clock.advance(1_001);
    const answers = [await client.refresh(refreshTokenOf(tokens)), await client.exchange(code)];
    const page = await desk.ask(client, browser);
    await stage.db.query(`ALTER TABLE gone RENAME TO ${table}`);
    if (table !== 'login_sessions') for (const { status, json } of answers) expect([status >= 500, json['access_token']]).toEqual([true, undefined]);
    expect(page.url.includes('code=')).toBe(false);
    for (const text of [page.text, ...answers.map(({ text: body }) => body)]) expect(text).not.toMatch(/relation|does not exist|\.js:|gone/);
    // Nothing was used up by failing.
    stage.clock.advance(1_001);
    if (table !== 'artefacts') expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });

  it('a clock that was set back gives no token a longer life, and one set forward ends codes', async () => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, await desk.browser(ada, client));
    const now = stage.clock.now();
    stage.clock.setWall(now + 86_400_000);
    expect((await client.exchange(code)).status).toBe(400);
    stage.clock.setWall(now);
  });
});
