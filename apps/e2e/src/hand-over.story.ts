import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startOauthUpstream, type OauthUpstream, type ScriptedBrowser } from '@gatehouse/testing';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { WireClient } from './wire/wire-client.js';
import { Company } from './world/company.js';
import { freshToken } from './world/fresh-token.js';
import { admin, eventually, inBothForms, servedEverywhere } from './world/world.js';

const CLIENT = 'gatehouse-at-provider';
const company = new Company([
  { sub: 'ada', name: 'Ada Lovelace', email: 'ada@example.com', groups: [] },
  { sub: 'bob', name: 'Bob', email: 'bob@example.com', groups: [] },
]);
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const keysAt = async (url: string): Promise<ReturnType<typeof createLocalJWKSet>> => createLocalJWKSet((await (await fetch(url)).json()) as JSONWebKeySet);

inBothForms(
  'A server whose accounts nobody connects',
  (world) => {
    let asserted: OauthUpstream;
    let exchanged: OauthUpstream;
    let machine: OauthUpstream;
    const people = new Map<string, { token: string; browser: ScriptedBrowser; id: string }>();
    const origin = (): string => world().edges[0]!;

    const signIn = async (login: string): Promise<ScriptedBrowser> => {
      const browser = company.browser([`${origin()}/console`]);
      await company.goThrough(browser, `${origin()}/login?return_to=/console`, login);
      return browser;
    };
    const join = async (login: string): Promise<void> => {
      const browser = await signIn(login);
      const { items } = await admin(world()).ok('GET', '/people?limit=100');
      const { id } = items.find(({ email }: any) => email === `${login}@example.com`);
      const { token } = await freshToken(world(), { name: `${login}'s client`, callerId: id, scopes: ['mcp:access'] });
      people.set(login, { token, browser, id });
    };
    const said = async (login: string, server: string, edge = 0): Promise<string> => {
      const client = new WireClient(world(), server, people.get(login)!.token);
      const opened = await client.initialize('2025-11-25', { edge });
      return JSON.stringify([opened.messages, (await client.call('whoami', {}, { edge })).messages]);
    };

    beforeAll(async () => {
      company.welcome(origin());
      const clients = [{ clientId: CLIENT, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }];
      let audience = '';
      asserted = await startOauthUpstream({
        clients,
        trust: async (token) => (await jwtVerify(token, await keysAt(`${company.provider.issuer}/jwks`), { typ: 'oauth-id-jag+jwt', issuer: company.provider.issuer, audience })).payload.sub!,
      });
      audience = asserted.issuer;
      exchanged = await startOauthUpstream({
        clients,
        trust: async (token) => String((await jwtVerify(token, await keysAt(`${origin()}/jwks`), { typ: 'JWT', issuer: origin(), audience: exchanged.issuer })).payload['email']),
      });
      machine = await startOauthUpstream({ clients });
      company.provider.setExchange({ audiences: { [audience]: CLIENT } });
      for (const login of ['ada', 'bob']) await join(login);
    }, 60_000);
    afterAll(() => Promise.all([asserted, exchanged, machine].map((each) => each.close())));

    const add = async (name: string, url: string, oauth: object): Promise<void> => {
      const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const auth = { kind: 'oauth', clientId: CLIENT, clientAuthMethod: 'private_key_jwt', privateKey: key, ...oauth };
      await admin(world()).ok('POST', '/servers', { name, url, allowPrivateNetwork: true, auth });
      await eventually(async () => ((await admin(world()).ok('GET', `/servers/${name}`)).health.verdict === 'sign_in' ? true : undefined));
      await servedEverywhere(world(), name);
    };

    it('is called as who calls, by the word of their identity provider, from the first call on', async () => {
      await add('asserted', asserted.url, { grant: 'id_jag' });
      const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => said('ada', 'asserted', at)));
      expect(new Set(answers.map((text) => /"text":"[^"]*ada/.test(text)))).toEqual(new Set([true]));
      expect(await said('bob', 'asserted')).toMatch(/"text":"[^"]*bob/);
      expect(company.provider.exchanges()).toHaveLength(2);
      expect(asserted.requests('/authorize')).toEqual([]);
    });

    it('is called as who calls, by the word of Gatehouse', async () => {
      await add('exchanged', exchanged.url, { grant: 'token_exchange' });
      expect(await said('bob', 'exchanged')).toMatch(/"text":"[^"]*bob@example\.com/);
    });

    it('works without anybody at all where Gatehouse itself is who signs in', async () => {
      await add('machine', machine.url, { grant: 'client_credentials' });
      await eventually(async () => ((await admin(world()).ok('GET', '/servers/machine')).health.status === 'healthy' ? true : undefined));
      expect(await said('ada', 'machine')).toContain(CLIENT);
      expect(machine.tokenRequests('client_credentials')).toHaveLength(1);
    });

    it('asks a person to sign in again, once they signed out and their account has ended', async () => {
      const { browser, id } = people.get('bob')!;
      await browser.submit((await browser.get(`${origin()}/session/end`)).forms[0]);
      asserted.revoke('bob');
      const refused = await eventually(async () => {
        const text = await said('bob', 'asserted');
        return text.includes('/login?fresh=1') ? text : undefined;
      });
      expect(refused).not.toContain('/connect/');
      await signIn('bob');
      expect(await eventually(async () => (/"text":"[^"]*bob/.exec(await said('bob', 'asserted')) === null ? undefined : true))).toBe(true);
      const { items } = await admin(world()).ok('GET', '/identities?all=true');
      expect(items.filter(({ owner, server }: any) => owner === id && server === 'asserted')).toEqual([expect.objectContaining({ grant: 'id_jag', status: 'active' })]);
    });

    it('has no account for a person who is disabled', async () => {
      const { id } = people.get('ada')!;
      await admin(world()).ok('POST', `/people/${id}/disable`);
      await eventually(async () => {
        const { items } = await admin(world()).ok('GET', '/identities?all=true');
        return items.some(({ owner, status }: any) => owner === id && status !== 'revoked') ? undefined : true;
      });
    });
  },
  async () => {
    const { auth, ...env } = await company.open();
    return { ...env, auth: { ...auth, GATEHOUSE_OIDC_KEEP_TOKENS: 'on' } };
  },
);
