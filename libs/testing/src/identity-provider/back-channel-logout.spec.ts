import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { ScriptedBrowser } from '../browser/scripted-browser.js';
import { startIdentityProvider, type IdentityProvider } from './identity-provider.js';

const CALLBACK = 'http://127.0.0.1:1/login/callback';
const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };

describe('back-channel logout', () => {
  let idp: IdentityProvider;
  let client: Server;
  const received: string[] = [];

  beforeEach(async () => {
    received.length = 0;
    client = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        received.push(new URLSearchParams(body).get('logout_token') ?? '');
        response.writeHead(200).end('ok');
      });
    }).listen(0, '127.0.0.1');
    await once(client, 'listening');
    idp = await startIdentityProvider({ people: [{ sub: 'ada' }], redirectUris: [CALLBACK], requirePkce: false });
    idp.setBackChannelLogoutUri(`http://127.0.0.1:${(client.address() as AddressInfo).port}/logout`);
  });
  afterEach(async () => {
    await idp.close();
    client.close();
    client.closeAllConnections();
  });

  const signIn = async (browser: ScriptedBrowser): Promise<boolean> => {
    const query = new URLSearchParams({ client_id: idp.clientId, response_type: 'code', scope: 'openid', redirect_uri: CALLBACK });
    const page = await browser.get(`${idp.issuer}/auth?${query.toString()}`);
    if (!page.stopped) await browser.submit(page.forms[0], { login: 'ada' });
    return page.stopped;
  };

  it('ends every session of the person and sends a signed token for each', async () => {
    const browsers = [new ScriptedBrowser({ stopAt: [CALLBACK] }), new ScriptedBrowser({ stopAt: [CALLBACK] })];
    for (const browser of browsers) await signIn(browser);
    const sids = idp.sessionsOf('ada').map(({ sid }) => sid);
    expect(await idp.logoutEverywhere('ada')).toEqual([{ status: 200, body: 'ok' }, { status: 200, body: 'ok' }]);
    const keys = createRemoteJWKSet(new URL(`${idp.issuer}/jwks`));
    const read = await Promise.all(received.map((token) => jwtVerify(token, keys, { typ: 'logout+jwt', issuer: idp.issuer, audience: idp.clientId })));
    expect(new Set(read.map(({ payload }) => payload.sid))).toEqual(new Set(sids));
    expect(read[0]?.payload).toMatchObject({ sub: 'ada', events: EVENTS, jti: expect.any(String) });
    expect(await signIn(browsers[0] as ScriptedBrowser)).toBe(false);
  });

  it('names the person when she has no session', async () => {
    await idp.logoutEverywhere('ada');
    expect(received.map((token) => decodeJwt(token).sub)).toEqual(['ada']);
  });

  it('makes tokens with one thing wrong', async () => {
    const claims = async (flaw: Parameters<IdentityProvider['logoutToken']>[1]): Promise<Record<string, unknown>> =>
      decodeJwt(await idp.logoutToken({ sub: 'ada' }, flaw));
    expect(await claims('wrong-iss')).toMatchObject({ iss: 'https://idp.evil.example', aud: 'gatehouse' });
    expect(await claims('wrong-aud')).toMatchObject({ iss: idp.issuer, aud: 'another-client' });
    expect((await claims('expired')).exp).toBeLessThan(Date.now() / 1_000);
    expect(await claims('with-nonce')).toMatchObject({ nonce: 'n', events: EVENTS });
    expect((await claims('no-events')).events).toBeUndefined();
    expect((await claims('no-sub-no-sid')).sub).toBeUndefined();
    expect((await claims('no-jti')).jti).toBeUndefined();
    expect(decodeProtectedHeader(await idp.logoutToken({ sub: 'ada' }, 'alg-none')).alg).toBe('none');
    expect(decodeProtectedHeader(await idp.logoutToken({ sub: 'ada' }, 'wrong-typ')).typ).toBe('at+jwt');
    const keys = createRemoteJWKSet(new URL(`${idp.issuer}/jwks`));
    await expect(jwtVerify(await idp.logoutToken({ sub: 'ada' }, 'other-key'), keys)).rejects.toThrow(/signature/);
  });

  it('can send the same token again', async () => {
    const token = await idp.logoutToken({ sub: 'ada' });
    await idp.postLogoutToken(token);
    await idp.postLogoutToken(token);
    expect(received).toEqual([token, token]);
  });
});
