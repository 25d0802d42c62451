import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConnectStage } from './connect-stage.conformance.js';

const ORIGIN = 'https://gatehouse.example';
let stage: ConnectStage;

beforeAll(async () => {
  stage = await ConnectStage.start(ORIGIN);
}, 60_000);
afterAll(() => stage.close(), 30_000);

describe('our client metadata document', () => {
  it('is served to everybody, to be kept', async () => {
    const { browser } = await stage.person();
    const { status, headers, html } = await browser.get(`${ORIGIN}/oauth/client.json`);
    expect([status, headers['content-type'], headers['cache-control'], headers['access-control-allow-origin']]).toEqual([200, 'application/json', 'public, max-age=3600', '*']);
    expect(JSON.parse(html)).toEqual({
      client_id: `${ORIGIN}/oauth/client.json`,
      client_name: 'Gatehouse',
      client_uri: ORIGIN,
      redirect_uris: [`${ORIGIN}/oauth/callback`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'web',
    });
  });

  it('is the client where it is read', async () => {
    const { zoo, page } = await stage.connected({ documents: 'accepted' });
    expect(page.text).toContain('is connected');
    expect(zoo.requests('/register')).toEqual([]);
    const query = zoo.requests('/authorize')[0]!.query;
    expect([query.get('client_id'), query.get('redirect_uri')]).toEqual([`${ORIGIN}/oauth/client.json`, `${ORIGIN}/oauth/callback`]);
  });

  it.each(['refused-callback', 'refused-token'] as const)('that is %s is followed by a registration, once and for all', async (documents) => {
    const { zoo, upstream, page } = await stage.connected({ documents });
    expect(page.text).toContain('is connected');
    expect(zoo.requests('/authorize')).toHaveLength(2);
    const later = await stage.person();
    expect((await stage.press(later.browser, (await stage.link(later.id, upstream)).url)).text).toContain('is connected');
    expect([zoo.requests('/authorize').length, zoo.requests('/register').length]).toEqual([3, 1]);
  });

  it('that is answered with a page of the provider’s is followed by a registration at the next visit of the link', async () => {
    const { zoo, upstream } = await stage.server({ documents: 'refused-page' });
    await stage.discover(upstream);
    const { id, browser } = await stage.person();
    const { url } = await stage.link(id, upstream);
    expect((await stage.press(browser, url)).status).toBe(400);
    expect((await stage.press(browser, url)).text).toContain('is connected');
    expect(zoo.requests('/register')).toHaveLength(1);
  });

  it('that was answered with a page is not shown to the next person either, but is where it worked before', async () => {
    const { zoo, upstream } = await stage.server({ documents: 'refused-page' });
    await stage.discover(upstream);
    const [ada, bob] = [await stage.person('Ada'), await stage.person('Bob')];
    await stage.press(ada.browser, (await stage.link(ada.id, upstream)).url);
    expect((await stage.press(bob.browser, (await stage.link(bob.id, upstream)).url)).text).toContain('is connected');
    const good = await stage.connected({ documents: 'accepted' });
    const [eve, fay] = [await stage.person('Eve'), await stage.person('Fay')];
    good.zoo.set({ consent: 'error-page' });
    await stage.press(eve.browser, (await stage.link(eve.id, good.upstream)).url);
    good.zoo.set({ consent: 'given' });
    expect((await stage.press(fay.browser, (await stage.link(fay.id, good.upstream)).url)).text).toContain('is connected');
    expect([zoo.requests('/register').length, good.zoo.requests('/register').length]).toEqual([1, 0]);
  });

  it('that is refused where nobody can register ends with a page', async () => {
    const { zoo, upstream } = await stage.server({ documents: 'refused-token', registration: 'none' });
    expect((await stage.discover(upstream)).verdict).toBe('sign_in');
    const { id, browser } = await stage.person();
    expect((await stage.press(browser, (await stage.link(id, upstream)).url)).text).toContain('The sign-in there did not work');
    expect(zoo.requests('/authorize')).toHaveLength(1);
  });

  it('is not shown where a setting asks for registration, and alone where one asks for it', async () => {
    const dynamic = await stage.connected({ documents: 'accepted' }, { oauth: { registration: 'dynamic' } });
    expect(dynamic.zoo.requests('/register')).toHaveLength(1);
    const { upstream } = await stage.server({}, { oauth: { registration: 'document' } });
    expect((await stage.discover(upstream)).verdict).toBe('client');
  });
});
