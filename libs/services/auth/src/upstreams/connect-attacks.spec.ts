import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectSoundPage } from '../pages/sound-page.conformance.js';
import { ConnectStage } from './connect-stage.conformance.js';

let stage: ConnectStage;
let listener: Server;
let dialled = 0;
let privateOrigin: string;

beforeAll(async () => {
  stage = await ConnectStage.start();
  listener = createServer((_request, response) => {
    dialled += 1;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  privateOrigin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  listener.close();
  await stage.close();
}, 30_000);

/** A person's link, opened and pressed, and the provider's answer to it that was held back. */
async function heldBack(behaviour: Parameters<ConnectStage['server']>[0] = {}) {
  const { zoo, upstream } = await stage.server(behaviour);
  await stage.discover(upstream);
  const id = await stage.auth.person('Ada');
  const browser = await stage.auth.signedInBrowser(id, [`${stage.auth.origin}/oauth/callback`]);
  const link = await stage.link(id, upstream);
  const { url: answer } = await stage.press(browser, link.url);
  return { zoo, upstream, id, link, answer, browser: await sameSession(browser) };
}

/** A browser with the same cookies that goes wherever it is sent. */
async function sameSession(from: Awaited<ReturnType<typeof stage.auth.signedInBrowser>>) {
  const { browser } = await stage.person('Nobody');
  browser.cookies.clear();
  for (const cookie of from.cookies.all()) browser.cookies.plant(cookie);
  return browser;
}

describe('a connect link', () => {
  it('sends who is not signed in to the sign-in, and back', async () => {
    const { upstream } = await stage.server();
    const { id } = await stage.person();
    const { url } = await stage.link(id, upstream);
    const stranger = await stage.auth.signedInBrowser(id, [`${stage.auth.origin}/login`]);
    stranger.cookies.clear();
    expect((await stranger.get(url)).url).toBe(`${stage.auth.origin}/login?return_to=${new URL(url).pathname}`);
  });

  it('is of no use to anybody else, and not used up by them', async () => {
    const { upstream } = await stage.server();
    const [ada, eve] = [await stage.person('Ada'), await stage.person('Eve')];
    const { id, url } = await stage.link(ada.id, upstream);
    const page = await eve.browser.get(url);
    expectSoundPage(page);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('This link is for somebody else')]);
    const own = await eve.browser.get((await stage.link(eve.id, upstream)).url);
    const csrf = own.forms[0]!.fields.find(({ name }) => name === 'csrf')!.value;
    expect((await eve.browser.post(url, { csrf }, { from: url })).status).toBe(403);
    await expect(stage.state(id, eve.id)).rejects.toMatchObject({ code: 'not_found' });
    expect((await stage.press(ada.browser, url)).text).toContain('is connected');
  });

  it('works once, and for ten minutes', async () => {
    const { upstream } = await stage.server();
    const { id: personId, browser } = await stage.person();
    const { url } = await stage.link(personId, upstream);
    await stage.press(browser, url);
    expect((await browser.get(url)).text).toContain('This link is over');
    const late = await stage.link(personId, upstream);
    stage.auth.clock.advance(600_000);
    expect((await browser.get(late.url)).status).toBe(400);
    expect((await stage.state(late.id, personId)).state).toBe('expired');
  });

  it('is the same one for a call that asks again, and another for who asks by hand', async () => {
    const { upstream } = await stage.server();
    const { id } = await stage.person();
    const [first, again] = [await stage.link(id, upstream, { cause: 'call' }), await stage.link(id, upstream, { cause: 'call' })];
    expect(again).toEqual(first);
    expect((await stage.link(id, upstream)).id).not.toBe(first.id);
    stage.auth.clock.advance(560_000);
    expect((await stage.link(id, upstream, { cause: 'call' })).id).not.toBe(first.id);
  });

  it('needs the form it showed', async () => {
    const { upstream, zoo } = await stage.server();
    const { id, browser } = await stage.person();
    const { url } = await stage.link(id, upstream);
    expect((await browser.post(url, {}, { from: 'https://evil.example/' })).status).toBe(403);
    expect(zoo.requests('/authorize')).toEqual([]);
  });

  it('leads nowhere for a ticket that is none', async () => {
    const { browser } = await stage.person();
    for (const path of ['/connect/x', `/connect/${'a'.repeat(43)}`]) expect((await browser.get(stage.auth.origin + path)).status).toBe(400);
  });

  it.each([
    ['for somebody else’s private account', { owner: 'per_01a1fe77-7de2-767f-ae1e-8fcc84f36cc3' as const }, {}, 'bad_request'],
    ['for a private account where there are shared ones only', {}, { identityMode: 'global' as const }, 'conflict'],
    ['for a shared account where there are private ones only', { owner: 'global' as const }, { identityMode: 'private-required' as const }, 'conflict'],
    ['where no account is needed', {}, { auth: 'none' as const }, 'conflict'],
  ])('is not made %s', async (_name, wish, members, code) => {
    const { upstream } = await stage.server({}, members);
    const { id } = await stage.person();
    await expect(stage.link(id, upstream, wish)).rejects.toMatchObject({ code });
  });
});

