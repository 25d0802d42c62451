import { startIdentityProvider, type IdentityProvider, type IdentityProviderFlaw, type Page } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signIn, startStage, type Stage } from './sign-in-stage.conformance.js';
import { SIGN_IN_STEPS, type SignInSteps } from './sign-in-steps.js';

let stage: Stage;
let acme: IdentityProvider;

beforeAll(async () => {
  stage = await startStage();
  acme = await startIdentityProvider({ people: [{ sub: 'ada' }, { sub: 'mallory' }], redirectUris: [`${stage.origin}/login/callback`] });
}, 60_000);

afterAll(async () => {
  await stage.close();
  await acme.close();
}, 30_000);

beforeEach(async () => {
  acme.behave();
  await stage.clear();
  await stage.restart();
  await stage.connect('acme', acme);
});

const login = (query = '?return_to=/console'): string => `${stage.origin}/login${query}`;

async function nobodySignedIn(page: Page): Promise<void> {
  expect(page.stopped).toBe(false);
  expect(page.headers['set-cookie']?.join() ?? '').not.toContain('gh_login=');
  expect(JSON.parse(String(page.headers['x-gatehouse-record']))).toMatchObject({ kind: 'sign_in_refused', code: expect.any(String) });
  expect(await stage.rows('login_sessions')).toEqual([]);
  expect(await stage.rows('people')).toEqual([]);
}

describe('an answer that is wrong signs nobody in', () => {
  const FLAWS: readonly (readonly [IdentityProviderFlaw, number])[] = [
    ['id-token-wrong-iss', 502],
    ['id-token-wrong-aud', 502],
    ['id-token-many-aud', 502],
    ['id-token-wrong-nonce', 502],
    ['id-token-no-nonce', 502],
    ['id-token-expired', 502],
    ['id-token-alg-none', 502],
    ['id-token-unsigned', 502],
    ['id-token-hs256-secret', 502],
    ['id-token-hs256-public-key', 502],
    ['id-token-other-key-same-kid', 502],
    ['id-token-unknown-kid', 502],
    ['id-token-missing', 502],
    ['iss-parameter-wrong', 502],
    ['iss-parameter-missing', 502],
    ['state-wrong', 400],
    ['access-denied', 403],
    ['token-500', 502],
    ['token-html', 502],
    ['token-hangs', 504],
    ['token-closes', 502],
    ['jwks-500', 502],
    ['jwks-unreachable', 502],
  ];

  it.each(FLAWS)('%s', async (flaw, status) => {
    if (flaw === 'token-hangs') await stage.restart({ waits: { answerMs: 2_000 } });
    acme.misbehave(flaw);
    const page = await signIn(stage, stage.browser(), 'ada');
    expect(page.status).toBe(status);
    await nobodySignedIn(page);
    expect(page.html).not.toMatch(/the person said no|evil\.example|maintenance|server_error/);
    acme.behave();
    expect((await signIn(stage, stage.browser(), 'ada')).stopped).toBe(true);
  });

  it.each(['discovery-500', 'discovery-html', 'discovery-issuer-mismatch'] as const)('%s: nobody is sent anywhere', async (flaw) => {
    acme.misbehave(flaw);
    const page = await stage.browser().get(login());
    expect(page.status).toBe(502);
    await nobodySignedIn(page);
  });

  it('endpoints on an internal network are not asked (A-11)', async () => {
    acme.misbehave('discovery-internal-endpoints');
    const page = await signIn(stage, stage.browser(), 'ada');
    expect(page.status).toBe(502);
    await nobodySignedIn(page);
  });

  it.each(['userinfo-500', 'userinfo-other-sub'] as const)('%s, where the id_token does not say everything', async (flaw) => {
    const redirectUris = [`${stage.origin}/login/callback`];
    const sparse = await startIdentityProvider({ people: [{ sub: 'ada', groups: ['x'] }], redirectUris, claimsOnlyInUserinfo: true });
    await stage.clear();
    await stage.connect('sparse', sparse);
    sparse.misbehave(flaw);
    await nobodySignedIn(await signIn(stage, stage.browser(), 'ada'));
    expect((await signIn(stage, stage.browser(), 'ada')).stopped).toBe(true);
    expect(await stage.rows('person_groups')).toMatchObject([{ provider: 'sparse', group_name: 'x' }]);
    await sparse.close();
  });

  it('what was known of the provider serves on while its metadata is broken', async () => {
    let elapsed = 0;
    await stage.restart({ clock: { now: () => Date.now(), monotonicMs: () => elapsed } });
    expect((await signIn(stage, stage.browser(), 'ada')).stopped).toBe(true);
    acme.misbehave('discovery-500');
    elapsed = 3_600_001;
    expect((await signIn(stage, stage.browser(), 'ada')).stopped).toBe(true);
    expect(stage.logs.join('')).toContain('the old one is used');
  });
});

