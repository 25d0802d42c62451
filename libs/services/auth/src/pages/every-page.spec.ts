import type { JsonObject } from '@gatehouse/kernel';
import { ScriptedBrowser, type Page } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthStage, REDIRECT } from '../auth-stage.conformance.js';
import { Connecting } from '../authorization-server/connecting.conformance.js';
import { expectSoundPage } from './sound-page.conformance.js';

const LONG = 'Extraordinarily-long-unbroken-client-name-that-nobody-would-ever-read-to-the-end';
const ARABIC = 'مساعد (beta)';
let stage: AuthStage;
let desk: Connecting;
let ada: string;

beforeAll(async () => {
  stage = await AuthStage.start();
  desk = new Connecting(stage);
  ada = await stage.person('Ada');
  await desk.settings({ redirectSchemes: ['cursor'] });
}, 60_000);
afterAll(() => stage.close(), 30_000);

async function consent(metadata: JsonObject): Promise<Page> {
  const client = await desk.registered(metadata);
  return desk.ask(client, await desk.browser(ada, client));
}

describe('the consent page', () => {
  it.each([
    ['https', 'https://app.example/cb', 'app.example', false],
    ['loopback', 'http://127.0.0.1:33418/callback', '127.0.0.1:33418 (a program on this computer)', true],
    ['an app of its own scheme', 'cursor://anysphere.cursor-mcp/oauth/callback', 'cursor://anysphere.cursor-mcp (an app on this device)', true],
  ])('says where the answer goes and warns when it should: %s', async (_kind, uri, shown, warns) => {
    const page = await consent({ redirect_uris: [uri] });
    expectSoundPage(page);
    expect(page.text).toContain(shown);
    expect(page.html.includes('class="warning"')).toBe(warns);
  });

  it.each([LONG, ARABIC])('isolates the name of a client: %s', async (name) => {
    const page = await consent({ client_name: name });
    expectSoundPage(page);
    expect(page.html).toContain(`<strong dir="auto">${name}</strong>`);
    expect(page.html).toContain(`<dd dir="auto">${name}</dd>`);
  });

  it('says that a client has no name instead of showing its id as one', async () => {
    const { json } = await desk.post(JSON.stringify({ redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }));
    const client = desk.client({ clientId: String(json['client_id']) });
    const page = await desk.ask(client, await desk.browser(ada, client));
    expectSoundPage(page);
    expect(page.text).toContain('A client without a name wants to connect');
  });
});

describe('every other page', () => {
  const signedIn = (): Promise<ScriptedBrowser> => stage.signedInBrowser(ada);
  const nobody = async (): Promise<ScriptedBrowser> => new ScriptedBrowser();

  it.each<[string, () => Promise<ScriptedBrowser>, string, number, string]>([
    ['the start page', nobody, '/', 200, 'This is Gatehouse'],
    ['the start page of who is signed in', signedIn, '/', 200, 'You are signed in'],
    ['a sign-in that is over', nobody, '/login/callback?state=x', 400, 'This sign-in is over'],
    ['a return to elsewhere', nobody, '/login?return_to=https://evil.example', 400, 'This link leads nowhere'],
    ['a used link', nobody, '/login/link?ticket=x', 400, 'This link is used up'],
    ['a sign-in where no provider is set up', nobody, '/login', 200, 'No identity provider is set up here yet'],
    ['sign-out', signedIn, '/session/end', 200, 'Sign out'],
    ['signed out', nobody, '/session/end', 200, 'You are signed out'],
    ['an interaction of nobody', nobody, '/interaction/none', 400, 'This page is over'],
    ['an unknown client', nobody, '/authorize?client_id=nobody&response_type=code', 400, 'Gatehouse does not know this client'],
    ['an authorization request without anything', nobody, '/authorize', 400, 'This cannot go on'],
  ])('%s is sound', async (_name, browserOf, path, status, says) => {
    const page = await (await browserOf()).get(`${stage.origin}${path}`);
    expectSoundPage(page);
    expect([page.status, page.text]).toEqual([status, expect.stringContaining(says)]);
  });

  it('signs in by a one-time link, on sound pages', async () => {
    const browser = new ScriptedBrowser();
    const page = await browser.get(stage.origin + (await stage.replicas[0]!.signInLink()));
    expectSoundPage(page);
    const done = await browser.submit(page.forms[0]);
    expectSoundPage(done);
    expect(done.text).toContain('You are signed in');
  });

  it('leads from the start page to the sign-in, and back to it', async () => {
    const browser = await signedIn();
    const page = await browser.get(`${stage.origin}/login`);
    expect(page.url).toBe(`${stage.origin}/`);
    expect(page.text).toContain('You are signed in');
  });
});
