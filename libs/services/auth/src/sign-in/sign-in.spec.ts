import { startIdentityProvider, type IdentityProvider, type ScriptedBrowser } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { expectSoundPage } from '../pages/sound-page.conformance.js';
import { environmentOf, signIn, startStage, type Stage } from './sign-in-stage.conformance.js';

interface PersonRow {
  id: string;
  name: string;
  email: string | null;
  roles: string[];
  source: string;
  last_sign_in_at: string | null;
}

let stage: Stage;
let acme: IdentityProvider;
let other: IdentityProvider;

beforeAll(async () => {
  stage = await startStage();
  const redirectUris = [`${stage.origin}/login/callback`];
  acme = await startIdentityProvider({ people: [{ sub: 'ada', name: 'Ada Łovelace', groups: ['compilers', 'staff'] }, { sub: 'bob' }], redirectUris });
  other = await startIdentityProvider({ people: [{ sub: 'ada', name: 'Another Ada', email: 'ada@other.example' }], redirectUris, claimsOnlyInUserinfo: true });
}, 60_000);

afterAll(async () => {
  await stage.close();
  await acme.close();
  await other.close();
}, 30_000);

beforeEach(async () => {
  await stage.clear();
  acme.behave();
  other.behave();
});

const people = (): Promise<PersonRow[]> => stage.rows<PersonRow>('people');
const sessionOf = (browser: ScriptedBrowser): ReturnType<ReturnType<Stage['area']>['sessions']['current']> =>
  stage.area().sessions.current(browser.cookies.header(new URL(stage.origin)));

describe('without a provider', () => {
  it('the page says how to get one, and that there is a one-time link', async () => {
    const page = await stage.browser().get(`${stage.origin}/login`);
    expect(page.status).toBe(200);
    expect(page.text).toMatch(/one-time link.*administrator/);
  });
});

describe('with the provider of the environment', () => {
  it('people are sent straight there and come back signed in, as a person with groups', async () => {
    await stage.restart(environmentOf(acme));
    const browser = stage.browser();
    const page = await signIn(stage, browser, 'ada');
    expect(page.url).toBe(`${stage.origin}/console`);
    const [ada] = await people();
    expect(ada).toMatchObject({ name: 'Ada Łovelace', email: 'ada@acme.example', roles: ['member'], source: 'sign-in' });
    expect(ada?.last_sign_in_at).not.toBeNull();
    expect(await sessionOf(browser)).toMatchObject({ personId: ada?.id, name: 'Ada Łovelace', provider: 'default', email: 'ada@acme.example' });
    expect(JSON.parse(String(page.headers['x-gatehouse-record']))).toMatchObject({ kind: 'sign_in', callerId: ada?.id, callerName: 'Ada Łovelace', target: 'default', code: null });
    await stage.restart();
  });

  it('is listed as set by the environment and cannot be changed', async () => {
    await stage.restart(environmentOf(acme));
    const { items } = await stage.area().identityProviders.list();
    expect(items).toMatchObject([{ name: 'default', managedBy: 'environment', hasSecret: true }]);
    const actor = { callerId: await stage.administrator(), tokenId: null };
    await expect(stage.area().identityProviders.delete({ actor, name: 'default' })).rejects.toMatchObject({ code: 'conflict' });
    await stage.restart();
  });
});