describe('a sign-in belongs to the browser that began it', () => {
  /** The callback URL of a sign-in of this person that no browser has opened. */
  async function answerFor(person: string): Promise<{ url: string; browser: ReturnType<Stage['browser']> }> {
    const browser = stage.browser();
    const page = await browser.get(login());
    const stopping = browser as unknown as { options: { stopAt: string[] } };
    stopping.options.stopAt.push(`${stage.origin}/login/callback`);
    const { url } = await browser.submit(page.forms[0], { login: person });
    stopping.options.stopAt.pop();
    return { url, browser };
  }

  it('the answer opened in another browser signs nobody in, and its own browser still can (A-12)', async () => {
    const { url, browser } = await answerFor('mallory');
    const victim = stage.browser();
    await victim.get(login());
    const page = await victim.get(url);
    expect(page.status).toBe(400);
    await nobodySignedIn(page);
    expect((await browser.get(url)).stopped).toBe(true);
  });

  it('the answer counts once', async () => {
    const { url, browser } = await answerFor('ada');
    expect((await browser.get(url)).stopped).toBe(true);
    const again = await browser.get(url);
    expect(again.status).toBe(400);
    expect(await stage.rows('login_sessions')).toHaveLength(1);
  });

  it('an answer after ten minutes, without a state, with two, or with a made-up one is over', async () => {
    const { url, browser } = await answerFor('ada');
    await stage.db.query('UPDATE login_transactions SET expires_at = expires_at - 600001');
    for (const late of [url, `${stage.origin}/login/callback`, `${url}&state=x`, `${stage.origin}/login/callback?state=x&code=y`]) {
      const page = await browser.get(late);
      expect(page.status).toBe(400);
      await nobodySignedIn(page);
    }
  });

  it('the answer of one provider to a sign-in at another is refused (mix-up)', async () => {
    const evil = await startIdentityProvider({ people: [{ sub: 'ada' }], redirectUris: [`${stage.origin}/login/callback`] });
    await stage.connect('evil', evil);
    const browser = stage.browser();
    const page = await browser.get(login());
    const atEvil = await browser.submit(page.forms.find(({ buttons }) => buttons[0]?.value === 'evil'), {}, 'evil');
    const state = new URL(atEvil.hops.find(({ url }) => url.includes('state='))!.url).searchParams.get('state')!;
    for (const iss of [`&iss=${encodeURIComponent(acme.issuer)}`, '']) {
      const tokens = evil.requests().filter(({ path }) => path === '/token').length;
      const mixed = await browser.get(`${stage.origin}/login/callback?state=${state}&code=code-of-acme${iss}`);
      await nobodySignedIn(mixed);
      expect(evil.requests().filter(({ path }) => path === '/token')).toHaveLength(tokens);
    }
    await evil.close();
  });

  it('a provider that was switched off or moved in between lets nobody in', async () => {
    for (const change of [`settings || '{"enabled": false}'`, `settings || '{"issuer": "http://127.0.0.1:9"}'`]) {
      const { url, browser } = await answerFor('ada');
      await stage.db.query(`UPDATE identity_providers SET settings = ${change}`);
      const page = await browser.get(url);
      expect(page.status).toBe(404);
      await nobodySignedIn(page);
      await stage.db.query('DELETE FROM identity_providers');
      await stage.connect('acme', acme);
    }
  });

  it('an id that was planted before the sign-in is not the session (session fixation)', async () => {
    const browser = stage.browser();
    const planted = { name: 'gh_login', value: 'A'.repeat(43), domain: '127.0.0.1', hostOnly: true, path: '/', secure: false, httpOnly: true, sameSite: 'Lax', expiresAt: undefined };
    browser.cookies.plant(planted);
    expect((await signIn(stage, browser, 'ada')).stopped).toBe(true);
    expect(await stage.area().sessions.current(`gh_login=${planted.value}`)).toBeUndefined();
    const [own] = browser.cookies.named('gh_login');
    expect(own?.value).not.toBe(planted.value);
    expect(await stage.area().sessions.current(`gh_login=${own?.value}; gh_login=${planted.value}`)).toBeUndefined();
  });

  it('a fresh sign-in that was left out on the way through the browser is noticed', async () => {
    const browser = stage.browser();
    expect((await signIn(stage, browser, 'ada')).stopped).toBe(true);
    const asked = await browser.get(login('?return_to=/console&fresh=1'));
    const toProvider = new URL(asked.hops.map(({ url }) => url).find((url) => url.includes('prompt=login'))!);
    for (const name of ['prompt', 'max_age']) toProvider.searchParams.delete(name);
    const page = await browser.get(toProvider.href);
    expect(page.status).toBe(403);
    expect(page.text).toContain('sign in anew');
    expect(await stage.rows('login_sessions')).toHaveLength(1);
  });

  it('twenty tabs leave few cookies behind', async () => {
    const browser = stage.browser();
    for (let tab = 0; tab < 20; tab++) await browser.get(login());
    expect(browser.cookies.all().filter(({ name }) => name.startsWith('gh_tx_')).length).toBeLessThanOrEqual(8);
  });
});

