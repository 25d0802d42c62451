import { clientContracts } from '@gatehouse/contracts';
import { callbackParameters, ScriptedBrowser, type Page, type PublicClient } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthStage, REDIRECT } from '../../auth-stage.conformance.js';
import { accessTokenOf, Connecting } from '../connecting.conformance.js';

const WEB = 'https://app.example/cb';
let stage: AuthStage;
let desk: Connecting;
let ada: string;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
}, 60_000);
afterAll(() => stage.close(), 30_000);

const isConsent = (page: Page): boolean => page.text.includes('Connect a client');
const isOver = (page: Page): void => expect([page.status, page.text.includes('This page is over')]).toEqual([400, true]);

async function asked(client?: PublicClient) {
  const asking = client ?? (await desk.registered());
  const browser = await desk.browser(ada, asking);
  const page = await desk.ask(asking, browser);
  expect(isConsent(page)).toBe(true);
  return { client: asking, browser, page, csrf: String(page.forms[0]!.fields.find(({ name }) => name === 'csrf')?.value) };
}

describe('the consent page', () => {
  it('cannot be framed, kept or scripted', async () => {
    const { page } = await asked();
    expect(page.headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store', 'referrer-policy': expect.stringMatching(/^(no-referrer|same-origin)$/), 'x-content-type-options': 'nosniff' });
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(page.html).not.toContain('<script');
  });

  it('decides nothing without its own token, or with that of another page', async () => {
    const [one, other] = [await asked(), await asked()];
    for (const csrf of ['', 'guess', other.csrf]) isOver(await one.browser.post(one.page.url, { csrf, decision: 'allow' }));
    isOver(await one.browser.post(one.page.url, { decision: 'allow' }));
    expect(callbackParameters((await one.browser.post(one.page.url, { csrf: one.csrf, decision: 'allow' })).url)['code']).toBeDefined();
  });

  it('decides nothing when it is only looked at, whatever stands in the address', async () => {
    const { browser, page, csrf } = await asked();
    expect(isConsent(await browser.get(`${page.url}?csrf=${csrf}&decision=allow`))).toBe(true);
  });

  it('says no unless the person said yes', async () => {
    const { browser, page, csrf } = await asked();
    expect(callbackParameters((await browser.post(page.url, { csrf, decision: 'perhaps' })).url)).toMatchObject({ error: 'access_denied', iss: stage.origin });
  });

  it('is good once', async () => {
    const { browser, page, csrf, client } = await asked();
    const both = await Promise.all([browser.post(page.url, { csrf, decision: 'allow' }), browser.post(page.url, { csrf, decision: 'allow' })]);
    expect(both.some(({ url }) => url.includes('code='))).toBe(true);
    const { items } = await stage.gateway.request(clientContracts.listGrants, { callerId: ada });
    expect(items.filter(({ clientId }) => clientId === client.options.clientId)).toHaveLength(1);
    isOver(await browser.post(page.url, { csrf, decision: 'allow' }));
  });

  it('does not open in another browser, signed in or not, as the same person or another', async () => {
    const { page, csrf, client } = await asked();
    for (const browser of [new ScriptedBrowser(), await desk.browser(ada, client), await desk.browser(await stage.person('Eve'), client)]) {
      isOver(await browser.get(page.url));
      isOver(await browser.post(page.url, { csrf, decision: 'allow' }));
    }
  });

  it('does not open under the address of another request', async () => {
    const { browser, page } = await asked();
    isOver(await browser.get(page.url.replace(/[\w-]+$/, 'another-interaction')));
  });

  it('is over when the person signed out, or somebody else signed in, in between', async () => {
    const { browser, page, csrf } = await asked();
    const eve = await stage.signedInBrowser(await stage.person('Eve'));
    for (const cookie of eve.cookies.all()) browser.cookies.plant(cookie);
    isOver(await browser.post(page.url, { csrf, decision: 'allow' }));
    await stage.db.query('UPDATE login_sessions SET ended_at = $1 WHERE person_id = $2', [stage.clock.now(), ada]);
    const second = await asked();
    await stage.db.query('UPDATE login_sessions SET ended_at = $1 WHERE person_id = $2', [stage.clock.now(), ada]);
    isOver(await second.browser.post(second.page.url, { csrf: second.csrf, decision: 'allow' }));
  });

  it('is over after ten minutes', async () => {
    const { browser, page, csrf } = await asked();
    stage.clock.advance(601_000);
    isOver(await browser.post(page.url, { csrf, decision: 'allow' }));
  });

  it('takes no field twice', async () => {
    const { browser, page } = await asked();
    const answer = await browser.submit({ ...page.forms[0]!, fields: [...page.forms[0]!.fields, ...page.forms[0]!.fields] }, {}, 'allow');
    expect([answer.status, answer.stopped]).toEqual([400, false]);
  });
});

describe('what a person agreed to', () => {
  it('is for this client, endpoint and scope: a web client is not asked again for the same, and is for more', async () => {
    const client = await desk.registered({ redirect_uris: [WEB] });
    const { browser } = await desk.connected(ada, client);
    const silent = await desk.ask(client, browser);
    expect([silent.stopped, callbackParameters(silent.url)['code'] !== undefined]).toEqual([true, true]);
    expect(isConsent(await desk.ask(client, browser, { resource: `${stage.origin}/mcp/mail` }))).toBe(true);
    expect(isConsent(await desk.ask(client, browser, { scope: 'mcp:access openid' }))).toBe(true);
    expect(isConsent(await desk.ask(client, browser, { prompt: 'consent' }))).toBe(true);
  });

  it('is not for another client of the same name', async () => {
    const metadata = { client_name: 'Twin', redirect_uris: [WEB] };
    const { browser } = await desk.connected(ada, await desk.registered(metadata));
    expect(isConsent(await desk.ask(await desk.registered(metadata), browser))).toBe(true);
  });

  it('does not hold for a client on this computer: anybody there could use its name', async () => {
    const { browser, client } = await desk.connected(ada);
    expect(isConsent(await desk.ask(client, browser))).toBe(true);
  });

  it('is not for another person in the same browser', async () => {
    const client = await desk.registered({ redirect_uris: [WEB] });
    const { browser } = await desk.connected(ada, client);
    const bob = await stage.person('Bob');
    for (const cookie of (await stage.signedInBrowser(bob)).cookies.all()) browser.cookies.plant(cookie);
    const page = await desk.ask(client, browser);
    expect([isConsent(page), page.text.includes('Bob')]).toEqual([true, true]);
    const { code } = callbackParameters((await browser.submit(page.forms[0], {}, 'allow')).url);
    expect(decodeJwt(accessTokenOf(await client.exchange(code))).sub).toBe(bob);
  });
});

describe('asking without a page', () => {
  it('prompt=none says what is missing, and gives what is agreed', async () => {
    const client = await desk.registered({ redirect_uris: [WEB] });
    const nobody = new ScriptedBrowser({ stopAt: [WEB] });
    expect(callbackParameters((await desk.ask(client, nobody, { prompt: 'none' })).url)).toMatchObject({ error: 'login_required', iss: stage.origin });
    const { browser } = await desk.connected(ada, client);
    expect(callbackParameters((await desk.ask(client, browser, { prompt: 'none' })).url)['code']).toBeDefined();
    expect(callbackParameters((await desk.ask(client, browser, { prompt: 'none', resource: `${stage.origin}/mcp/mail` })).url)['error']).toBe('consent_required');
  });

  it('max_age and prompt=login ask for a fresh sign-in', async () => {
    // Signed in a minute ago.
    stage.clock.setWall(Date.now() - 60_000);
    const client = await desk.registered({ redirect_uris: [WEB] });
    const { browser } = await desk.connected(ada, client);
    for (const overrides of [{ prompt: 'login' }, { max_age: '0', scope: 'openid mcp:access' }]) {
      const page = await desk.ask(client, browser, overrides);
      expect([page.url.includes('code='), page.hops.some(({ url }) => url.includes('/login?') && url.includes('fresh=1'))]).toEqual([false, true]);
    }
  });

  it('an error goes where answers go, with state and issuer', async () => {
    const client = await desk.registered();
    const page = await desk.ask(client, await desk.browser(ada, client), { resource: 'https://evil.test/mcp' });
    expect(page.url.startsWith(REDIRECT)).toBe(true);
    expect(callbackParameters(page.url)).toMatchObject({ error: 'invalid_target', state: client.state, iss: stage.origin });
  });
});
