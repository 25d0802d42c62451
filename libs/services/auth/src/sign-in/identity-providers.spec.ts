import { authContracts, type Actor } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { startIdentityProvider, type IdentityProvider } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProviderSettings } from './identity-provider-rows.js';
import { SETTINGS, signIn, startStage, type Stage } from './sign-in-stage.conformance.js';

let stage: Stage;
let acme: IdentityProvider;
let evil: IdentityProvider;

beforeAll(async () => {
  stage = await startStage();
  const redirectUris = [`${stage.origin}/login/callback`];
  acme = await startIdentityProvider({ people: [{ sub: 'ada', groups: ['staff'] }], redirectUris });
  evil = await startIdentityProvider({ people: [{ sub: 'mallory', email: 'root@acme.example' }], redirectUris });
}, 60_000);

afterAll(async () => {
  await stage.close();
  await acme.close();
  await evil.close();
}, 30_000);

beforeEach(async () => {
  await stage.clear();
  await stage.db.query('DELETE FROM roles');
  await stage.restart();
});

const providers = (): ReturnType<Stage['area']>['identityProviders'] => stage.area().identityProviders;
const settings = (changes: Partial<ProviderSettings> = {}): ProviderSettings => ({ ...SETTINGS, issuer: acme.issuer, clientId: acme.clientId, ...changes });
const byAdministrator = async (): Promise<Actor> => ({ callerId: await stage.administrator(), tokenId: null });

/** Somebody who may set up sign-in and nothing else. */
async function bySsoManager(): Promise<Actor> {
  const callerId = newId('person');
  await stage.db.query(`INSERT INTO roles (name, description, capabilities, created_at) VALUES ('sso', '', '{sso.manage}', 0) ON CONFLICT DO NOTHING`);
  await stage.db.query(`INSERT INTO people (id, name, roles, teams, status, created_at) VALUES ($1, 'Sso', '{sso}', '{}', 'active', 0)`, [callerId]);
  return { callerId, tokenId: null };
}

const put = (actor: Actor, changes: Partial<ProviderSettings> = {}, name = 'acme') =>
  providers()
    .put({ actor, name, ...settings(changes), secret: null })
    .then(({ identityProvider }) => identityProvider);

