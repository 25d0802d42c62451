import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import * as client from 'openid-client';
import { ScriptedBrowser } from '../browser/scripted-browser.js';
import { IdentityProvider, startIdentityProvider } from './identity-provider.js';

const CALLBACK = 'http://127.0.0.1:1/login/callback';
const PEOPLE = [
  { sub: 'ada', groups: ['engineering', 'oncall'] },
  { sub: 'bob', email_verified: false },
];

/** A sign-in as Gatehouse does it, with every check that openid-client has. */
class SignIn {
  readonly verifier = client.randomPKCECodeVerifier();
  readonly state = client.randomState();
  readonly nonce = client.randomNonce();

  constructor(readonly config: client.Configuration) {}

  static async at(idp: IdentityProvider): Promise<SignIn> {
    const execute = { execute: [client.allowInsecureRequests] };
    const authentication = client.ClientSecretBasic(idp.clientSecret);
    return new SignIn(await client.discovery(new URL(idp.issuer), idp.clientId, undefined, authentication, execute));
  }

  async url(extra: Record<string, string> = {}): Promise<string> {
    const { state, nonce } = this;
    const code_challenge = await client.calculatePKCECodeChallenge(this.verifier);
    const challenge = { code_challenge, code_challenge_method: 'S256' };
    return client.buildAuthorizationUrl(this.config, { redirect_uri: CALLBACK, scope: 'openid profile email', state, nonce, ...challenge, ...extra }).href;
  }

  finish(url: string): ReturnType<typeof client.authorizationCodeGrant> {
    const checks = { pkceCodeVerifier: this.verifier, expectedState: this.state, expectedNonce: this.nonce, idTokenExpected: true };
    return client.authorizationCodeGrant(this.config, new URL(url), checks);
  }
}

