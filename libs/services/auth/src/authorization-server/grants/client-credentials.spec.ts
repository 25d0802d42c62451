import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { accessContracts, type Actor } from '@gatehouse/contracts';
import { newSealingKeyPair, openSealed, type JsonObject } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, SignJWT } from 'jose';
import { AuthStage } from '../../auth-stage.conformance.js';
import { accessTokenOf, Connecting } from '../connecting.conformance.js';

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
let stage: AuthStage;
let desk: Connecting;
let actor: Actor;
let names = 0;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  actor = await stage.administrator();
}, 60_000);
afterAll(() => stage.close(), 30_000);

async function account(auth: accessContracts.ServiceAccount['auth'] = 'secret', jwks?: { keys: JsonObject[] }) {
  const edge = newSealingKeyPair();
  const wanted = auth === 'private_key_jwt' ? { method: auth, jwks: jwks! } : { method: auth };
  const { serviceAccount, sealedSecret } = await stage.gateway.request(accessContracts.createServiceAccount, { actor, name: `Bot ${names++}`, roles: ['member'], teams: [], auth: wanted, edgeKey: edge.publicKey });
  const secret = sealedSecret === null ? undefined : openSealed(edge, sealedSecret, accessContracts.clientSecretContext(serviceAccount.id)).toString();
  return { id: serviceAccount.id, client: desk.client({ clientId: serviceAccount.id, ...(secret === undefined ? {} : { secret }) }) };
}

const ask = (client: Awaited<ReturnType<typeof account>>['client'], more = {}) => client.token({ grant_type: 'client_credentials', resource: desk.notes, ...more });

describe('a service account', () => {
  it('gets an access token for one endpoint by its secret', async () => {
    const { id, client } = await account();
    const answer = await ask(client, { scope: 'mcp:access' });
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    expect(answer.json['refresh_token']).toBeUndefined();
    expect(decodeJwt(accessTokenOf(answer))).toMatchObject({ iss: stage.origin, aud: desk.notes, sub: id, client_id: id, scope: 'mcp:access', gid: `${id}-1` });
  });

  it('gets the scope of the endpoint when it names none', async () => {
    const { client } = await account();
    expect(decodeJwt(accessTokenOf(await ask(client))).scope).toBe('mcp:access');
  });

  it('is refused without the right secret, without an endpoint, for an unknown one and for the scope of another', async () => {
    const { id, client } = await account();
    expect(await ask(desk.client({ clientId: id, secret: 'guess' }))).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect(await ask(desk.client({ clientId: id }), { client_id: id })).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect((await ask(client, { resource: undefined })).json['error']).toBe('invalid_target');
    expect((await ask(client, { resource: `${stage.origin}/mcp/unknown` })).json['error']).toBe('invalid_target');
    expect((await ask(client, { resource: [desk.notes, `${stage.origin}/mcp/mail`] })).json['error']).toBe('invalid_target');
    const admin = await ask(client, { scope: 'admin' });
    expect(admin.status === 200 ? decodeJwt(accessTokenOf(admin)).scope : undefined).toBeUndefined();
  });

  it('has no other grant', async () => {
    const { client } = await account();
    for (const grant of ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange', 'password', 'implicit']) {
      expect((await client.token({ grant_type: grant, code: 'x', refresh_token: 'x' })).status).toBe(400);
    }
  });

  it('with a new secret the old one and its tokens are over', async () => {
    const { id, client } = await account();
    const edge = newSealingKeyPair();
    const replaced = await stage.gateway.request(accessContracts.replaceServiceAccountAuth, { actor, id, auth: { method: 'secret' }, edgeKey: edge.publicKey });
    expect(await ask(client)).toMatchObject({ status: 401 });
    expect(await desk.denied()).toContain(`${id}-1`);
    const secret = openSealed(edge, replaced.sealedSecret!, accessContracts.clientSecretContext(id)).toString();
    expect(decodeJwt(accessTokenOf(await ask(desk.client({ clientId: id, secret }))))['gid']).toBe(`${id}-2`);
  });

  it('is nobody when it is disabled', async () => {
    const { id, client } = await account();
    await stage.gateway.request(accessContracts.disableServiceAccount, { actor, id });
    expect(await ask(client)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
  });
});

describe('a service account with a key', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' } as JsonObject] });
  const sign = (id: string, claims: JsonObject = {}, key = privateKey) => {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({ iss: id, sub: id, aud: stage.origin, iat: now, exp: now + 60, jti: randomUUID(), ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(key);
  };
  const prove = (client: Awaited<ReturnType<typeof account>>['client'], assertion: string) => ask(client, { client_assertion: assertion, client_assertion_type: ASSERTION });

  it('proves itself by an assertion, each good once', async () => {
    const { id, client } = await account('private_key_jwt', jwks());
    const assertion = await sign(id);
    const answer = await prove(client, assertion);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    expect(decodeJwt(accessTokenOf(answer))).toMatchObject({ sub: id, gid: `${id}-1` });
    expect(await prove(client, assertion)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
  });

  it('is refused by a foreign key, for another server, expired, without an id, for another account', async () => {
    const { id, client } = await account('private_key_jwt', jwks());
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const past = Math.floor(Date.now() / 1_000) - 600;
    const bad = [await sign(id, {}, stranger), await sign(id, { aud: 'https://other.test' }), await sign(id, { iat: past, exp: past + 60 }), await sign(id, { jti: null }), await sign(id, { iss: 'svc_other' })];
    for (const assertion of bad) expect(await prove(client, assertion)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
  });
});