describe('setting a provider', () => {
  it('keeps its secret in the vault alone, replaces it and destroys the old one', async () => {
    const already = stage.secretIds();
    await stage.connect('acme', acme);
    const [first] = stage.secretIds().filter((id) => !already.includes(id));
    expect(JSON.stringify(await stage.rows('identity_providers'))).not.toContain(acme.clientSecret);
    expect((await providers().list()).items).toMatchObject([{ name: 'acme', hasSecret: true, managedBy: 'api', displayName: 'Acme' }]);
    await stage.connect('acme', acme);
    expect(stage.secretIds()).not.toContain(first);
    expect((await signIn(stage, stage.browser(), 'ada')).stopped).toBe(true);
    await providers().delete({ actor: await byAdministrator(), name: 'acme' });
    expect(stage.secretIds()).toEqual(already);
  });

  it('does not send a secret to another issuer or client than it was made for', async () => {
    await stage.connect('acme', acme);
    const actor = await byAdministrator();
    for (const changes of [{ issuer: evil.issuer }, { clientId: 'another' }]) {
      await expect(put(actor, changes)).rejects.toMatchObject({ code: 'bad_request', details: { field: 'secret' } });
    }
    expect(await put(actor, { displayName: 'Acme Inc.' })).toMatchObject({ displayName: 'Acme Inc.', hasSecret: true });
  });

  it('refuses an address that may not be reached, that is no issuer, or that another provider has, and reserved names', async () => {
    const actor = await byAdministrator();
    await put(actor);
    await expect(put(actor, { issuer: 'https://169.254.169.254/' }, 'b')).rejects.toMatchObject({ code: 'url_refused' });
    await expect(put(actor, { allowPrivateNetwork: false }, 'b')).rejects.toMatchObject({ code: 'url_refused' });
    await expect(put(actor, { issuer: `${evil.issuer}/.well-known/openid-configuration` }, 'b')).rejects.toMatchObject({ code: 'bad_request' });
    await expect(put(actor, {}, 'b')).rejects.toMatchObject({ code: 'conflict' });
    await expect(put(actor, { issuer: evil.issuer }, 'scim')).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('is bounded: who lacks a capability can open no way to it', async () => {
    const weak = await bySsoManager();
    const closed = { linkByEmail: false, administratorRule: null };
    await expect(put(weak, { linkByEmail: true })).rejects.toMatchObject({ code: 'capability_missing' });
    await expect(put(weak, { ...closed, administratorRule: { claim: 'sub', value: 'mallory' } })).rejects.toMatchObject({ code: 'capability_missing' });
    expect(await put(weak, closed)).toMatchObject({ name: 'acme' });
    await stage.db.query(`INSERT INTO teams (name, roles, created_at) VALUES ('admins', '{administrator}', 0)`);
    await stage.db.query(`INSERT INTO team_groups (team, provider, group_name) VALUES ('admins', 'acme', 'admins')`);
    await expect(put(weak, { ...closed, issuer: evil.issuer })).rejects.toMatchObject({ code: 'capability_missing' });
    await expect(put(weak, { ...closed, claims: { name: 'name', email: 'email', groups: 'roles' } })).rejects.toMatchObject({ code: 'capability_missing' });
    expect(await put(weak, { ...closed, displayName: 'Renamed', enabled: false })).toMatchObject({ displayName: 'Renamed', enabled: false });
    await expect(put(weak, { ...closed, enabled: true })).rejects.toMatchObject({ code: 'capability_missing' });
    expect(await put(await byAdministrator(), { ...closed, issuer: evil.issuer })).toMatchObject({ issuer: evil.issuer });
    expect(authContracts.CAPABILITIES).toContain('sso.manage');
  });

  it('leaves no secret behind when it is refused', async () => {
    const before = stage.secretIds();
    await stage.db.query('TRUNCATE people CASCADE');
    await expect(stage.connect('scim', acme)).rejects.toMatchObject({ code: 'bad_request' });
    await stage.connect('acme', acme);
    const held = stage.secretIds();
    await expect(stage.connect('twin', acme)).rejects.toMatchObject({ code: 'conflict' });
    expect(stage.secretIds()).toEqual(held);
    expect(held).toHaveLength(before.length + 1);
  });
});

describe('removing a provider, or moving it to another issuer', () => {
  it.each(['deleted', 'moved'])('%s: who signed in there is signed out, with grants and groups', async (how) => {
    await stage.connect('acme', acme);
    const browser = stage.browser();
    await signIn(stage, browser, 'ada');
    const cookie = browser.cookies.header(new URL(stage.origin));
    const session = (await stage.area().sessions.current(cookie))!;
    await stage.db.query(`INSERT INTO artefacts (model, id_hash, payload, grant_id, account_id, login_session, created_at) VALUES ('Grant', 'g', '{}', 'g', $1, $2, 0)`, [session.personId, session.idHash]);
    if (how === 'deleted') await providers().delete({ actor: await byAdministrator(), name: 'acme' });
    else await stage.connect('acme', evil);
    expect(await stage.area().sessions.current(cookie)).toBeUndefined();
    expect(await stage.rows('denied')).toMatchObject([{ id: 'g' }]);
    expect(await stage.rows('person_groups')).toEqual([]);
  });

  it('is refused for one that is not there', async () => {
    await expect(providers().delete({ actor: await byAdministrator(), name: 'nowhere' })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('trying a provider', () => {
  it('says step by step what was found', async () => {
    const { ok, steps } = await providers().test({ issuer: acme.issuer, allowPrivateNetwork: true });
    expect(ok).toBe(true);
    expect(steps.map(({ step }) => step)).toEqual(['discovery', 'endpoints', 'signatures', 'pkce', 'issuer-parameter', 'sign-out', 'keys']);
  });

  it.each(['discovery-500', 'discovery-html', 'discovery-issuer-mismatch', 'jwks-500'] as const)('tells what is wrong: %s', async (flaw) => {
    acme.misbehave(flaw);
    const { ok, steps } = await providers().test({ issuer: acme.issuer, allowPrivateNetwork: true });
    acme.behave();
    expect(ok).toBe(false);
    expect(steps.at(-1)).toMatchObject({ ok: false });
    await expect(providers().test({ issuer: acme.issuer, allowPrivateNetwork: false })).rejects.toMatchObject({ code: 'url_refused' });
  });
});
