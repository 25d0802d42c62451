import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { exchange } from '../browser/http-exchange.js';
import { TestAuthority } from '../tls/test-authority.js';
import { realClients } from './client-documents.js';
import { CLIENT_KEYS_PATH, startClientMetadataHost, type ClientMetadataHost } from './client-metadata-host.js';

describe('a host of client documents', () => {
  let host: ClientMetadataHost;

  beforeAll(async () => {
    host = await startClientMetadataHost();
  });
  afterAll(() => host.close());

  it('serves every real client at the URL that is its client_id', async () => {
    for (const { name, document, registration, redirectUri } of realClients(host.origin)) {
      const registered = (document?.body ?? registration).redirect_uris as string[];
      const spellings = [redirectUri, redirectUri.replace(/:\d+\//, '/')];
      expect([name, registered.some((uri) => spellings.includes(uri))]).toEqual([name, true]);
      if (document === undefined) continue;
      const url = host.serve(document.path, { body: document.body });
      const answer = await fetch(url);
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(await answer.json()).toMatchObject({ client_id: url });
    }
    expect(host.fetches('/oauth/client.json')).toHaveLength(1);
  });

  it('keeps what makes each client hard', () => {
    const [claude, code, chatGpt, vscode, cursor] = realClients('https://makers.example').map(({ document, registration }) => document?.body ?? registration);
    expect([claude?.application_type, code?.application_type, chatGpt?.scope]).toEqual([undefined, undefined, undefined]);
    expect(code?.redirect_uris).toContain('http://localhost/callback');
    expect(chatGpt).toMatchObject({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `https://makers.example${CLIENT_KEYS_PATH}` });
    expect(vscode?.grant_types).toContain('urn:ietf:params:oauth:grant-type:device_code');
    expect(cursor?.redirect_uris).toContain('cursor://anysphere.cursor-mcp/oauth/callback');
  });

  it('serves badly when told', async () => {
    host.forget();
    const path = '/oauth/bad';
    const url = host.serve(path, { body: '<html>', contentType: 'text/html', status: 503, headers: { 'cache-control': 'no-store' } });
    const bad = await fetch(url);
    expect([bad.status, bad.headers.get('content-type'), bad.headers.get('cache-control')]).toEqual([503, 'text/html', 'no-store']);
    host.serve(path, { redirectTo: 'http://169.254.169.254/' });
    expect((await fetch(url, { redirect: 'manual' })).headers.get('location')).toBe('http://169.254.169.254/');
    host.serve(path, { body: {}, padToBytes: 6_000 });
    const padded = await (await fetch(url)).text();
    expect([padded.length, JSON.parse(padded)]).toEqual([6_000, {}]);
    host.serve(path, { delayMs: 500 });
    await expect(fetch(url, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' });
    host.serve(path, { hangUp: true });
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    expect((await fetch(`${host.origin}/nothing`)).status).toBe(404);
    expect([host.fetches(path).length, host.fetches().length]).toEqual([5, 6]);
  });

  it('signs client assertions by the keys it publishes', async () => {
    const keys = createRemoteJWKSet(new URL(`${host.origin}${CLIENT_KEYS_PATH}`));
    const assertion = await host.clientAssertion('the-client', 'https://gate.example');
    const { payload } = await jwtVerify(assertion, keys, { issuer: 'the-client', subject: 'the-client', audience: 'https://gate.example' });
    expect(payload).toMatchObject({ jti: expect.any(String), exp: expect.any(Number) });
    const forged = await host.clientAssertion('the-client', 'a', { sub: 'x' }, { foreignKey: true });
    await expect(jwtVerify(forged, keys)).rejects.toThrow(/signature/);
  });

  it('serves https under a name of its own', async () => {
    const authority = new TestAuthority();
    const named = await startClientMetadataHost({ authority, hostname: 'makers.example' });
    const url = new URL(named.serve('/oauth/client.json', { body: { ok: true } }));
    expect(url.href).toBe(`https://makers.example:${named.port}/oauth/client.json`);
    const reach = { ca: authority.certificate, resolve: () => `https://127.0.0.1:${named.port}`, timeoutMs: 2_000 };
    expect((await exchange({ url, method: 'GET', headers: {}, body: undefined }, reach)).body).toBe('{"ok":true}');
    await named.close();
    await named.close();
  });
});
