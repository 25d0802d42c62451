import { randomUUID } from 'node:crypto';
import type { PublicClient, ScriptedBrowser } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { callbackParameters } from '@gatehouse/testing';
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

async function push(client: PublicClient, overrides: Record<string, string> = {}) {
  const query = new URLSearchParams(new URL(client.authorizeUrl()).search);
  for (const [name, value] of Object.entries(overrides)) query.set(name, value);
  const { clientId, secret } = client.options;
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded', ...(secret === undefined ? {} : { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` }) };
  const answer = await fetch(`${stage.origin}/par`, { method: 'POST', headers, body: query });
  return { status: answer.status, json: (await answer.json()) as Record<string, string> };
}

const pushed = (client: PublicClient, uri: string): string => `${stage.origin}/authorize?${new URLSearchParams({ client_id: client.options.clientId, request_uri: uri })}`;

describe('a pushed request', () => {
  it('is asked about and answered like any other, once', async () => {
    const { client } = await desk.preRegistered({ requirePar: true });
    const { status, json } = await push(client);
    expect([status, json['request_uri']]).toEqual([201, expect.stringMatching(/^urn:ietf:params:oauth:request_uri:/)]);
    const page = await browser.get(pushed(client, json['request_uri']!));
    const { code } = callbackParameters((await browser.submit(page.forms[0], {}, 'allow')).url);
    expect((await client.exchange(code)).status).toBe(200);
    const again = await browser.get(pushed(client, json['request_uri']!));
    expect([again.text.includes('Connect a client'), again.url.includes('code=')]).toEqual([false, false]);
  });

  it('takes a proof of who pushes, and is nobody else’s', async () => {
    const { client, shown } = await desk.preRegistered();
    expect((await push(desk.client({ clientId: shown.id }))).status).toBe(401);
    expect((await push(desk.client({ clientId: shown.id, secret: 'guess' }))).status).toBe(401);
    const { json } = await push(client);
    const stranger = await desk.registered();
    const page = await browser.get(pushed(stranger, json['request_uri']!));
    expect([page.text.includes('Connect a client'), page.url.includes('code=')]).toEqual([false, false]);
  });

  it('is checked when it is pushed', async () => {
    const { client } = await desk.preRegistered();
    expect((await push(client, { redirect_uri: 'https://evil.test/cb' })).status).toBe(400);
    expect((await push(client, { resource: 'https://evil.test/mcp' })).json['error']).toBe('invalid_target');
    expect((await push(client, { code_challenge_method: 'plain' })).status).toBe(400);
  });

  it('is over after a minute and a half', async () => {
    const { client } = await desk.preRegistered();
    const { json } = await push(client);
    stage.clock.advance(91_000);
    const page = await browser.get(pushed(client, json['request_uri']!));
    expect([page.text.includes('Connect a client'), page.url.includes('code=')]).toEqual([false, false]);
  });
});

interface Binding {
  key: CryptoKey;
  jwk: JWK;
}

async function binding(): Promise<Binding> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { key: privateKey, jwk: await exportJWK(publicKey) };
}

const proof = ({ key, jwk }: Binding, claims: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT({ htm: 'POST', htu: `${stage.origin}/token`, jti: randomUUID(), iat: Math.floor(Date.now() / 1_000), ...claims }).setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk }).sign(key);

describe('a token bound to a key', () => {
  const redeem = (client: PublicClient, code: string | undefined, dpop: string) =>
    client.token({ grant_type: 'authorization_code', code, client_id: client.options.clientId, redirect_uri: REDIRECT, code_verifier: client.pkce.verifier }, { dpop });
  const refresh = (client: PublicClient, token: string, dpop: string) => client.token({ grant_type: 'refresh_token', refresh_token: token, client_id: client.options.clientId }, { dpop });

  it('names it, is refreshed by it alone, and lasts through refreshing', async () => {
    const client = await desk.registered();
    const [own, other] = [await binding(), await binding()];
    const { code } = await desk.consented(client, browser);
    const tokens = await redeem(client, code, await proof(own));
    expect({ status: tokens.status, type: tokens.json['token_type'] }).toEqual({ status: 200, type: 'DPoP' });
    expect(decodeJwt(accessTokenOf(tokens))['cnf']).toEqual({ jkt: await calculateJwkThumbprint(own.jwk) });
    expect((await refresh(client, refreshTokenOf(tokens), await proof(other))).json['error']).toBe('invalid_grant');
    expect((await client.refresh(refreshTokenOf(tokens))).json['error']).toBe('invalid_grant');
    const second = await refresh(client, refreshTokenOf(tokens), await proof(own));
    expect([second.status, decodeJwt(accessTokenOf(second))['cnf']]).toEqual([200, { jkt: await calculateJwkThumbprint(own.jwk) }]);
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['for another method', () => ({ htm: 'GET' })],
    ['for another address', () => ({ htu: 'https://evil.test/token' })],
    ['for another path', () => ({ htu: `${stage.origin}/authorize` })],
    ['that is old', () => ({ iat: Math.floor(Date.now() / 1_000) - 3_600 })],
    ['without an id', () => ({ jti: undefined })],
  ])('is not given for a proof %s, and the code is not lost', async (_what, claims) => {
    const client = await desk.registered();
    const own = await binding();
    const { code } = await desk.consented(client, browser);
    const refused = await redeem(client, code, await proof(own, claims()));
    expect([refused.status, refused.json['access_token']]).toEqual([400, undefined]);
    expect((await redeem(client, code, await proof(own))).status).toBe(200);
  });

  it('is not given for a proof that was used before', async () => {
    const client = await desk.registered();
    const own = await binding();
    const used = await proof(own);
    const first = await redeem(client, (await desk.consented(client, browser))['code'], used);
    expect(first.status).toBe(200);
    expect((await refresh(client, refreshTokenOf(first), used)).status).toBe(400);
  });

  it('is not exchanged for one that is not bound', async () => {
    const { client: special } = await desk.preRegistered({ specialGrants: ['urn:ietf:params:oauth:grant-type:token-exchange'] });
    const client = await desk.registered();
    const tokens = await redeem(client, (await desk.consented(client, browser))['code'], await proof(await binding()));
    const exchange = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: accessTokenOf(tokens), subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', resource: `${stage.origin}/mcp/mail` };
    expect((await special.token(exchange)).json).toMatchObject({ error: 'invalid_request', error_description: expect.stringContaining('bound to a key') });
  });

  it('is given to a client that must bind, and only so', async () => {
    const { client } = await desk.preRegistered({ requireDpop: true });
    const { code } = await desk.consented(client, browser);
    const basic = { authorization: `Basic ${Buffer.from(`${client.options.clientId}:${client.options.secret}`).toString('base64')}` };
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: client.pkce.verifier };
    expect((await client.token(form, basic)).status).toBe(400);
    expect((await client.token(form, { ...basic, dpop: await proof(await binding()) })).json['token_type']).toBe('DPoP');
  });
});