describe('an answer of a provider', () => {
  it('opened by another person connects nothing, and spoils nothing', async () => {
    const { answer, link, id, browser } = await heldBack();
    const eve = await stage.person('Eve');
    const page = await eve.browser.get(answer);
    expectSoundPage(page);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('begun by somebody else')]);
    expect((await stage.state(link.id, id)).state).toBe('waiting');
    expect((await browser.get(answer)).text).toContain('is connected');
  });

  it('opened in another session of the same person, or without one, connects nothing', async () => {
    const { answer, link, id } = await heldBack();
    expect((await (await stage.auth.signedInBrowser(id, [])).get(answer)).status).toBe(400);
    const nobody = await stage.person();
    nobody.browser.cookies.clear();
    expect((await nobody.browser.get(answer)).status).toBe(400);
    expect((await stage.state(link.id, id)).state).toBe('waiting');
  });

  it('is taken once', async () => {
    const { answer, browser, zoo } = await heldBack();
    const pages = await Promise.all([browser.get(answer), browser.get(answer), browser.get(answer)]);
    expect(pages.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect(zoo.tokenRequests('authorization_code')).toHaveLength(1);
  });

  it('at another callback than its own is not taken', async () => {
    const { answer, browser, zoo } = await heldBack();
    const { search } = new URL(answer);
    for (const path of ['/oauth/callback', `/oauth/callback/${'b'.repeat(24)}`]) expect((await browser.get(`${stage.auth.origin}${path}${search}`)).status).toBe(400);
    expect(zoo.tokenRequests()).toEqual([]);
  });

  it.each(['', 'state=', 'state=a&state=b', `state=${'x'.repeat(43)}&code=c`])('with the state "%s" is nobody’s', async (query) => {
    const { browser } = await stage.person();
    expect((await browser.get(`${stage.auth.origin}/oauth/callback?${query}`)).status).toBe(400);
  });

  it.each([
    ['another issuer', 'wrong', /could not be trusted/],
    ['no issuer though one was promised', 'promised-missing', /could not be trusted/],
  ] as const)('with %s is not redeemed, and none of its words is shown', async (_name, iss, words) => {
    const { answer, browser, zoo, link, id } = await heldBack({ iss });
    const forged = new URL(answer);
    forged.searchParams.set('error', 'access_denied');
    forged.searchParams.set('error_description', 'Call 555-0100 now');
    const page = await browser.get(forged.href);
    expect([page.status, page.text]).toEqual([502, expect.stringMatching(words)]);
    expect(page.html + stage.auth.logLines.join()).not.toContain('555-0100');
    expect(zoo.tokenRequests()).toEqual([]);
    expect((await stage.state(link.id, id)).problem).not.toContain('555');
  });

  it('that says no is told in our own words', async () => {
    const { zoo, upstream } = await stage.server({ consent: 'denied' });
    await stage.discover(upstream);
    const { id: personId, browser } = await stage.person();
    const { id, url } = await stage.link(personId, upstream);
    const page = await stage.press(browser, url);
    expectSoundPage(page);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('You did not allow it')]);
    expect(JSON.parse(String(page.headers['x-gatehouse-record']))).toMatchObject({ kind: 'account_refused', code: 'unauthenticated' });
    expect(await stage.state(id, personId)).toMatchObject({ state: 'failed', problem: 'You did not allow it.' });
    expect(zoo.tokenRequests()).toEqual([]);
  });

  it('goes to the authorization server it came from, not to one that the server names by now', async () => {
    const { answer, browser, zoo, upstream } = await heldBack();
    const other = await stage.server();
    zoo.set({ prmMembers: { authorization_servers: [other.zoo.issuer] } });
    await stage.discover(upstream);
    expect((await browser.get(answer)).status).toBe(400);
    expect([zoo.tokenRequests(), other.zoo.tokenRequests()]).toEqual([[], []]);
  });
});

describe('an address in a private network', () => {
  it.each([
    ['in the challenge', () => ({ challenge: `Bearer resource_metadata="${privateOrigin}/prm"` })],
    ['in the challenge, as a file', () => ({ challenge: 'Bearer resource_metadata="file:///etc/passwd"' })],
    ['as the server itself', () => ({ url: `${privateOrigin}/mcp` })],
    ['as issuer', () => ({ oauth: { issuer: privateOrigin } })],
    ['as issuer, in another spelling', () => ({ oauth: { issuer: privateOrigin.replace('127.0.0.1', '2130706433') } })],
    ['as token address', () => ({ oauth: { authorizeUrl: 'https://as.example/authorize', tokenUrl: `${privateOrigin}/token`, clientId: 'acme' } })],
    ['as authorize address', () => ({ oauth: { authorizeUrl: 'http://169.254.169.254/authorize', tokenUrl: 'https://as.example/token', clientId: 'acme' } })],
  ])('%s is never dialled for a public server', async (_name, of) => {
    const { challenge = null, ...members } = of() as { challenge?: string };
    const upstream = stage.register({ url: 'https://127.0.0.1.nip.invalid/mcp', allowPrivateNetwork: false, ...members });
    const found = await stage.discover(upstream, { challenge });
    expect([found.verdict, dialled]).toEqual(['failed', 0]);
  });

  it.each(['authorization_endpoint', 'token_endpoint', 'registration_endpoint'])('that is Gatehouse’s guard’s to refuse is not used as %s', async (endpoint) => {
    const { upstream } = await stage.server({ metadataMembers: { [endpoint]: 'http://169.254.169.254/latest' } });
    const { verdict } = await stage.discover(upstream);
    expect(verdict).toBe(endpoint === 'registration_endpoint' ? 'client' : 'failed');
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', '//evil.example', 'https://user:pw@as.example/authorize'])('nobody is sent to %s', async (address) => {
    const { upstream } = await stage.server({ metadataMembers: { authorization_endpoint: address } });
    expect((await stage.discover(upstream)).verdict).toBe('failed');
  });
});
