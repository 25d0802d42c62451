import { identityContracts } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../auth-stage.conformance.js';
import { HandOverStage, type HandOverServer } from './hand-over-stage.conformance.js';

let stage: HandOverStage;

beforeAll(async () => {
  stage = await HandOverStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

const idJag = (): Promise<HandOverServer> => stage.server('id_jag');
const again = (): string => `${stage.identities.auth.origin}/login?fresh=1`;

describe('an account by an identity assertion of the provider', () => {
  it('is the person’s own, and is renewed by another assertion', async () => {
    const at = await idJag();
    const { personId } = await stage.signIn('ada');
    const before = stage.idp.exchanges().length;
    const got = await stage.obtain(at, personId);
    expect(got).toMatchObject({ identityId: expect.any(String), problem: null });
    expect(await stage.whoami(at, got)).toContain('ada');
    expect(await stage.identities.row(got.identityId!)).toMatchObject({ owner: personId, grant: 'id_jag', status: 'active', refreshRef: null });
    expect(await stage.identities.ask({ id: got.identityId! }, { cause: 'restarted' })).toEqual({ outcome: 'fresh', reason: null });
    expect(await stage.whoami(at, got)).toContain('ada');
    const asked = stage.idp.exchanges().slice(before);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toMatchObject({ audience: at.zoo.issuer, resource: at.upstream.url, subject_token_type: ID_TOKEN });
    expect(at.zoo.tokenRequests(JWT_BEARER)).toHaveLength(2);
    expect(at.zoo.tokenRequests()).toHaveLength(2);
  });

  it('is never made of another person’s sign-in', async () => {
    const at = await idJag();
    const [ada, bob] = [await stage.signIn('ada'), await stage.signIn('bob')];
    const stranger = await stage.identities.auth.person('Mallory');
    expect(await stage.whoami(at, await stage.obtain(at, bob.personId))).toContain('bob');
    expect(await stage.whoami(at, await stage.obtain(at, ada.personId))).toContain('ada');
    expect(await stage.obtain(at, stranger)).toMatchObject({ identityId: null, problem: expect.stringContaining(again()) });
  });

  it('is made once, however many ask of whichever replica', async () => {
    const at = await idJag();
    const { personId } = await stage.signIn('ada');
    const answers = await Promise.all(Array.from({ length: 50 }, () => stage.obtain(at, personId)));
    expect(new Set(answers.map(({ identityId, problem }) => problem ?? identityId)).size).toBe(1);
    expect(at.zoo.tokenRequests(JWT_BEARER)).toHaveLength(1);
  });

  it('is not made where the provider knows no such audience; nobody asks again for ten seconds', async () => {
    const at = await stage.server('id_jag', {}, { audience: 'https://elsewhere.example' });
    const { personId } = await stage.signIn('ada');
    const before = stage.idp.exchanges().length;
    expect(await stage.obtain(at, personId)).toMatchObject({ identityId: null, problem: expect.stringContaining('invalid_target') });
    expect(await stage.obtain(at, personId)).toMatchObject({ problem: expect.stringContaining('administrator') });
    expect(stage.idp.exchanges()).toHaveLength(before + 1);
    stage.identities.auth.clock.advance(11_000);
    await stage.obtain(at, personId);
    expect(stage.idp.exchanges()).toHaveLength(before + 2);
  });

  it('is not made where the authorization server does not believe the assertion', async () => {
    const at = await stage.server('id_jag', { trust: () => Promise.reject(new Error('made for somebody else')) });
    const { personId } = await stage.signIn('ada');
    const { identityId, problem } = await stage.obtain(at, personId);
    expect(identityId).toBeNull();
    expect(problem).toContain('invalid_grant');
    expect(problem).toContain(again());
    expect(problem).not.toContain('somebody else');
  });

  it('is not made of an access token that a provider gives instead', async () => {
    const at = await idJag();
    const { personId } = await stage.signIn('ada');
    stage.idp.setExchange({ answer: 'access-token' });
    expect(await stage.obtain(at, personId)).toMatchObject({ identityId: null, problem: expect.any(String) });
    stage.idp.setExchange({ answer: 'id-jag' });
    expect(at.zoo.tokenRequests()).toHaveLength(0);
  });
});

describe('a server whose authorization server knows no people', () => {
  it('is ready without PKCE and without an authorize address, and takes no account that somebody connects', async () => {
    const at = await stage.server('id_jag', { pkce: 'absent', metadataMembers: { authorization_endpoint: undefined } });
    const { gateway } = stage.identities.auth;
    expect(await gateway.request(identityContracts.discoverUpstream, { serverId: at.upstream.id, challenge: null, anew: true })).toMatchObject({ verdict: 'sign_in' });
    const { personId } = await stage.signIn('ada');
    expect(await stage.whoami(at, await stage.obtain(at, personId))).toContain('ada');
    const wish = { personId, serverId: at.upstream.id, owner: personId, name: null, identityId: null, cause: 'asked' } as const;
    await expect(gateway.request(identityContracts.startConnect, wish)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('a client that Gatehouse registers itself', () => {
  it.each([
    ['client_credentials', 'client_credentials'],
    ['id_jag', JWT_BEARER],
    ['token_exchange', EXCHANGE],
  ] as const)('for %s says which grant it wants, and no other', async (grant, type) => {
    const at = await stage.server(grant);
    delete at.upstream.oauth.clientId;
    delete at.upstream.oauth.clientAuthMethod;
    const { gateway } = stage.identities.auth;
    expect(await gateway.request(identityContracts.discoverUpstream, { serverId: at.upstream.id, challenge: null, anew: true })).toMatchObject({ verdict: 'sign_in' });
    const [registration] = at.zoo.requests('/register');
    expect(JSON.parse(registration!.body)).toMatchObject({ grant_types: [type], response_types: [], token_endpoint_auth_method: 'client_secret_basic' });
    if (grant === 'client_credentials') expect(at.zoo.tokenRequests(type)).toHaveLength(1);
  });
});

describe('an account by exchanging the sign-in’s id_token', () => {
  it('is the person’s own, and is renewed by another exchange', async () => {
    const at = await stage.server('token_exchange', {}, { subjectToken: 'identity-provider' });
    const { personId } = await stage.signIn('bob');
    const got = await stage.obtain(at, personId);
    expect(await stage.whoami(at, got)).toContain('bob');
    expect(await stage.identities.ask({ id: got.identityId! }, { cause: 'restarted' })).toEqual({ outcome: 'fresh', reason: null });
    expect(at.zoo.tokenRequests(EXCHANGE).map((form) => form.get('subject_token_type'))).toEqual([ID_TOKEN, ID_TOKEN]);
  });
});

describe('a sign-in that is over', () => {
  const isDestroyed = (personId: string): Promise<void> =>
    until('the tokens are destroyed', async () => (await stage.identities.auth.db.query('SELECT 1 FROM kept_sign_ins WHERE person_id = $1', [personId])).length === 0);

  const ends: [string, (of: { browser: Awaited<ReturnType<HandOverStage['signIn']>>['browser']; personId: string }) => Promise<unknown>][] = [
    ['signed out here', async ({ browser }) => browser.submit((await browser.get(`${stage.identities.auth.origin}/session/end`)).forms[0])],
    ['signed out by the provider', () => stage.idp.logoutEverywhere('eve')],
    ['of a provider that is to keep no tokens any more', () => stage.setProvider(false)],
    ['of a provider that was removed', () => stage.removeProvider()],
  ];

  it.each(ends)('makes no account: %s', async (_how, end) => {
    await stage.setProvider();
    const at = await idJag();
    const { personId, browser } = await stage.signIn('eve');
    const got = await stage.obtain(at, personId);
    expect(got.problem).toBeNull();
    const kept = stage.keptTokens().length;
    await end({ browser, personId });
    const other = await idJag();
    expect(await stage.obtain(other, personId)).toMatchObject({ identityId: null, problem: expect.stringContaining(again()) });
    expect(await stage.identities.ask({ id: got.identityId! }, { cause: 'restarted' })).toMatchObject({ outcome: 'dead' });
    await isDestroyed(personId);
    expect(stage.keptTokens().length).toBeLessThan(kept);
    await stage.setProvider();
  });

  it('makes accounts again, dead ones too, as soon as the person signed in anew', async () => {
    const at = await idJag();
    const { personId, browser } = await stage.signIn('eve');
    const { identityId } = await stage.obtain(at, personId);
    await browser.submit((await browser.get(`${stage.identities.auth.origin}/session/end`)).forms[0]);
    await stage.identities.ask({ id: identityId! }, { cause: 'restarted' });
    expect((await stage.obtain(at, personId)).problem).toContain(again());
    await stage.signIn('eve');
    expect(await stage.obtain(at, personId)).toMatchObject({ identityId, problem: null });
    expect(await stage.identities.shownToEdges(identityId!)).toMatchObject({ status: 'active' });
  });

  it('takes everything with it when the person is disabled', async () => {
    const at = await idJag();
    const { personId } = await stage.signIn('bob');
    const { identityId } = await stage.obtain(at, personId);
    await stage.disable(personId);
    expect(await stage.identities.row(identityId!)).toMatchObject({ status: 'revoked', reason: 'owner_gone' });
    expect(await stage.identities.shownToEdges(identityId!)).toBeUndefined();
    expect(await stage.obtain(await idJag(), personId)).toMatchObject({ identityId: null });
    await isDestroyed(personId);
  });
});

describe('tokens of sign-ins', () => {
  it('are in no log line and on the bus only sealed', async () => {
    await stage.signIn('ada');
    const kept = stage.keptTokens();
    expect(kept.length).toBeGreaterThan(0);
    const { logLines, neighbours } = stage.identities.auth;
    const seen = [...logLines, ...neighbours.heard].join('\n');
    for (const { idToken } of kept) expect(seen).not.toContain(idToken.split('.')[2]);
  });

  it('are not kept where the administrator does not allow it', async () => {
    await stage.setProvider(false);
    const { personId } = await stage.signIn('ada');
    expect((await stage.obtain(await idJag(), personId)).problem).toContain(again());
    await until('all are destroyed', () => stage.keptTokens().length === 0);
    await stage.setProvider();
  });
});
