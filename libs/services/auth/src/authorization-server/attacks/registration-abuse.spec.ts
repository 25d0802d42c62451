import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage } from '../../auth-stage.conformance.js';
import { Connecting } from '../connecting.conformance.js';

let stage: AuthStage;
let desk: Connecting;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
}, 60_000);
afterAll(() => stage.close(), 30_000);

/** As the edge names it. */
const from = (address = desk.address()) => ({ 'x-forwarded-for': address });

describe('a client that registers itself', () => {
  it('chooses neither its id nor its secret', async () => {
    const { status, json } = await desk.post({ client_id: 'cli_mine', client_secret: 'mine', token_endpoint_auth_method: 'client_secret_basic', client_secret_expires_at: 1, gh_generation: 7 } as never, from());
    expect(status).toBe(201);
    expect(json['client_id']).toMatch(/^dcr_[\w-]{22}$/);
    expect(json['client_secret']).not.toBe('mine');
    expect([json['client_secret_expires_at'], json['gh_generation']]).toEqual([0, undefined]);
  });

  it.each([
    [['implicit', 'authorization_code'], ['authorization_code']],
    [['client_credentials'], ['authorization_code']],
    [['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:token-exchange', 'password'], ['authorization_code', 'refresh_token']],
    [undefined, ['authorization_code', 'refresh_token']],
  ])('asking for %j has %j', async (asked, given) => {
    const { json } = await desk.post({ ...(asked === undefined ? {} : { grant_types: asked }) }, from());
    expect(json['grant_types']).toEqual(given);
  });

  it('has a name without what hides or turns others around, of eighty characters', async () => {
    const { json } = await desk.post({ client_name: `Ad\u202emin\u200b\u0007\n${'x'.repeat(200)}` }, from());
    expect(json['client_name']).toBe(`Admin${'x'.repeat(75)}`);
  });

  it.each<[string, unknown]>([
    ['a name that is no text', { client_name: { a: 1 } }],
    ['a method nobody has', { token_endpoint_auth_method: 'client_secret_jwt' }],
    ['keys and where they are', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] }, jwks_uri: 'https://keys.example/jwks' }],
    ['private_key_jwt without keys', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a secret among its keys', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }],
  ])('is refused with %s', async (_what, metadata) => {
    const { status, json } = await desk.post(metadata as never, from());
    expect([status, String(json['error'])]).toEqual([400, 'invalid_client_metadata']);
  });

  it.each(['{', '[]', 'null', '"text"', '', 'client_name=x', '{"redirect_uris":'])('is refused when the body is %j', async (body) => {
    const { status, json } = await desk.client().register(body, from());
    expect([status, typeof json['error']]).toEqual([400, 'string']);
  });

  it('is refused beyond what a registration can need', async () => {
    const { status } = await desk.post({ client_name: 'x'.repeat(60_000) }, from());
    expect([400, 413]).toContain(status);
  });

  it('makes us fetch its keys only from the open net', async () => {
    for (const jwks_uri of ['https://127.0.0.1/keys', 'https://169.254.169.254/keys', 'https://[::1]/keys', 'https://10.0.0.1/keys', 'https://localhost/keys', 'http://keys.example/keys']) {
      const { status, json } = await desk.post({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri }, from());
      if (status !== 201) continue;
      const client = desk.client({ clientId: String(json['client_id']) });
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const id = String(json['client_id']);
      const now = Math.floor(Date.now() / 1_000);
      const assertion = `${part({ alg: 'ES256', kid: 'k' })}.${part({ iss: id, sub: id, aud: stage.origin, jti: 'x', iat: now, exp: now + 60 })}.${'A'.repeat(86)}`;
      const answer = await client.token({ grant_type: 'refresh_token', refresh_token: 'x', client_assertion: assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' });
      expect([answer.status, answer.json['error']]).toEqual([401, 'invalid_client']);
    }
  });

  it('is slowed down by its address, and does not slow down others', async () => {
    const statuses = [];
    for (let turn = 0; turn < 62; turn++) statuses.push((await desk.client().register('{', from('10.9.9.9'))).status);
    expect(statuses.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 400));
    const slowed = await desk.post({}, from('10.9.9.9'));
    expect([slowed.status, Number(slowed.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    expect((await desk.post({}, from())).status).toBe(201);
    stage.clock.advance(10_000);
    expect((await desk.post({}, from('10.9.9.9'))).status).toBe(201);
  });

  it('from everywhere at once meets a limit for all', async () => {
    const posts = async () => (await Promise.all(Array.from({ length: 50 }, () => desk.client().register('{', from())))).map(({ status }) => status);
    const statuses = [];
    for (let turn = 0; turn < 22; turn++) statuses.push(...(await posts()));
    expect(statuses).toContain(429);
    stage.clock.advance(60_000);
    expect((await desk.post({}, from())).status).toBe(201);
  }, 60_000);
});