describe('the pages', () => {
  it.each(['//evil.example', 'https://evil.example', '/\\evil.example', '/interaction/x/../../evil', '/console?next=//evil.example', '/console/%2e%2e', 'javascript:alert(1)', '/authorize', ''])(
    'return to no other place: %s',
    async (path) => {
      const page = await stage.browser().get(login(`?return_to=${encodeURIComponent(path)}`));
      expect(page.status).toBe(400);
      await nobodySignedIn(page);
    },
  );

  it('let no other site frame them, and nothing keeps them', async () => {
    const page = await stage.browser().get(login('?return_to=/nowhere'));
    expect(page.headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store', 'referrer-policy': 'same-origin' });
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('take no form of another site, without its token, or with the token of another browser', async () => {
    const fields = { provider: 'acme', return_to: '/console' };
    const redirect = await startIdentityProvider();
    await stage.connect('second', redirect);
    const [browser, victim] = [stage.browser(), stage.browser()];
    const token = (await browser.get(login())).forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const own = (await victim.get(login())).forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const attempts = [
      await victim.post(login(''), fields, { from: login() }),
      await victim.post(login(''), { ...fields, csrf: token }, { from: login() }),
      await victim.post(login(''), { ...fields, csrf: own }, { from: 'https://evil.example/' }),
    ];
    for (const page of attempts) {
      expect(page.status).toBe(403);
      await nobodySignedIn(page);
    }
    await redirect.close();
  });

  it('brake thirty sign-ins a minute from one address', async () => {
    const statuses = new Set<number>();
    for (let begun = 0; begun < 35; begun++) statuses.add((await stage.browser().get(login())).status);
    expect([...statuses].sort()).toEqual([200, 429]);
  });
});

describe('fault injection: whichever step of a sign-in fails, nobody is signed in', () => {
  const wrap = (fault: () => Promise<never>, step: keyof SignInSteps) => (steps: SignInSteps): SignInSteps => ({ ...steps, [step]: fault });
  const hang = (): Promise<never> => new Promise(() => undefined);

  it.each([...SIGN_IN_STEPS])('%s throws', async (step) => {
    await stage.restart({ wrapSteps: wrap(() => Promise.reject(new TypeError('a bug with secret text')), step) });
    const page = await signIn(stage, stage.browser(), 'ada');
    expect(page.status).toBe(503);
    expect(page.html).not.toContain('secret text');
    await nobodySignedIn(page);
  });

  it.each([...SIGN_IN_STEPS])('%s hangs', async (step) => {
    await stage.restart({ wrapSteps: wrap(hang, step), waits: { stepMs: 200 } });
    const page = await signIn(stage, stage.browser(), 'ada');
    expect(page.status).toBe(504);
    await nobodySignedIn(page);
  });

  it('and nothing secret is in the log', async () => {
    await signIn(stage, stage.browser(), 'ada');
    acme.misbehave('id-token-expired');
    await signIn(stage, stage.browser(), 'ada');
    const text = stage.logs.join('');
    expect(text).not.toContain(acme.clientSecret);
    expect(text).not.toMatch(/eyJ[\w-]+\.eyJ|[?&]code=|access_token"?:/);
  });
});
