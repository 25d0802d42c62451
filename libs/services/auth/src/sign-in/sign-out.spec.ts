import { LOGOUT_TOKEN_FLAWS, startIdentityProvider, type IdentityProvider, type ScriptedBrowser } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signIn, startStage, type Stage } from './sign-in-stage.conformance.js';

let stage: Stage;
let acme: IdentityProvider;

beforeAll(async () => {
  stage = await startStage();
  acme = await startIdentityProvider({ people: [{ sub: 'ada' }, { sub: 'bob' }], redirectUris: [`${stage.origin}/login/callback`], backChannelLogoutUri: `${stage.origin}/logout/backchannel` });
  acme.setClient({ post_logout_redirect_uris: [`${stage.origin}/session/end`] });
}, 60_000);

afterAll(async () => {
  await stage.close();
  await acme.close();
}, 30_000);

beforeEach(async () => {
  await stage.clear();
  await stage.connect('acme', acme);
  await stage.restart();
});

const sessionOf = (browser: ScriptedBrowser): ReturnType<ReturnType<Stage['area']>['sessions']['current']> =>
  stage.area().sessions.current(browser.cookies.header(new URL(stage.origin)));

async function signedIn(person: string): Promise<{ browser: ScriptedBrowser; idHash: string; personId: string }> {
  const browser = stage.browser();
  expect((await signIn(stage, browser, person)).stopped).toBe(true);
  const { idHash, personId } = (await sessionOf(browser))!;
  return { browser, idHash, personId };
}

async function giveGrant(id: string, { idHash, personId }: { idHash: string; personId: string }): Promise<void> {
  for (const model of ['Grant', 'RefreshToken']) {
    await stage.db.query(
      `INSERT INTO artefacts (model, id_hash, payload, grant_id, account_id, login_session, created_at) VALUES ($1, $2, '{}', $2, $3, $4, 0)`,
      [model, id, personId, model === 'Grant' ? idHash : null],
    );
  }
}

const denied = async (): Promise<string[]> => (await stage.rows<{ id: string }>('denied')).map(({ id }) => id).sort();
const version = async (): Promise<string> => (await stage.rows<{ version: string }>('directory_state'))[0]!.version;

describe('signing out', () => {
  it('asks first, ends the session here and goes on to the provider', async () => {
    const { browser } = await signedIn('ada');
    const ask = await browser.get(`${stage.origin}/session/end`);
    expect(ask.text).toContain('You are signed in as Ada');
    expect(await sessionOf(browser)).toBeDefined();
    const held = browser.cookies.header(new URL(stage.origin));
    const page = await browser.submit(ask.forms[0]);
    const out = new URL(page.hops.map(({ url }) => url).find((url) => url.startsWith(acme.issuer))!);
    expect(Object.fromEntries(out.searchParams)).toEqual({ client_id: acme.clientId, post_logout_redirect_uri: `${stage.origin}/session/end` });
    expect(await stage.area().sessions.current(held)).toBeUndefined();
    expect(browser.cookies.named('gh_login')).toEqual([]);
    expect((await browser.get(`${stage.origin}/session/end`)).text).toContain('You are signed out');
  });

  it('takes no form of another site and no form without its token', async () => {
    const { browser } = await signedIn('ada');
    const attempts = [
      await browser.post(`${stage.origin}/session/end`, {}, { from: `${stage.origin}/session/end` }),
      await browser.post(`${stage.origin}/session/end`, { csrf: 'x' }, { from: 'https://evil.example/' }),
    ];
    expect(attempts.map(({ status }) => status)).toEqual([403, 403]);
    expect(await sessionOf(browser)).toBeDefined();
  });

  it('works while the provider is down', async () => {
    const { browser } = await signedIn('ada');
    await stage.restart();
    acme.misbehave('discovery-500');
    const page = await browser.submit((await browser.get(`${stage.origin}/session/end`)).forms[0]);
    acme.behave();
    expect(page.text).toContain('You are signed out');
    expect(JSON.parse(String(page.headers['x-gatehouse-record']))).toMatchObject({ kind: 'sign_out', callerName: 'Ada', target: 'acme' });
  });
});

describe('back-channel logout (A-14)', () => {
  it('by session ends that session and the grants given in it, and edges are told', async () => {
    const [first, second] = [await signedIn('ada'), await signedIn('ada')];
    await giveGrant('grant-one', first);
    await giveGrant('grant-two', second);
    const before = await version();
    const rows = await stage.rows<{ id_hash: string; sid: string }>('login_sessions');
    const sid = rows.find(({ id_hash }) => id_hash === first.idHash)!.sid;
    expect(await acme.postLogoutToken(await acme.logoutToken({ sid }))).toMatchObject({ status: 200 });
    expect(await sessionOf(first.browser)).toBeUndefined();
    expect(await sessionOf(second.browser)).toBeDefined();
    expect(await denied()).toEqual(['grant-one']);
    expect((await stage.rows<{ id_hash: string }>('artefacts')).every(({ id_hash }) => id_hash === 'grant-two')).toBe(true);
    expect(Number(await version())).toBe(Number(before) + 1);
  });

  it('by subject ends everything of that person and nothing of others', async () => {
    const [ada, bob] = [await signedIn('ada'), await signedIn('bob')];
    await giveGrant('grant-ada', ada);
    await giveGrant('grant-bob', bob);
    await giveGrant('grant-elsewhere', { idHash: 'another session', personId: ada.personId });
    expect(await acme.postLogoutToken(await acme.logoutToken({ sub: 'ada' }))).toMatchObject({ status: 200 });
    expect(await sessionOf(ada.browser)).toBeUndefined();
    expect(await sessionOf(bob.browser)).toBeDefined();
    expect(await denied()).toEqual(['grant-ada', 'grant-elsewhere']);
  });

  it('reaches grants of a session that is over here already', async () => {
    const ada = await signedIn('ada');
    await giveGrant('grant-ada', ada);
    await ada.browser.submit((await ada.browser.get(`${stage.origin}/session/end`)).forms[0]);
    expect(await denied()).toEqual([]);
    await acme.postLogoutToken(await acme.logoutToken({ sub: 'ada' }));
    expect(await denied()).toEqual(['grant-ada']);
  });

  it.each([...LOGOUT_TOKEN_FLAWS])('refuses a token with %s', async (flaw) => {
    const { browser } = await signedIn('ada');
    const answer = await acme.postLogoutToken(await acme.logoutToken({ sub: 'ada' }, flaw));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_request' });
    expect(await sessionOf(browser)).toBeDefined();
  });

  it('takes a token once, and no token of another kind, none, or rubbish', async () => {
    const { browser } = await signedIn('ada');
    const token = await acme.logoutToken({ sub: 'bob' });
    expect((await acme.postLogoutToken(token)).status).toBe(200);
    expect((await acme.postLogoutToken(token)).status).toBe(400);
    expect((await acme.postLogoutToken('rubbish')).status).toBe(400);
    expect((await acme.postLogoutToken(await acme.issueAccessToken({ sub: 'ada', aud: acme.clientId }))).status).toBe(400);
    const page = await browser.post(`${stage.origin}/logout/backchannel`, {});
    expect(page).toMatchObject({ status: 400, headers: { 'cache-control': 'no-store' } });
    expect(await sessionOf(browser)).toBeDefined();
  });
});
