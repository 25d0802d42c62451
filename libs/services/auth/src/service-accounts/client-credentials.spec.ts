import { randomUUID } from 'node:crypto';
import { accessContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, openSealed } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { AuthStage } from '../auth-stage.conformance.js';
import type { WantedAuth } from './service-account-client.js';

let stage: AuthStage;
const edge = newSealingKeyPair();

beforeAll(async () => {
  stage = await AuthStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const secretOf = (id: string, sealed: string | null): string => openSealed(edge, sealed!, accessContracts.clientSecretContext(id)).toString();

async function make(name: string, auth: WantedAuth) {
  const asked = { actor: await stage.administrator(), name, roles: ['member'], teams: [], auth, edgeKey: edge.publicKey };
  const { serviceAccount, sealedSecret } = await stage.gateway.request(accessContracts.createServiceAccount, asked);
  return { id: serviceAccount.id, sealedSecret };
}

async function ask(proof: Record<string, string>, authorization?: string): Promise<{ status: number; json: Record<string, unknown> }> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource: `${stage.origin}/mcp/notes`, scope: 'mcp:access', ...proof });
  const headers = { ...(authorization === undefined ? {} : { authorization }) };
  const response = await fetch(`${stage.origin}/token`, { method: 'POST', body, headers, signal: AbortSignal.timeout(5_000) });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

const bySecret = (id: string, secret: string): ReturnType<typeof ask> => ask({}, `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`);
const gidOf = ({ json }: Awaited<ReturnType<typeof ask>>): unknown => decodeJwt(String(json['access_token']))['gid'];
const deniedIds = async (): Promise<string[]> => (await stage.directory()).denied.map(({ id }) => id);

describe('a service account at the token endpoint', () => {
  it('gets access tokens by its secret, of a grant that a new secret and the end of it deny', async () => {
    const { id, sealedSecret } = await make('reporter', { method: 'secret' });
    const first = secretOf(id, sealedSecret);
    const token = await bySecret(id, first);
    expect(token.status).toBe(200);
    expect(decodeJwt(String(token.json['access_token']))).toMatchObject({ sub: id, client_id: id, aud: `${stage.origin}/mcp/notes`, scope: 'mcp:access', gid: `${id}-1` });
    const asked = { actor: await stage.administrator(), id, auth: { method: 'secret' as const }, edgeKey: edge.publicKey };
    const replaced = await stage.gateway.request(accessContracts.replaceServiceAccountAuth, asked);
    expect(await bySecret(id, first)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect(await deniedIds()).toContain(gidOf(token));
    const second = secretOf(id, replaced.sealedSecret);
    const anew = await bySecret(id, second);
    expect(await deniedIds()).not.toContain(gidOf(anew));
    await stage.gateway.request(accessContracts.disableServiceAccount, { actor: asked.actor, id });
    expect(await bySecret(id, second)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect(await deniedIds()).toContain(gidOf(anew));
  });

  it('is not let in by what is kept of its secret', async () => {
    const { id } = await make('stolen', { method: 'secret' });
    const [row] = await stage.db.query<{ kept: string }>(`SELECT metadata->>'client_secret' AS kept FROM clients WHERE id = $1`, [id]);
    expect(await bySecret(id, row!.kept)).toMatchObject({ status: 401 });
    expect(await bySecret(id, '')).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
  });

  it.each([['ES256'], ['EdDSA'], ['RS256']])('gets access tokens by a key of its own (%s), and not by another', async (alg) => {
    const [own, other] = await Promise.all([generateKeyPair(alg), generateKeyPair(alg)]);
    const jwk = (await exportJWK(own.publicKey)) as Record<string, string>;
    const { id } = await make(`signer ${alg}`, { method: 'private_key_jwt', jwks: { keys: [{ ...jwk, kid: 'k1' }] } });
    const assertion = (key: typeof own.privateKey): Promise<string> =>
      new SignJWT({}).setProtectedHeader({ alg, kid: 'k1' }).setIssuer(id).setSubject(id).setAudience(stage.origin).setJti(randomUUID())
        .setIssuedAt(Math.floor(stage.clock.now() / 1_000)).setExpirationTime(Math.floor(stage.clock.now() / 1_000) + 60).sign(key);
    const proof = async (key: typeof own.privateKey) => ({ client_id: id, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await assertion(key) });
    const signed = await proof(own.privateKey);
    expect(await ask(signed)).toMatchObject({ status: 200, json: { token_type: 'Bearer' } });
    expect(await ask(signed)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect(await ask(await proof(other.privateKey))).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
  });
});
