import { authContracts, identityContracts, type upstreamContracts } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { IdentitiesStage } from './identities-stage.conformance.js';

let stage: IdentitiesStage;

beforeAll(async () => {
  stage = await IdentitiesStage.start(2);
}, 60_000);
afterAll(() => stage.close(), 30_000);

const SECRET = 'cs-of-a-test';
const CLIENTS = [{ clientId: 'gatehouse-test', clientSecret: SECRET }];

/** Believes what Gatehouse signed for it, of this type. */
const believing = (typ: string, audience: () => string) => async (token: string): Promise<string> => {
  const keys = createLocalJWKSet((await (await fetch(`${stage.auth.origin}/jwks`)).json()) as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, { typ, issuer: stage.auth.origin, audience: audience(), currentDate: new Date(stage.auth.clock.now()), requiredClaims: ['jti', 'exp'] });
  return payload.sub!;
};

/** A server whose tokens nobody signs in for, the client's secret given. */
async function server(grant: NonNullable<upstreamContracts.UpstreamOauth['grant']>, typ = 'JWT') {
  let issuer = '';
  const at = await stage.oauthServer({ clients: CLIENTS, trust: believing(typ, () => issuer) }, { grant, subjectToken: 'gatehouse', clientAuthMethod: 'client_secret_basic' });
  issuer = at.zoo.issuer;
  const secretId = `sec_${at.upstream.id.slice(4)}`;
  const secret = { secretId, sealed: (await stage.sealedSecret(secretId, SECRET)) };
  await stage.auth.gateway.request(identityContracts.putUpstreamSecret, { actor: await stage.actor(), serverId: at.upstream.id, kind: 'client_secret', secret });
  return at;
}

const obtain = (serverId: string, personId: string) => stage.auth.gateway.request(identityContracts.obtainIdentity, { serverId, personId });

describe.each([
  ['token_exchange', 'JWT'],
  ['id_jag', 'oauth-id-jag+jwt'],
] as const)('a person’s account by %s', (grant, typ) => {
  it('comes of what Gatehouse says of them, once, and is renewed without them', async () => {
    const at = await server(grant, typ);
    const owner = await stage.auth.person('Ada');
    const answers = await Promise.all(Array.from({ length: 10 }, () => obtain(at.upstream.id, owner)));
    const ids = new Set(answers.map(({ identityId, problem }) => problem ?? identityId));
    expect(ids.size).toBe(1);
    const id = answers[0]!.identityId!;
    expect(await stage.row(id)).toMatchObject({ owner, grant, status: 'active', name: 'default', refreshRef: null });
    expect(await stage.shownToEdges(id)).toMatchObject({ owner, status: 'active' });
    expect(await stage.isTaken(at.zoo, id)).toBe(true);
    at.zoo.expireAccessTokens();
    stage.auth.clock.advance(3_600_000);
    expect(await stage.ask({ id })).toEqual({ outcome: 'fresh', reason: null });
    expect(await stage.isTaken(at.zoo, id)).toBe(true);
  });

  it('is refused with a reason, and made for nobody who is disabled', async () => {
    const at = await server(grant, 'something-else');
    expect(await obtain(at.upstream.id, await stage.auth.person('Ada'))).toMatchObject({ identityId: null, problem: expect.stringContaining('invalid_grant') });
    const gone = await stage.auth.person('Bob');
    await stage.auth.gateway.request(authContracts.disablePerson, { actor: await stage.actor(), personId: gone });
    expect(await obtain(at.upstream.id, gone)).toMatchObject({ identityId: null, problem: expect.any(String) });
  });

  it('is nobody else’s: it cannot be shared', async () => {
    const at = await server(grant, typ);
    const owner = await stage.auth.person('Ada');
    const { identityId } = await obtain(at.upstream.id, owner);
    const asked = { actor: await stage.actor(), identityId: identityId!, ownedBy: owner };
    await expect(stage.auth.gateway.request(identityContracts.shareIdentity, asked)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('the organisation’s account by client credentials', () => {
  it('is there when the server has been looked at, and is renewed', async () => {
    const at = await server('client_credentials');
    const found = await stage.auth.gateway.request(identityContracts.discoverUpstream, { serverId: at.upstream.id, challenge: null, anew: false });
    expect(found.verdict).toBe('sign_in');
    const { items } = await stage.auth.gateway.request(identityContracts.listIdentities, { owner: 'global', server: at.upstream.name });
    expect(items).toEqual([expect.objectContaining({ grant: 'client_credentials', status: 'active', isRefreshable: true })]);
    const { id } = items[0]!;
    at.zoo.expireAccessTokens();
    stage.auth.clock.advance(3_600_000);
    expect(await Promise.all([stage.ask({ id }), stage.ask({ id })])).toEqual([{ outcome: 'fresh', reason: null }, { outcome: 'fresh', reason: null }]);
    expect(at.zoo.tokenRequests('client_credentials')).toHaveLength(2);
    expect(await stage.isTaken(at.zoo, id)).toBe(true);
  });
});

describe('where people sign in themselves', () => {
  it('nothing is made for them', async () => {
    const at = await stage.oauthServer();
    expect(await obtain(at.upstream.id, await stage.auth.person('Ada'))).toMatchObject({ identityId: null, problem: null });
    expect(at.zoo.requests('/token')).toHaveLength(0);
  });
});