describe('with two providers', () => {
  beforeEach(async () => {
    await stage.connect('acme', acme);
    await stage.connect('other', other, { displayName: 'Other <b>Ltd</b>' });
  });

  it('people choose, and the same subject at each is another person (A-13)', async () => {
    const browsers = [stage.browser(), stage.browser()] as const;
    const page = await browsers[0].get(`${stage.origin}/login?return_to=/console`);
    expectSoundPage(page);
    expect(page.forms.flatMap(({ buttons }) => buttons.map(({ text }) => text))).toEqual(['Sign in with Acme', 'Sign in with Other <b>Ltd</b>']);
    expect((await signIn(stage, browsers[0], 'ada', 'acme')).stopped).toBe(true);
    expect((await signIn(stage, browsers[1], 'ada', 'other')).stopped).toBe(true);
    expect((await people()).map(({ name }) => name).sort()).toEqual(['Ada Łovelace', 'Another Ada']);
    expect(await sessionOf(browsers[1])).toMatchObject({ name: 'Another Ada', provider: 'other' });
  });

  it('groups are those of the provider, follow it at each sign-in, and are nobody else’s', async () => {
    await signIn(stage, stage.browser(), 'ada', 'acme');
    const groups = async (): Promise<string[]> => (await stage.rows<{ provider: string; group_name: string }>('person_groups')).map((row) => `${row.provider}:${row.group_name}`).sort();
    expect(await groups()).toEqual(['acme:compilers', 'acme:staff']);
    acme.setPerson({ sub: 'ada', groups: ['staff', 'board'], name: 'Ada King' });
    await signIn(stage, stage.browser(), 'ada', 'acme');
    expect(await groups()).toEqual(['acme:board', 'acme:staff']);
    expect((await people()).map(({ name }) => name)).toEqual(['Ada King']);
    acme.setPerson({ sub: 'ada', groups: ['compilers', 'staff'], name: 'Ada Łovelace' });
  });

  it('two tabs sign in without disturbing each other (A17)', async () => {
    const browser = stage.browser();
    const first = await browser.get(`${stage.origin}/login?return_to=/interaction/one`);
    const toAcme = await browser.submit(first.forms[0], {}, 'acme');
    await browser.get(`${stage.origin}/login?return_to=/interaction/two`);
    const toOther = await browser.submit(browser.page.forms[1], {}, 'other');
    expect((await browser.submit(toAcme.forms[0], { login: 'ada' })).url).toBe(`${stage.origin}/interaction/one`);
    expect((await browser.submit(toOther.forms[0], { login: 'ada' })).url).toBe(`${stage.origin}/interaction/two`);
  });
});

describe('who may enter', () => {
  const invite = (email: string): Promise<object[]> =>
    stage.db.query(`INSERT INTO people (id, name, email, roles, teams, status, created_at) VALUES ('per_invited', 'Invited', $1, '{operator}', '{}', 'active', 0)`, [email]);

  it('invited only: nobody unknown, and by a verified address whoever was added', async () => {
    await stage.connect('acme', acme, { provisioning: 'invited' });
    const refused = await signIn(stage, stage.browser(), 'bob');
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.text).toContain('not invited');
    expect(await people()).toEqual([]);
    await invite('ADA@acme.example');
    const browser = stage.browser();
    expect((await signIn(stage, browser, 'ada')).stopped).toBe(true);
    expect(await people()).toMatchObject([{ id: 'per_invited', name: 'Ada Łovelace', roles: ['operator'] }]);
    expect(await sessionOf(browser)).toMatchObject({ personId: 'per_invited' });
  });

  it('an unverified address joins nobody and is nobody’s (A-13)', async () => {
    await stage.connect('acme', acme);
    await invite('bob@acme.example');
    acme.setPerson({ sub: 'bob', email_verified: false });
    await signIn(stage, stage.browser(), 'bob');
    acme.setPerson({ sub: 'bob', email_verified: true });
    expect((await people()).map(({ name, email }) => [name, email]).sort()).toEqual([['Bob', null], ['Invited', 'bob@acme.example']]);
  });

  it('a verified address joins neither a service account, nor the built-in administrator, nor somebody with a login there', async () => {
    await stage.connect('acme', acme);
    await invite('bob@acme.example');
    const separate = async (): Promise<void> => {
      await signIn(stage, stage.browser(), 'bob');
      expect(await people()).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'Bob', email: null }), expect.objectContaining({ id: 'per_invited' })]));
      await stage.db.query(`DELETE FROM people WHERE id <> 'per_invited'`);
    };
    await stage.db.query(`UPDATE people SET kind = 'service_account'`);
    await separate();
    await stage.db.query(`UPDATE people SET kind = 'person', built_in = true`);
    await separate();
    await stage.db.query(`UPDATE people SET built_in = false`);
    await stage.db.query(`INSERT INTO logins (issuer, subject, person_id, last_at) VALUES ($1, 'somebody-else', 'per_invited', 0)`, [acme.issuer]);
    await separate();
  });

  it('a disabled person sees that, and nothing is made', async () => {
    await stage.connect('acme', acme);
    await signIn(stage, stage.browser(), 'ada');
    await stage.db.query(`UPDATE people SET status = 'disabled'`);
    const before = await stage.rows('login_sessions');
    const browser = stage.browser();
    const page = await signIn(stage, browser, 'ada');
    expect(page).toMatchObject({ status: 403 });
    expect(page.text).toContain('disabled');
    expect(await stage.rows('login_sessions')).toEqual(before);
    expect(await sessionOf(browser)).toBeUndefined();
    expect(JSON.parse(String(page.headers['x-gatehouse-record']))).toMatchObject({ kind: 'sign_in_refused', code: 'unauthenticated' });
  });

  it('the rule makes the first administrator and no second one', async () => {
    await stage.connect('acme', acme, { administratorRule: { claim: 'groups', value: 'staff' } });
    acme.setPerson({ sub: 'bob', groups: ['staff'] });
    await stage.administrator();
    await signIn(stage, stage.browser(), 'ada');
    await signIn(stage, stage.browser(), 'bob');
    acme.setPerson({ sub: 'bob', groups: [] });
    const roles = Object.fromEntries((await people()).map(({ name, roles: held }) => [name, held]));
    expect(roles).toEqual({ Root: ['administrator'], 'Ada Łovelace': ['member', 'administrator'], Bob: ['member'] });
  });
});

