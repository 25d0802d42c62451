import { createHash } from 'node:crypto';
import { callbackParameters, type ScriptedBrowser } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage, REDIRECT } from '../../auth-stage.conformance.js';
import { accessTokenOf, Connecting, refreshTokenOf } from '../connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;
let browser: ScriptedBrowser;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
  browser = await stage.signedInBrowser(ada);
}, 60_000);
afterAll(() => stage.close(), 30_000);

const short = 'a'.repeat(42);
const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');

describe('a code', () => {
  it.each<[string, Record<string, string | undefined>]>([
    ['no verifier', { code_verifier: undefined }],
    ['another verifier', { code_verifier: 'b'.repeat(43) }],
    ['an empty verifier', { code_verifier: '' }],
    ['another redirect URI', { redirect_uri: 'http://127.0.0.1:33418/other' }],
    ['another port than it was sent to', { redirect_uri: 'http://127.0.0.1:40000/callback' }],
    ['no redirect URI', { redirect_uri: undefined }],
    ['a code that was never given', { code: 'x'.repeat(43) }],
    ['no code', { code: undefined }],
  ])('gives nothing for %s', async (_what, overrides) => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, browser);
    const { status, json } = await client.exchange(code, overrides);
    expect([status, ['invalid_grant', 'invalid_request'].includes(String(json['error']))]).toEqual([400, true]);
    expect(json['access_token']).toBeUndefined();
  });

  it('is worth nothing to another client, and that ends nothing', async () => {
    const [client, thief] = [await desk.registered(), await desk.registered()];
    const { code } = await desk.consented(client, browser);
    expect((await thief.exchange(code, { code_verifier: client.pkce.verifier })).json['error']).toBe('invalid_grant');
    expect((await client.exchange(code)).status).toBe(200);
  });

  it('is over after a minute', async () => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, browser);
    stage.clock.advance(61_000);
    expect((await client.exchange(code)).json['error']).toBe('invalid_grant');
  });

  it('that comes twice ends what it gave', async () => {
    const { client, tokens, gid } = await desk.connected(ada);
    const other = await desk.registered();
    const { code } = await desk.consented(other, browser);
    const first = await other.exchange(code);
    expect((await other.exchange(code)).json['error']).toBe('invalid_grant');
    expect((await other.refresh(refreshTokenOf(first))).json['error']).toBe('invalid_grant');
    expect(await desk.denied()).not.toContain(gid);
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });

  it('is nowhere readable in the database', async () => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, browser);
    const tokens = await client.exchange(code);
    const rows = JSON.stringify(await stage.db.query('SELECT * FROM artefacts'));
    for (const secret of [code!, refreshTokenOf(tokens), accessTokenOf(tokens)]) expect(rows).not.toContain(secret);
    expect(stage.logLines.join('')).not.toContain(code);
  });
});

describe('PKCE', () => {
  it.each<[string, Record<string, string | string[] | undefined>]>([
    ['is required', { code_challenge: undefined, code_challenge_method: undefined }],
    ['is not plain', { code_challenge_method: 'plain' }],
    ['is not plain by leaving the method out', { code_challenge_method: undefined }],
    ['is no unknown method', { code_challenge_method: 'S512' }],
    ['has a challenge of the right length', { code_challenge: 'abc' }],
    ['has a challenge of the right letters', { code_challenge: '!'.repeat(43) }],
    ['has one challenge', { code_challenge: ['a'.repeat(43), 'b'.repeat(43)] }],
  ])('%s', async (_what, overrides) => {
    const client = await desk.registered();
    const page = await desk.ask(client, browser, overrides);
    const { error, code } = callbackParameters(page.stopped ? page.url : `${REDIRECT}?error=page`);
    expect([code, ['invalid_request', 'page'].includes(error ?? '')]).toEqual([undefined, true]);
  });

  it('takes no verifier that is too short', async () => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, browser, { code_challenge: challengeOf(short) });
    expect((await client.exchange(code, { code_verifier: short })).status).toBe(400);
  });

  it('is required of confidential clients too', async () => {
    const { client } = await desk.preRegistered();
    const page = await desk.ask(client, browser, { code_challenge: undefined, code_challenge_method: undefined });
    expect(callbackParameters(page.url)).toMatchObject({ error: 'invalid_request', iss: stage.origin });
  });
});

describe('a request that says a thing twice, or hides it', () => {
  it.each(['state', 'scope', 'client_id', 'response_type', 'code_challenge_method', 'prompt'])('%s twice', async (name) => {
    const client = await desk.registered();
    const honest = new URL(client.authorizeUrl({ prompt: 'consent' }));
    honest.searchParams.append(name, honest.searchParams.get(name)!);
    const page = await browser.get(honest.href);
    expect(page.text.includes('Connect a client')).toBe(false);
    expect(page.url.includes('code=')).toBe(false);
  });

  it.each(['grant_type', 'code', 'client_id', 'code_verifier', 'redirect_uri'])('%s twice at the token endpoint', async (name) => {
    const client = await desk.registered();
    const { code } = await desk.consented(client, browser);
    const values: Record<string, string> = { grant_type: 'authorization_code', code: code!, client_id: client.options.clientId, code_verifier: client.pkce.verifier, redirect_uri: REDIRECT };
    expect(await client.token({ ...values, [name]: [values[name]!, values[name]!] })).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
  });

  it('in a request object, or behind an address that is not ours', async () => {
    const client = await desk.registered();
    const object = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`;
    for (const overrides of [{ request: object }, { request_uri: 'https://evil.test/request' }, { request_uri: 'urn:ietf:params:oauth:request_uri:unknown' }]) {
      const page = await desk.ask(client, browser, overrides as never);
      expect([page.text.includes('Connect a client'), page.url.includes('code=')]).toEqual([false, false]);
    }
  });

  it.each(['token', 'id_token', 'code token', 'none'])('response type %s', async (response_type) => {
    const page = await desk.ask(await desk.registered(), browser, { response_type });
    expect([page.url.includes('access_token='), page.url.includes('code=')]).toEqual([false, false]);
  });
});
