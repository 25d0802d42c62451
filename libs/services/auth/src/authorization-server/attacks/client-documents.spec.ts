import { callbackParameters, ClientMetadataHost, realClients, startClientMetadataHost, TestAuthority, type MetadataReply, type Page, type RealClient, type ScriptedBrowser } from '@gatehouse/testing';
import type { JsonObject } from '@gatehouse/kernel';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FIRST_SETTINGS } from '../../clients/registration-settings.js';
import { AuthStage } from '../../auth-stage.conformance.js';
import { Connecting, refreshTokenOf } from '../connecting.conformance.js';

const CB = 'https://app.example/cb';
let stage: AuthStage;
let desk: Connecting;
let host: ClientMetadataHost;
let ada: string;
let browser: ScriptedBrowser;
let paths = 0;

beforeAll(async () => {
  const authority = new TestAuthority();
  stage = await AuthStage.start({}, [authority.certificate]);
  desk = new Connecting(stage);
  host = await startClientMetadataHost({ authority, hostname: 'localhost' });
  ada = await stage.person('Ada');
  browser = await stage.signedInBrowser(ada, ['https://', 'http://localhost', 'http://127.0.0.1:33418', 'cursor:']);
  await inside();
}, 60_000);
afterEach(() => inside());
afterAll(async () => {
  await host.close();
  await stage.close();
}, 30_000);

async function inside(change = {}): Promise<void> {
  await desk.settings({ ...FIRST_SETTINGS, privateHosts: ['localhost'], ...change });
  // A minute has passed: what was slowed down or failed is over.
  stage.clock.advance(61_000);
  host.forget();
}

const newPath = (): string => `/clients/${paths++}.json`;

function published(members: JsonObject = {}, reply: MetadataReply = {}, path = newPath()) {
  const id = `${host.origin}${path}`;
  host.serve(path, { body: { client_id: id, client_name: 'Documented', redirect_uris: [CB], ...members }, ...reply });
  return { id, path, client: desk.client({ clientId: id, redirectUri: CB }) };
}

const refused = (page: Page): void => expect([page.stopped, page.status, page.text.includes('Connect a client')]).toEqual([false, page.status < 400 ? 400 : page.status, false]);

