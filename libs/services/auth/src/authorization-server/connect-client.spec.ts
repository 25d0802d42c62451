import { callbackParameters, PublicClient, ScriptedBrowser, type Page } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { AuthStage, REDIRECT } from '../auth-stage.conformance.js';

let stage: AuthStage;
let ada: string;

beforeAll(async () => {
  stage = await AuthStage.start();
  ada = await stage.person('Ada');
}, 60_000);
afterAll(() => stage.close(), 30_000);

const NOTES = (): string => `${stage.origin}/mcp/notes`;

async function registered(metadata: Record<string, unknown> = {}): Promise<PublicClient> {
  const asker = new PublicClient({ issuer: stage.origin, clientId: '', redirectUri: REDIRECT });
  const { status, json } = await asker.register({ client_name: 'Scripted', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', ...metadata } as never);
  expect(status).toBe(201);
  return new PublicClient({ issuer: stage.origin, clientId: String(json['client_id']), redirectUri: REDIRECT, resource: NOTES(), scope: 'mcp:access' });
}

async function consented(client: PublicClient, browser: ScriptedBrowser, overrides = {}): Promise<Record<string, string>> {
  const asked = await browser.get(client.authorizeUrl(overrides));
  if (asked.url.startsWith(REDIRECT)) return callbackParameters(asked.url);
  expect([asked.status, asked.text.includes('Connect a client')]).toEqual([200, true]);
  return callbackParameters((await browser.submit(asked.forms[0], {}, 'allow')).url);
}

async function connected() {
  const client = await registered();
  const browser = await stage.signedInBrowser(ada);
  const answer = await consented(client, browser);
  const tokens = await client.exchange(answer['code']);
  return { client, browser, answer, tokens };
}

describe('connecting a client', () => {
  it('registers, asks the person, and gives a token for this endpoint alone', async () => {
    const { client, answer, tokens } = await connected();
    expect(answer).toMatchObject({ state: client.state, iss: stage.origin });
    expect([tokens.status, tokens.headers['cache-control'], tokens.json['token_type']]).toEqual([200, 'no-store', 'Bearer']);
    const token = String(tokens.json['access_token']);
    const { keys } = await stage.directory();
    const header = decodeProtectedHeader(token);
    expect(header).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(keys.map(({ id }) => id)).toContain(header.kid);
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ iss: stage.origin, aud: NOTES(), sub: ada, client_id: client.options.clientId, scope: 'mcp:access', gid: expect.any(String), jti: expect.any(String) });
    expect(claims.exp! - claims.iat!).toBe(3_600);
    expect(tokens.json['refresh_token']).toEqual(expect.any(String));
  });

  it('shows who asks, where the answer goes, what for, and warns of a client on this computer', async () => {
    const client = await registered({ client_name: 'Evil\u202eli<b>ve' });
    const browser = await stage.signedInBrowser(ada);
    const page: Page = await browser.get(client.authorizeUrl());
    expect(page.text).toContain('Evilli<b>ve');
    expect(page.html).not.toContain('<b>ve');
    for (const shown of [client.options.clientId, '127.0.0.1:33418', NOTES(), 'Ada', 'runs on your computer']) expect(page.text).toContain(shown);
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('takes no for an answer', async () => {
    const client = await registered();
    const browser = await stage.signedInBrowser(ada);
    const asked = await browser.get(client.authorizeUrl());
    const { error, code } = callbackParameters((await browser.submit(asked.forms[0], {}, 'deny')).url);
    expect([error, code]).toEqual(['access_denied', undefined]);
  });

  it('sends who is not signed in to sign in first', async () => {
    const client = await registered();
    const browser = new ScriptedBrowser({ stopAt: [`${stage.origin}/login`] });
    const { url } = await browser.get(client.authorizeUrl());
    expect(url).toMatch(/\/login\?return_to=\/interaction\/[\w-]+$/);
  });

  it('refreshes, and a refresh token that comes back late ends the grant everywhere', async () => {
    const { client, tokens } = await connected();
    const first = String(tokens.json['refresh_token']);
    const second = await client.refresh(first);
    expect(second.status).toBe(200);
    expect((await client.refresh(first)).status).toBe(200);
    stage.clock.advance(31_000);
    expect(await client.refresh(first)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(await client.refresh(String(second.json['refresh_token']))).toMatchObject({ status: 400 });
    const { gid } = decodeJwt(String(tokens.json['access_token']));
    expect((await stage.directory()).denied.map(({ id }) => id)).toContain(gid);
  });

  it('lets a code be used once, whoever is first, and ends what came of it', async () => {
    const client = await registered();
    const answer = await consented(client, await stage.signedInBrowser(ada));
    const all = await Promise.all(Array.from({ length: 20 }, () => client.exchange(answer['code'])));
    const won = all.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    const { gid } = decodeJwt(String(won[0]!.json['access_token']));
    expect((await stage.directory()).denied.map(({ id }) => id)).toContain(gid);
    expect((await client.refresh(String(won[0]!.json['refresh_token']))).status).toBe(400);
  });

  it('a client gives its own access token back; another cannot', async () => {
    const { client, tokens } = await connected();
    const token = String(tokens.json['access_token']);
    const stranger = await registered();
    expect((await stranger.revoke(token)).status).toBe(200);
    const denied = async () => (await stage.directory()).denied.map(({ id }) => id);
    expect(await denied()).not.toContain(decodeJwt(token).jti);
    expect((await client.revoke(token)).status).toBe(200);
    expect(await denied()).toContain(decodeJwt(token).jti);
  });

  it('changes the person without a script', async () => {
    const { client, browser } = await connected();
    const bob = await stage.person('Bob');
    const other = await stage.signedInBrowser(bob);
    for (const cookie of other.cookies.all()) browser.cookies.plant(cookie);
    const answer = await consented(client, browser);
    const tokens = await client.exchange(answer['code']);
    expect(decodeJwt(String(tokens.json['access_token'])).sub).toBe(bob);
  });
});
