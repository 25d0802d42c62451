import { accessContracts, authContracts, directoryContracts, signInContracts, type Actor } from '@gatehouse/contracts';
import { startIdentityProvider, type IdentityProvider } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage } from '../auth-stage.conformance.js';

let stage: AuthStage;
let actor: Actor;
let company: IdentityProvider;

beforeAll(async () => {
  stage = await AuthStage.start();
  actor = await stage.administrator();
  company = await startIdentityProvider({});
}, 60_000);
afterAll(async () => {
  await stage.close();
  await company.close();
}, 30_000);

const CLAIMS = { name: 'name', email: 'email', groups: 'groups' };
const wish = (more: object = {}) => ({
  ...{ actor, name: 'company', issuer: company.issuer, jwksUri: null, audience: null, claims: CLAIMS, provisioning: 'first-use' as const, allowPrivateNetwork: true },
  ...more,
});
const put = (more: object = {}) => stage.gateway.request(signInContracts.putTokenIssuer, wish(more));
const link = (subject: string, more: object = {}) =>
  stage.gateway.request(directoryContracts.linkCaller, { issuer: 'company', subject, clientId: null, name: 'Agent Ada', email: 'ada@example.com', groups: ['engineering'], ...more });
const issuer = async () => (await stage.directory()).issuers.find(({ name }) => name === 'company');
const keyFetches = () => company.requests().filter(({ path }) => path.includes('jwks')).length;

describe('a trusted token issuer', () => {
  it('is in the directory with its keys, and gone at once when it is trusted no more', async () => {
    expect(await put()).toMatchObject({ tokenIssuer: { name: 'company', issuer: company.issuer, keys: 2 } });
    expect(await issuer()).toMatchObject({ issuer: company.issuer, audience: null, provisioning: 'first-use', logins: [], keys: expect.arrayContaining([{ id: expect.any(String), jwk: expect.objectContaining({ kty: 'EC' }) }]) });
    expect(await stage.gateway.request(signInContracts.deleteTokenIssuer, { actor, name: 'company' })).toMatchObject({ directory: { version: expect.any(Number) } });
    expect(await issuer()).toBeUndefined();
    await expect(stage.gateway.request(signInContracts.deleteTokenIssuer, { actor, name: 'company' })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('has no private part of a key in the directory', async () => {
    await put();
    for (const { jwk } of (await issuer())!.keys) expect(Object.keys(jwk).sort().join()).toMatch(/^(crv,kty,x(,y)?|e,kty,n)$/);
  });

  it('makes a person of an unknown subject, once, without believing its address', async () => {
    await put();
    await Promise.all([link('agent-1'), link('agent-1'), link('agent-1')]);
    const { logins } = (await issuer())!;
    expect(logins.filter(({ subject }) => subject === 'agent-1')).toHaveLength(1);
    const person = (await stage.directory()).callers.find(({ id }) => id === logins[0]!.callerId);
    expect(person).toMatchObject({ kind: 'person', name: 'Agent Ada', email: null, roles: ['member'] });
  });

  it('lets in only who is known when only invited people may enter, and nobody who is disabled', async () => {
    await put({ provisioning: 'invited' });
    await expect(link('stranger')).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(link('agent-1')).resolves.toMatchObject({ version: expect.any(Number) });
    const { callerId } = (await issuer())!.logins.find(({ subject }) => subject === 'agent-1')!;
    await stage.db.query(`UPDATE people SET status = 'disabled' WHERE id = $1`, [callerId]);
    await expect(link('agent-1')).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is asked for its keys at most once in 30 seconds, however many unknown keys are shown (A-15)', async () => {
    await put();
    company.rotateKeys({ keepOld: true });
    stage.clock.advance(31_000);
    const before = keyFetches();
    await Promise.all(Array.from({ length: 100 }, () => stage.gateway.request(directoryContracts.refreshIssuerKeys, { issuer: 'company' })));
    expect(keyFetches() - before).toBe(1);
    expect((await issuer())!.keys).toHaveLength(4);
  });

  it('keeps its keys while it is down', async () => {
    await put();
    const { keys } = (await issuer())!;
    company.misbehave('jwks-500' as never);
    stage.clock.advance(31_000);
    await stage.gateway.request(directoryContracts.refreshIssuerKeys, { issuer: 'company' });
    company.behave();
    expect((await issuer())!.keys).toEqual(keys);
  });

  it('is refused when it is not reachable, is somebody else, or has no key to verify with', async () => {
    await expect(put({ name: 'inside', allowPrivateNetwork: false })).rejects.toMatchObject({ code: 'url_refused' });
    await expect(put({ name: 'other' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(put({ name: 'nothing', issuer: `${company.issuer}/nowhere` })).rejects.toMatchObject({ code: 'upstream_invalid' });
    await expect(put({ name: 'keys', issuer: 'https://other.example', jwksUri: `${company.issuer}/.well-known/openid-configuration` })).rejects.toMatchObject({ code: 'upstream_invalid' });
  });

  it('is bounded: who may set up sign-in and nothing else becomes nobody else by it', async () => {
    const ask = stage.gateway;
    await put();
    await ask.request(accessContracts.putRole, { actor, name: 'sso', description: '', capabilities: ['sso.manage'] });
    const { id } = await ask.request(authContracts.createPerson, { actor, name: 'Sso', email: null, roles: ['sso'], teams: [] });
    const weak = (more: object = {}) => put({ actor: { callerId: id, tokenId: null }, ...more });
    expect(await weak()).toMatchObject({ tokenIssuer: { name: 'company' } });
    for (const chosen of [{ jwksUri: `${company.issuer}/jwks` }, { audience: 'an-app-of-mine' }]) {
      await expect(weak(chosen)).rejects.toMatchObject({ code: 'capability_missing' });
    }
    await ask.request(accessContracts.putTeam, { actor, name: 'admins', roles: ['administrator'], groups: [{ provider: 'company', group: 'admins' }] });
    await expect(weak({ claims: { ...CLAIMS, groups: 'roles' } })).rejects.toMatchObject({ code: 'capability_missing' });
    expect(await put({ audience: 'an-app-of-mine' })).toMatchObject({ tokenIssuer: { audience: 'an-app-of-mine' } });
    await expect(weak()).rejects.toMatchObject({ code: 'capability_missing' });
    await ask.request(accessContracts.deleteTeam, { actor, name: 'admins' });
    expect(await weak()).toMatchObject({ tokenIssuer: { audience: null } });
  });
});
