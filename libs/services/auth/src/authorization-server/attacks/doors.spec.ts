import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage } from '../../auth-stage.conformance.js';
import { Connecting } from '../connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;
let ada: string;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
}, 60_000);
afterAll(() => stage.close(), 30_000);

interface Raw {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function raw(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(stage.origin);
    const sent = request({ hostname, port, method, path, headers, timeout: 5_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
    });
    sent.on('error', reject).end(body);
  });
}

const METADATA = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
const FORGED: [string, Record<string, string>][] = [
  ['Host', { host: 'evil.test' }],
  ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.test' }],
  ['Forwarded', { forwarded: 'host=evil.test;proto=http' }],
  ['X-Forwarded-Proto', { 'x-forwarded-proto': 'https' }],
];

describe('the authorization server says the same of itself', () => {
  it.each(FORGED)('whatever %s says', async (_name, headers) => {
    for (const path of METADATA) {
      const { body } = await raw('GET', path, headers);
      expect(body).not.toContain('evil.test');
      const metadata = JSON.parse(body) as Record<string, string>;
      for (const [name, value] of Object.entries(metadata)) if (name.endsWith('_endpoint') || name === 'jwks_uri' || name === 'issuer') expect([name, value.startsWith(stage.origin)]).toEqual([name, true]);
    }
  });

  it('in both places, with what clients look for', async () => {
    const [one, other] = await Promise.all(METADATA.map(async (path) => JSON.parse((await raw('GET', path)).body) as Record<string, unknown>));
    expect(one).toEqual(other);
    expect(one).toMatchObject({
      issuer: stage.origin,
      authorization_endpoint: `${stage.origin}/authorize`,
      token_endpoint: `${stage.origin}/token`,
      registration_endpoint: `${stage.origin}/register`,
      revocation_endpoint: `${stage.origin}/revoke`,
      jwks_uri: `${stage.origin}/jwks`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      client_id_metadata_document_supported: true,
      authorization_response_iss_parameter_supported: true,
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:token-exchange']),
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']),
    });
    for (const absent of ['userinfo_endpoint', 'introspection_endpoint', 'device_authorization_endpoint']) expect(one).not.toHaveProperty(absent);
  });

  it('and sends people to the real address, whatever the request says', async () => {
    const client = await desk.registered();
    const path = client.authorizeUrl().slice(stage.origin.length);
    for (const [, headers] of FORGED) {
      const { headers: answer } = await raw('GET', path, headers);
      expect(JSON.stringify(answer)).not.toContain('evil.test');
    }
  });
});

describe('browser-based clients', () => {
  it.each([...METADATA, '/jwks'])('may read %s', async (path) => {
    const { headers } = await raw('GET', path, { origin: 'https://inspector.example' });
    expect(['*', 'https://inspector.example']).toContain(headers['access-control-allow-origin']);
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  it.each(['/register', '/token', '/revoke', '/par'])('may post to %s without credentials', async (path) => {
    const asked = await raw('OPTIONS', path, { origin: 'https://inspector.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' });
    expect([asked.status, asked.headers['access-control-allow-origin'], asked.headers['access-control-allow-methods']]).toEqual([204, '*', 'POST']);
    const { headers } = await raw('POST', path, { origin: 'https://inspector.example', 'content-type': 'application/json' }, '{}');
    expect(headers['access-control-allow-origin']).toBeDefined();
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('may not ask the authorization endpoint from a script', async () => {
    const { headers } = await raw('GET', '/authorize?client_id=x', { origin: 'https://inspector.example' });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('answers', () => {
  it('with tokens, or about them, are never kept by a cache', async () => {
    const { client, tokens } = await desk.connected(ada);
    for (const answer of [tokens, await client.refresh('unknown'), await client.token({ grant_type: 'x' }), await desk.post(), await desk.post('{')]) expect(answer.headers['cache-control']).toContain('no-store');
  });

  it('about failure tell what happened in OAuth’s words and nothing of the inside', async () => {
    for (const [method, path, type, body] of [['POST', '/token', 'application/json', '{}'], ['POST', '/token', 'text/plain', 'x'], ['POST', '/token', 'application/x-www-form-urlencoded', '%'], ['GET', '/token', '', ''], ['DELETE', '/token', '', '']] as const) {
      const answer = await raw(method, path, type === '' ? {} : { 'content-type': type }, body);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.body).not.toMatch(/at .*\.js|node_modules|postgres/);
    }
  });

  it('to people who come too often are pages, to programs JSON', async () => {
    const from = { 'x-forwarded-for': '10.200.0.1' };
    for (let turn = 0; turn < 201; turn++) await raw('GET', '/authorize', from);
    const [page, other] = [await raw('GET', '/authorize', from), await raw('POST', '/token', from)];
    expect([page.status, page.headers['content-type'], Number(page.headers['retry-after']) > 0]).toEqual([429, 'text/html; charset=utf-8', true]);
    expect(other.status).toBe(400);
  });

  it('end at sixty kilobytes of form', async () => {
    const { status } = await raw('POST', '/token', { 'content-type': 'application/x-www-form-urlencoded' }, `grant_type=refresh_token&refresh_token=${'x'.repeat(70_000)}`);
    expect(status).toBe(413);
  });

  it.each(['/me', '/introspect', '/token/introspection', '/device', '/session/end/confirm', '/register/dcr_x', '/request', '/reg', '/auth', '/credential'])('%s is nothing', async (path) => {
    const { status } = await raw('GET', path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it('no secret of a connection stands in the log', async () => {
    const { client, tokens } = await desk.connected(ada, (await desk.preRegistered()).client);
    const log = stage.logLines.join('');
    for (const secret of [client.options.secret!, String(tokens.json['access_token']), String(tokens.json['refresh_token']), client.pkce.verifier]) expect(log).not.toContain(secret);
  });
});