describe('the directory', () => {
  const version = async (): Promise<number> => Number((await stage.rows<{ version: string }>('directory_state'))[0]!.version);

  it('moves on when a sign-in shows something new, and only then', async () => {
    await stage.connect('acme', acme);
    const before = await version();
    await signIn(stage, stage.browser(), 'ada');
    expect(await version()).toBe(before + 1);
    await signIn(stage, stage.browser(), 'ada');
    expect(await version()).toBe(before + 1);
    acme.setPerson({ sub: 'ada', groups: ['staff'] });
    await signIn(stage, stage.browser(), 'ada');
    acme.setPerson({ sub: 'ada', groups: ['compilers', 'staff'] });
    expect(await version()).toBe(before + 2);
  });

  it('shows what SCIM says of a person, not what a token does', async () => {
    await stage.connect('acme', acme);
    await stage.db.query(`INSERT INTO people (id, name, email, roles, teams, status, source, created_at) VALUES ('per_scim', 'By Scim', 'ada@acme.example', '{member}', '{}', 'active', 'scim', 0)`);
    await signIn(stage, stage.browser(), 'ada');
    expect(await people()).toMatchObject([{ id: 'per_scim', name: 'By Scim' }]);
  });
});

describe('a sign-in under way', () => {
  it('survives a restart between any two steps: all of it is in the database', async () => {
    await stage.connect('acme', acme);
    const browser = stage.browser();
    const page = await browser.get(`${stage.origin}/login?return_to=/console`);
    await stage.restart();
    expect((await browser.submit(page.forms[0], { login: 'ada' })).url).toBe(`${stage.origin}/console`);
    await stage.restart();
    expect(await sessionOf(browser)).toMatchObject({ name: 'Ada Łovelace' });
  });

  it('whoever is signed in goes on at once, except where a fresh sign-in is asked for', async () => {
    await stage.connect('acme', acme);
    const browser = stage.browser();
    await signIn(stage, browser, 'ada');
    const [old] = browser.cookies.named('gh_login');
    const before = acme.requests().length;
    expect((await browser.get(`${stage.origin}/login?return_to=/console`)).stopped).toBe(true);
    expect(acme.requests()).toHaveLength(before);
    const fresh = await browser.get(`${stage.origin}/login?return_to=/console&fresh=1`);
    expect(fresh.text).toContain('Acme sign-in');
    expect((await browser.submit(fresh.forms[0], { login: 'ada' })).stopped).toBe(true);
    expect(browser.cookies.named('gh_login')[0]?.value).not.toBe(old?.value);
    expect(await stage.area().sessions.current(`gh_login=${old?.value}`)).toBeUndefined();
  });
});