describe("a company's OpenID provider", () => {
  let idp: IdentityProvider;
  let browser: ScriptedBrowser;

  beforeEach(async () => {
    idp = await startIdentityProvider({ people: PEOPLE, redirectUris: [CALLBACK] });
    browser = new ScriptedBrowser({ stopAt: [CALLBACK] });
  });
  afterEach(() => idp.close());

  const signIn = async (login: string, extra?: Record<string, string>): Promise<Awaited<ReturnType<SignIn['finish']>>> => {
    const flow = await SignIn.at(idp);
    const page = await browser.get(await flow.url(extra));
    return flow.finish((page.stopped ? page : await browser.submit(page.forms[0], { login })).url);
  };

  it('signs a person in by code, PKCE and nonce, and states who she is in both places', async () => {
    const flow = await SignIn.at(idp);
    const login = await browser.get(await flow.url());
    const back = await browser.submit(login.forms[0], { login: 'ada' });
    expect(new URL(back.url).searchParams.get('iss')).toBe(idp.issuer);
    const tokens = await flow.finish(back.url);
    const who = { sub: 'ada', name: 'Ada', email: 'ada@acme.example', email_verified: true, groups: ['engineering', 'oncall'] };
    expect(tokens.claims()).toMatchObject({ ...who, iss: idp.issuer, sid: idp.sessionsOf('ada')[0]?.sid });
    expect(await client.fetchUserInfo(flow.config, tokens.access_token, 'ada')).toEqual(who);
  });

  it('signs in by its own session the second time, unless asked to log in again', async () => {
    await signIn('ada');
    const flow = await SignIn.at(idp);
    expect((await browser.get(await flow.url())).stopped).toBe(true);
    const again = await browser.get(await flow.url({ prompt: 'login' }));
    expect([again.stopped, again.forms.length]).toEqual([false, 1]);
    const silent = await new ScriptedBrowser({ stopAt: [CALLBACK] }).get(await flow.url({ prompt: 'none' }));
    expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
  });

  it('says why it lets nobody in, and ends a disabled person’s session', async () => {
    const flow = await SignIn.at(idp);
    const page = await browser.get(await flow.url());
    const unknown = await browser.submit(page.forms[0], { login: 'eve' });
    expect([unknown.status, unknown.text]).toEqual([401, expect.stringContaining('Nobody')]);
    const inside = await browser.submit(unknown.forms[0], { login: 'bob@acme.example' });
    expect((await flow.finish(inside.url)).claims()).toMatchObject({ sub: 'bob', email_verified: false, groups: [] });
    idp.disable('bob');
    const back = await browser.get(await (await SignIn.at(idp)).url());
    expect((await browser.submit(back.forms[0], { login: 'bob' })).status).toBe(403);
  });

  it('states changed groups at the next sign-in, under any name, at userinfo alone when told', async () => {
    idp.setPerson({ sub: 'ada', groups: ['sales'], email: null });
    expect((await signIn('ada')).claims()).toMatchObject({ groups: ['sales'] });
    expect((await signIn('ada')).claims()?.email).toBeUndefined();
    await idp.close();
    idp = await startIdentityProvider({ people: PEOPLE, redirectUris: [CALLBACK], groupsClaim: 'roles', claimsOnlyInUserinfo: true });
    const flow = await SignIn.at(idp);
    const back = await browser.submit((await browser.get(await flow.url())).forms[0], { login: 'ada' });
    const tokens = await flow.finish(back.url);
    expect([tokens.claims()?.email, tokens.claims()?.roles]).toEqual([undefined, undefined]);
    expect(await client.fetchUserInfo(flow.config, tokens.access_token, 'ada')).toMatchObject({ roles: ['engineering', 'oncall'] });
  });

  it('asks for PKCE, the right verifier, the registered redirect and the secret', async () => {
    const flow = await SignIn.at(idp);
    const bare = await browser.get(await flow.url({ code_challenge: '', code_challenge_method: '' }));
    expect(new URL(bare.url).searchParams.get('error_description')).toContain('PKCE');
    const foreign = await browser.get(await flow.url({ redirect_uri: 'https://evil.example/' }));
    expect([foreign.stopped, foreign.status]).toEqual([false, 400]);
    const back = await browser.submit((await browser.get(await flow.url())).forms[0], { login: 'ada' });
    await expect((await SignIn.at(idp)).finish(back.url)).rejects.toMatchObject({ cause: { message: expect.stringContaining('state') } });
    const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'x', redirect_uri: CALLBACK });
    expect((await fetch(`${idp.issuer}/token`, { method: 'POST', body })).status).toBeGreaterThanOrEqual(400);
  });

  it('takes a changed registration from the next request on', async () => {
    idp.setClient({ redirect_uris: ['http://127.0.0.1:2/cb'], id_token_signed_response_alg: 'ES256' });
    const flow = await SignIn.at(idp);
    expect((await browser.get(await flow.url())).status).toBe(400);
    idp.setClient({ redirect_uris: [CALLBACK] });
    expect((await browser.get(await flow.url())).forms).toHaveLength(1);
  });

  it('signs with new keys after a rotation and still publishes the old ones, unless told otherwise', async () => {
    const kidOf = (tokens: { id_token?: string | undefined }): unknown => decodeProtectedHeader(tokens.id_token ?? '').kid;
    const published = async (): Promise<unknown[]> => ((await (await fetch(`${idp.issuer}/jwks`)).json()) as JSONWebKeySet).keys.map(({ kid }) => kid);
    const before = kidOf(await signIn('ada'));
    idp.rotateKeys();
    const after = kidOf(await signIn('ada'));
    expect(after).not.toBe(before);
    expect(await published()).toEqual(expect.arrayContaining([before, after]));
    idp.rotateKeys({ keepOld: false });
    expect(await published()).not.toEqual(expect.arrayContaining([after]));
  });

  it('issues identity assertions and access tokens that its keys prove', async () => {
    const keys = createLocalJWKSet((await (await fetch(`${idp.issuer}/jwks`)).json()) as JSONWebKeySet);
    const wish = { sub: 'ada', aud: 'https://gate.example', client_id: 'c', resource: 'https://gate.example/mcp/x', scope: 'mcp:access' };
    const jag = await jwtVerify(await idp.issueIdJag(wish), keys, { typ: 'oauth-id-jag+jwt', issuer: idp.issuer, audience: wish.aud });
    expect(jag.payload).toMatchObject({ ...wish, email: 'ada@acme.example', jti: expect.any(String), exp: expect.any(Number) });
    const token = await idp.issueAccessToken({ sub: 'ada', aud: ['a', 'b'], scope: undefined }, { alg: 'ES256' });
    const read = await jwtVerify(token, keys, { typ: 'at+jwt', algorithms: ['ES256'] });
    expect([read.payload.aud, 'scope' in read.payload]).toEqual([['a', 'b'], false]);
    const forged = await idp.issueAccessToken({ sub: 'ada', aud: 'a', exp: undefined }, { foreignKey: true });
    await expect(jwtVerify(forged, createRemoteJWKSet(new URL(`${idp.issuer}/jwks`)))).rejects.toThrow(/signature/);
  });
});
