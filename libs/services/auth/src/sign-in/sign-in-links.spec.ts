import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startStage, type Stage } from './sign-in-stage.conformance.js';
import { createSignInLink } from './sign-in-links.js';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
}, 60_000);

afterAll(async () => stage.close(), 30_000);

beforeEach(async () => stage.clear());

const link = async (personId: string): Promise<string> => `${stage.origin}${await createSignInLink(stage.db, personId)}`;

describe('a one-time sign-in link', () => {
  it('opens a button, which signs in once and says how to go on', async () => {
    const url = await link(await stage.administrator());
    const browser = stage.browser();
    for (let looked = 0; looked < 3; looked++) expect((await stage.browser().get(url)).text).toContain('Sign in as Root');
    const page = await browser.submit((await browser.get(url)).forms[0]);
    expect(page).toMatchObject({ status: 200 });
    expect(page.text).toContain(`${stage.origin}/mcp/`);
    expect(JSON.parse(String(page.headers['x-gatehouse-record']))).toMatchObject({ kind: 'sign_in', callerName: 'Root' });
    expect(await stage.area().sessions.current(browser.cookies.header(new URL(stage.origin)))).toMatchObject({ name: 'Root', provider: '(link)' });
    expect((await browser.get(url)).status).toBe(400);
  });

  it('is kept as its digest only, and lasts fifteen minutes', async () => {
    const url = await link(await stage.administrator());
    const ticket = new URL(url).searchParams.get('ticket')!;
    expect(JSON.stringify(await stage.rows('sign_in_links'))).not.toContain(ticket);
    await stage.db.query('UPDATE sign_in_links SET expires_at = expires_at - 900001');
    expect((await stage.browser().get(url)).status).toBe(400);
  });

  it('two presses at once sign in once', async () => {
    const url = await link(await stage.administrator());
    const browsers = [stage.browser(), stage.browser()];
    const pages = await Promise.all(browsers.map((browser) => browser.get(url)));
    const results = await Promise.all(browsers.map((browser, at) => browser.submit(pages[at]!.forms[0])));
    expect(results.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(await stage.rows('login_sessions')).toHaveLength(1);
  });

  it('needs the form it showed, and signs nobody in who was disabled', async () => {
    const person = await stage.administrator();
    const url = await link(person);
    const ticket = new URL(url).searchParams.get('ticket')!;
    const forged = await stage.browser().post(`${stage.origin}/login/link`, { ticket }, { from: 'https://evil.example/' });
    expect(forged.status).toBe(403);
    const browser = stage.browser();
    const page = await browser.get(url);
    await stage.db.query(`UPDATE people SET status = 'disabled'`);
    expect((await browser.submit(page.forms[0])).status).toBe(400);
    expect(await stage.rows('login_sessions')).toEqual([]);
    await expect(createSignInLink(stage.db, person)).rejects.toMatchObject({ code: 'not_found' });
    await expect(createSignInLink(stage.db, newId('person'))).rejects.toMatchObject({ code: 'not_found' });
  });
});