describe('a client that is known by its document', () => {
  it('connects and refreshes, and is listed by its host', async () => {
    const { client, id } = published();
    const { tokens } = await desk.connected(ada, client);
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
    expect(await desk.shown(id)).toMatchObject({ kind: 'metadata-document', host: new URL(id).host, name: 'Documented', authMethod: 'none', status: 'allowed' });
  });

  it.each<[string, JsonObject, MetadataReply]>([
    ['about another id', { client_id: 'https://other.example/client.json' }, {}],
    ['that is not found', {}, { status: 404 }],
    ['behind a redirect', {}, { redirectTo: 'https://other.example/client.json' }],
    ['larger than five kilobytes', {}, { padToBytes: 5_200 }],
    ['that is no JSON', {}, { body: '<html>', contentType: 'application/json' }],
    ['that says it is HTML', {}, { contentType: 'text/html' }],
    ['that says it is text', {}, { contentType: 'text/plain' }],
    ['that is a list', {}, { body: '[]' }],
    ['with a secret', { client_secret: 'x' }, {}],
    ['with a method of shared secrets', { token_endpoint_auth_method: 'client_secret_basic' }, {}],
    ['with a redirect to a script', { redirect_uris: ['javascript:alert(1)'] }, {}],
    ['with a redirect without encryption', { redirect_uris: ['http://app.example/cb'] }, {}],
    ['without redirects', { redirect_uris: [] }, {}],
    ['cut off', {}, { hangUp: true }],
    ['with a page that is no https', { client_uri: 'javascript:alert(1)' }, {}],
  ])('is nobody with a document %s', async (_what, members, reply) => {
    const { client } = published(members, reply);
    refused(await desk.ask(client, browser));
    expect((await client.token({ grant_type: 'refresh_token', refresh_token: 'x', client_id: client.options.clientId })).status).toBeGreaterThanOrEqual(400);
  });

  it('is nobody when the document takes too long', async () => {
    const { client } = published({}, { delayMs: 4_000 });
    const begun = performance.now();
    refused(await desk.ask(client, browser));
    expect(performance.now() - begun).toBeLessThan(3_800);
  });

  it.each([
    ['the root of a host', () => `${host.origin}/`],
    ['no path at all', () => host.origin],
    ['a user', () => `${host.origin.replace('//', '//user@')}/x.json`],
    ['a fragment', () => `${host.origin}/x.json#y`],
    ['dots', () => `${host.origin}/a/../x.json`],
    ['encoded dots', () => `${host.origin}/a/%2e%2e/x.json`],
    ['no encryption', () => `${host.origin.replace('https', 'http')}/x.json`],
    ['an address', () => 'https://127.0.0.1/x.json'],
    ['an IPv6 address', () => 'https://[::1]/x.json'],
    ['an address in other clothes', () => 'https://2130706433/x.json'],
    ['the metadata service of clouds', () => 'https://169.254.169.254/latest/meta-data'],
    ['a name that means this machine', () => 'https://app.localhost/x.json'],
    ['spaces', () => `${host.origin}/a b.json`],
  ])('is nobody with an id of %s, and nothing is fetched', async (_what, id) => {
    refused(await desk.ask(desk.client({ clientId: id(), redirectUri: CB }), browser));
    expect(host.fetches()).toEqual([]);
  });

  it('inside the network is nobody unless an administrator named its host', async () => {
    const { client } = published();
    await inside({ privateHosts: [] });
    refused(await desk.ask(client, browser));
    expect(host.fetches()).toEqual([]);
  });

  it('that fails is asked for once a minute, however often somebody tries', async () => {
    const { client, path } = published({}, { status: 404 });
    refused(await desk.ask(client, browser));
    for (let turn = 0; turn < 5; turn++) {
      stage.clock.advance(1_000);
      refused(await desk.ask(client, browser));
    }
    expect(host.fetches(path)).toHaveLength(1);
    stage.clock.advance(61_000);
    refused(await desk.ask(client, browser));
    expect(host.fetches(path)).toHaveLength(2);
  });

  it('is fetched once for ten at once, and not again while it is fresh', async () => {
    const { client, path } = published({}, { delayMs: 100 });
    const pages = await Promise.all(Array.from({ length: 10 }, async () => desk.ask(client, await desk.browser(ada, client))));
    expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 200));
    await desk.ask(client, browser);
    expect(host.fetches(path)).toHaveLength(1);
  });

  it('many of one host are slowed down', async () => {
    for (let turn = 0; turn < 40; turn++) await desk.ask(desk.client({ clientId: `${host.origin}/many/${turn}.json`, redirectUri: CB }), browser);
    expect(host.fetches().length).toBeLessThanOrEqual(20);
  }, 60_000);

  it('must be agreed to anew when its document says something else', async () => {
    const { client, path, id } = published();
    await desk.connected(ada, client);
    const again = await desk.browser(ada, client);
    expect((await desk.ask(client, again)).text).toContain('Connect a client');
    const person = await desk.browser(ada, client);
    await desk.consented(client, person);
    expect(callbackParameters((await desk.ask(client, person)).url)['code']).toBeDefined();
    host.serve(path, { body: { client_id: id, client_name: 'Documented', redirect_uris: [CB, 'https://new.example/cb'] } });
    const held = callbackParameters((await desk.ask(client, person)).url)['code'];
    // What is still held here is what was agreed to; a replica that reads the document anew asks anew.
    expect(held).toBeDefined();
    await stage.replicas.shift()!.close();
    await stage.addReplica(Number(new URL(stage.origin).port));
    expect((await desk.ask(client, person)).text).toContain('Connect a client');
  });

  it('is kept out by a rule about its host, and by an administrator’s no', async () => {
    const { client } = published();
    await inside({ rules: [{ kind: 'metadata-document', host: 'localhost', name: null, effect: 'deny', requireDpop: false }] });
    refused(await desk.ask(client, browser));
    await inside();
    expect((await desk.ask(client, browser)).status).toBe(200);
  });

  it('must bind its tokens where a rule says so', async () => {
    const { client } = published();
    await inside({ rules: [{ kind: 'any', host: 'localhost', name: null, effect: 'allow', requireDpop: true }] });
    const { code } = await desk.consented(client, browser);
    expect((await client.exchange(code)).status).toBe(400);
  });

  it('is told clearly where documents are turned off', async () => {
    const { client } = published();
    await inside({ metadataDocuments: 'off' });
    const page = await desk.ask(client, browser);
    refused(page);
    expect(page.text).toContain('ask an administrator');
    expect(host.fetches()).toEqual([]);
  });
});

describe('clients that people use', () => {
  const connects = async (real: RealClient, clientId: string): Promise<void> => {
    const client = desk.client({ clientId, redirectUri: real.redirectUri });
    const { code } = await desk.consented(client, await desk.browser(ada, client));
    const key = real.document !== undefined && clientId === real.document.clientId && real.document.body['token_endpoint_auth_method'] === 'private_key_jwt';
    const proof = async (): Promise<Record<string, string>> =>
      key ? { client_assertion: await host.clientAssertion(clientId, stage.origin), client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' } : {};
    const tokens = await client.exchange(code, await proof());
    expect({ status: tokens.status, text: tokens.text }).toMatchObject({ status: 200 });
    expect((await client.refresh(refreshTokenOf(tokens), await proof())).status).toBe(200);
  };

  it.each(realClients('https://placeholder').map(({ name }, at) => [name, at] as const))('%s connects by registering itself', async (_name, at) => {
    const real = realClients(host.origin)[at]!;
    const { status, json, text } = await desk.client().register(real.registration);
    expect({ status, text }).toMatchObject({ status: 201 });
    if (json['client_secret'] === undefined) return connects(real, String(json['client_id']));
    const client = desk.client({ clientId: String(json['client_id']), redirectUri: real.redirectUri, secret: String(json['client_secret']) });
    const { tokens } = await desk.connected(ada, client);
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(200);
  });

  it.each(realClients('https://placeholder').flatMap(({ name, document }, at) => (document === undefined ? [] : [[name, at] as const])))('%s connects by its document', async (_name, at) => {
    const real = realClients(host.origin)[at]!;
    host.serve(real.document!.path, { body: real.document!.body });
    await connects(real, real.document!.clientId);
  });
});
