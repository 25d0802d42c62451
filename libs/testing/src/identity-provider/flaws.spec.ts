import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { ScriptedBrowser } from '../browser/scripted-browser.js';
import { TestAuthority } from '../tls/test-authority.js';
import { AUTHORIZATION_FLAWS, ID_TOKEN_FLAWS, type IdentityProviderFlaw } from './flaws.js';
import { startIdentityProvider, type IdentityProvider } from './identity-provider.js';

const CALLBACK = 'http://127.0.0.1:1/login/callback';

describe('a provider told to misbehave', () => {
  let idp: IdentityProvider;
  let config: client.Configuration;

  beforeAll(async () => {
    idp = await startIdentityProvider({ people: [{ sub: 'ada' }], redirectUris: [CALLBACK], requirePkce: false });
    const execute = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks], timeout: 1 };
    config = await client.discovery(new URL(idp.issuer), idp.clientId, undefined, client.ClientSecretBasic(idp.clientSecret), execute);
  });
  beforeEach(() => idp.behave());
  afterAll(() => idp.close());

  const callback = async (): Promise<URL> => {
    const browser = new ScriptedBrowser({ stopAt: [CALLBACK] });
    const url = client.buildAuthorizationUrl(config, { redirect_uri: CALLBACK, scope: 'openid', state: 'the state', nonce: 'the nonce' });
    const page = await browser.get(url.href);
    return new URL(page.stopped ? page.url : (await browser.submit(page.forms[0], { login: 'ada' })).url);
  };
  const finish = (url: URL): ReturnType<typeof client.authorizationCodeGrant> =>
    client.authorizationCodeGrant(config, url, { expectedState: 'the state', expectedNonce: 'the nonce', idTokenExpected: true });

  it.each([...ID_TOKEN_FLAWS, ...AUTHORIZATION_FLAWS])('%s is refused by a careful client, once', async (flaw) => {
    idp.misbehave(flaw);
    await expect(callback().then(finish)).rejects.toThrow();
    expect((await finish(await callback())).claims()?.sub).toBe('ada');
  });

  const rawIdToken = async (flaw: IdentityProviderFlaw): Promise<string> => {
    idp.misbehave(flaw);
    const code = (await callback()).searchParams.get('code') ?? '';
    const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: CALLBACK });
    const authorization = `Basic ${Buffer.from(`${idp.clientId}:${idp.clientSecret}`).toString('base64')}`;
    const answer = await fetch(`${idp.issuer}/token`, { method: 'POST', body, headers: { authorization } });
    return ((await answer.json()) as { id_token: string }).id_token;
  };

  it.each([
    ['id-token-wrong-iss', { iss: 'https://idp.evil.example' }],
    ['id-token-wrong-aud', { aud: 'another-client' }],
    ['id-token-many-aud', { aud: ['gatehouse', 'another-client'] }],
    ['id-token-wrong-nonce', { nonce: 'a nonce of another sign-in' }],
  ] as const)('%s changes that claim alone and is rightly signed', async (flaw, changed) => {
    const token = await rawIdToken(flaw);
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(`${idp.issuer}/jwks`)));
    expect(payload).toMatchObject({ sub: 'ada', iss: idp.issuer, aud: 'gatehouse', nonce: 'the nonce', ...changed });
  });

  it('signs wrongly in the ways that it is told to', async () => {
    const kid = decodeProtectedHeader((await finish(await callback())).id_token ?? '').kid;
    expect(decodeProtectedHeader(await rawIdToken('id-token-alg-none'))).toEqual({ alg: 'none' });
    expect(await rawIdToken('id-token-unsigned')).toMatch(/\.$/);
    expect(decodeProtectedHeader(await rawIdToken('id-token-hs256-secret'))).toEqual({ alg: 'HS256', kid });
    expect(decodeProtectedHeader(await rawIdToken('id-token-other-key-same-kid'))).toMatchObject({ alg: 'RS256', kid });
    expect(decodeProtectedHeader(await rawIdToken('id-token-unknown-kid')).kid).toBe('never-published');
    expect(decodeJwt(await rawIdToken('id-token-expired')).exp).toBeLessThan(Date.now() / 1_000);
    const token = await rawIdToken('id-token-hs256-secret');
    expect((await jwtVerify(token, Buffer.from(idp.clientSecret))).payload.sub).toBe('ada');
  });

  it('answers the authorization request wrongly', async () => {
    idp.misbehave('iss-parameter-wrong');
    expect((await callback()).searchParams.get('iss')).toBe('https://idp.evil.example');
    idp.misbehave('iss-parameter-missing');
    expect((await callback()).searchParams.has('iss')).toBe(false);
    idp.misbehave('access-denied');
    expect(Object.fromEntries((await callback()).searchParams)).toMatchObject({ error: 'access_denied', state: 'the state', iss: idp.issuer });
  });

  const post = (): Promise<Response> => fetch(`${idp.issuer}/token`, { method: 'POST', signal: AbortSignal.timeout(300) });

  it('has a token endpoint that fails, answers HTML, hangs or hangs up', async () => {
    idp.misbehave('token-500');
    expect((await post()).status).toBe(500);
    idp.misbehave('token-html');
    expect((await post()).headers.get('content-type')).toBe('text/html');
    idp.misbehave('token-hangs');
    await expect(post()).rejects.toMatchObject({ name: 'TimeoutError' });
    idp.misbehave('token-closes');
    await expect(post()).rejects.toThrow('fetch failed');
  });

  it('publishes wrong metadata and no keys until it behaves again', async () => {
    const discovery = `${idp.issuer}/.well-known/openid-configuration`;
    const document = async (): Promise<Record<string, string>> => (await (await fetch(discovery)).json()) as Record<string, string>;
    idp.misbehave('discovery-issuer-mismatch');
    expect([(await document()).issuer, (await document()).issuer]).toEqual([`${idp.issuer}/other`, `${idp.issuer}/other`]);
    idp.behave();
    idp.misbehave('discovery-internal-endpoints');
    expect(await document()).toMatchObject({ issuer: idp.issuer, token_endpoint: 'http://169.254.169.254/latest/token_endpoint' });
    idp.behave();
    idp.misbehave('discovery-500');
    expect((await fetch(discovery)).status).toBe(500);
    idp.behave();
    idp.misbehave('jwks-unreachable');
    await expect(fetch(`${idp.issuer}/jwks`)).rejects.toThrow('fetch failed');
    idp.behave();
    expect(await document()).toMatchObject({ issuer: idp.issuer, jwks_uri: `${idp.issuer}/jwks`, backchannel_logout_supported: true });
  });

  it('states another subject at userinfo', async () => {
    const tokens = await finish(await callback());
    idp.misbehave('userinfo-other-sub');
    await expect(client.fetchUserInfo(config, tokens.access_token, 'ada')).rejects.toThrow();
    idp.misbehave('userinfo-500');
    await expect(client.fetchUserInfo(config, tokens.access_token, 'ada')).rejects.toThrow();
    expect(await client.fetchUserInfo(config, tokens.access_token, 'ada')).toMatchObject({ sub: 'ada' });
  });

  it('serves https under a name of its own', async () => {
    const authority = new TestAuthority();
    const named = await startIdentityProvider({ authority, hostname: 'idp.acme.example' });
    const resolve = (): string => `https://127.0.0.1:${named.port}`;
    const page = await new ScriptedBrowser({ ca: authority.certificate, resolve }).get(`${named.issuer}/.well-known/openid-configuration`);
    expect(JSON.parse(page.html)).toMatchObject({ issuer: `https://idp.acme.example:${named.port}`, token_endpoint: `${named.issuer}/token` });
    await named.close();
    await named.close();
  });
});
