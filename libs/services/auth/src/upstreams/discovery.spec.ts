import type { upstreamContracts } from '@gatehouse/contracts';
import type { OauthUpstreamOptions } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConnectStage } from './connect-stage.conformance.js';

type Oauth = upstreamContracts.UpstreamOauth;

let stage: ConnectStage;

beforeAll(async () => {
  stage = await ConnectStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const SLACK: upstreamContracts.Preset = {
  name: 'acme',
  title: 'Acme',
  hosts: ['127.0.0.1'],
  oauth: {},
  header: { name: 'X-Acme-Key', prefix: '' },
  documentation: 'https://acme.example/apps',
  notes: 'Make an app of the type “internal”.',
};

describe('finding out how to sign in', () => {
  it.each<[string, OauthUpstreamOptions]>([
    ['the challenge names the metadata', { prm: 'header' }],
    ['the metadata is at the path', { prm: 'path', challenge: 'bare' }],
    ['the metadata is at the root', { prm: 'root', challenge: 'bare' }],
    ['two schemes in the challenge', { challenge: 'two-schemes' }],
    ['a false address in another parameter', { challenge: 'spoofed' }],
    ['OpenID metadata', { metadata: 'openid' }],
    ['an issuer with a path', { metadata: 'oauth-path' }],
    ['metadata appended to the issuer', { metadata: 'oauth-append' }],
    ['OpenID metadata appended to the issuer', { metadata: 'openid-append' }],
    ['one slash more in the document', { metadata: 'slash' }],
    ['a page at the first address', { metadata: 'html-then-openid' }],
    ['registration answered with 200', { registration: 'status-200' }],
    ['registration with null members', { registration: 'nulls' }],
    ['no metadata of the resource, authorization at its origin (2025-03-26)', { prm: 'none', challenge: 'bare', authorizationServer: 'server' }],
    ['no metadata at all, the usual addresses (2025-03-26)', { prm: 'none', challenge: 'bare', authorizationServer: 'server', metadata: 'none' }],
    ['null members in the metadata', { metadataMembers: { scopes_supported: null, revocation_endpoint: null } }],
  ])('works: %s', async (_name, behaviour) => {
    const { zoo, page, identityId } = await stage.connected(behaviour);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('is connected')]);
    expect(stage.lines(identityId)).toHaveLength(1);
    expect(zoo.requests().filter(({ path }) => path.includes('evil'))).toEqual([]);
  });

  it.each<[string, OauthUpstreamOptions, Oauth, string, string, RegExp]>([
    ['broken metadata of the resource', { prm: 'error-500' }, {}, 'failed', 'resource_metadata', /cannot be read/],
    ['metadata of another resource', { prm: 'foreign' }, {}, 'failed', 'resource_metadata', /is for https:\/\/other\.example\/mcp, not for this server/],
    ['metadata without authorization server', { prmMembers: { authorization_servers: [] } }, {}, 'failed', 'resource_metadata', /names no authorization server/],
    ['an issuer that calls itself otherwise', { metadata: 'mismatch' }, {}, 'failed', 'authorization_server', /is that of .*\/other, not of/],
    ['an authorization server that is broken', { metadata: 'error-500' }, {}, 'failed', 'authorization_server', /HTTP status 500/],
    ['an authorization server with a page only', { metadata: 'html' }, {}, 'failed', 'authorization_server', /./],
    ['codes that are not protected', { pkce: 'silent' }, {}, 'failed', 'sign_in', /PKCE/],
    ['no registration', { registration: 'none' }, {}, 'client', 'registration', /knows neither/],
    ['registration that is refused', { registration: 'refused' }, {}, 'client', 'registration', /“this client is not welcome”/],
    ['registration behind a list', { registration: 'gated' }, {}, 'client', 'registration', /“ask our sales people to be put on the list”/],
    ['registration answered with a page', { registration: 'html' }, {}, 'client', 'registration', /something else than JSON/],
    ['a client whose secret is missing', { clients: [] }, { clientId: 'acme', clientAuthMethod: 'client_secret_basic' }, 'client', 'registration', /secret of the client/],
    ['no OAuth anywhere', { prm: 'none', challenge: 'bare', authorizationServer: 'server', metadata: 'none', registration: 'none' }, {}, 'header', 'sign_in', /./],
  ])('stops with a sentence: %s', async (_name, behaviour, oauth, verdict, step, words) => {
    const { upstream } = await stage.server(behaviour, { oauth });
    const found = await stage.discover(upstream);
    expect(found.verdict).toBe(verdict);
    const told = found.steps.filter((hop) => hop.step === step && hop.outcome !== 'ok').map(({ detail }) => detail);
    expect(told.join(' ')).toMatch(words);
    expect(found.callbackUrl).toBe(`${stage.auth.origin}/oauth/callback`);
  });

  it.each<[string, OauthUpstreamOptions, Oauth]>([
    ['an alias of the issuer', { metadata: 'mismatch' }, { issuerAlias: 'ISSUER/other' }],
    ['a resource that was allowed', { prm: 'foreign' }, { allowResource: 'https://other.example/mcp', resource: 'omit' }],
    ['PKCE that was assumed', { pkce: 'silent' }, { assumePkce: true }],
    ['an issuer that was set, whatever the server says', { prm: 'error-500' }, { issuer: 'ISSUER' }],
    ['addresses that were set', { prm: 'error-500', metadata: 'none', clients: [{ clientId: 'acme' }], registration: 'none' }, { clientId: 'acme', authorizeUrl: 'ISSUER/authorize', tokenUrl: 'ISSUER/token' }],
  ])('goes on where an administrator knows better: %s', async (_name, behaviour, oauth) => {
    const { zoo, upstream } = await stage.server(behaviour);
    const set = JSON.parse(JSON.stringify(oauth).replaceAll('ISSUER', zoo.issuer)) as Oauth;
    stage.change(upstream, { oauth: set });
    expect((await stage.discover(upstream)).verdict).toBe('sign_in');
    const { id: personId, browser } = await stage.person();
    expect((await stage.press(browser, (await stage.link(personId, upstream)).url)).text).toContain('is connected');
  });

  it('tells each hop', async () => {
    const { zoo, upstream } = await stage.server();
    const { steps } = await stage.discover(upstream);
    expect(steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['request ok', 'resource_metadata ok', 'authorization_server ok', 'registration ok']);
    expect(steps[2]!.url).toBe(`${zoo.issuer}/.well-known/oauth-authorization-server`);
    for (const { detail } of steps) expect(detail).toMatch(/^[A-Z].*\.$/);
  });

  it('tells the same story again without asking anybody, until the server says something else', async () => {
    const { zoo, upstream } = await stage.server({ scopes: ['a'] });
    const first = await stage.discover(upstream);
    zoo.forget();
    expect(await stage.discover(upstream, { anew: false })).toEqual(first);
    expect(zoo.requests().filter(({ path }) => path !== '/mcp')).toEqual([]);
    zoo.set({ scopes: ['a', 'b'] });
    await stage.discover(upstream, { anew: false });
    expect(zoo.requests().filter(({ path }) => path.includes('oauth-authorization-server'))).toHaveLength(1);
  });

  it('says what to register where, in the words of the preset', async () => {
    const { upstream } = await stage.server({ registration: 'none' }, { preset: SLACK });
    const { advice } = await stage.discover(upstream);
    expect(advice).toBe(`Register an OAuth client at Acme with the callback address ${stage.auth.origin}/oauth/callback, then give its id and secret. Make an app of the type “internal”. https://acme.example/apps`);
  });

  it('says which header to give where there is no OAuth', async () => {
    const { upstream } = await stage.server({ prm: 'none', challenge: 'bare', authorizationServer: 'server', metadata: 'none', registration: 'none' }, { preset: SLACK });
    expect((await stage.discover(upstream)).advice).toMatch(/^Give a token or key of your own; it is sent in the header X-Acme-Key\./);
  });

  it('registers once, and again only when more scopes are wanted or the secret is about to end', async () => {
    const { zoo, upstream } = await stage.server({ scopes: ['a'] });
    for (let round = 0; round < 3; round++) await stage.discover(upstream);
    expect(zoo.requests('/register')).toHaveLength(1);
    stage.change(upstream, { oauth: { scopes: ['a', 'b'] } });
    await stage.discover(upstream);
    expect(zoo.requests('/register')).toHaveLength(2);
    zoo.set({ clientSecretSeconds: 3_600, scopes: ['a', 'c'] });
    stage.change(upstream, { oauth: {} });
    await stage.discover(upstream);
    await stage.discover(upstream);
    expect(zoo.requests('/register')).toHaveLength(4);
  });

  it('keeps a client to the issuer it was registered at, and ends accounts of another', async () => {
    const { zoo, upstream, identityId, personId } = await stage.connected();
    const other = await stage.server({ prm: 'none' });
    zoo.set({ prmMembers: { authorization_servers: [other.zoo.issuer] } });
    expect((await stage.discover(upstream)).verdict).toBe('sign_in');
    expect(other.zoo.requests('/register')).toHaveLength(1);
    expect((await stage.auth.directory()).identities).toContainEqual(expect.objectContaining({ id: identityId, owner: personId, status: 'needs_reauth' }));
  });

  it('knows it for an hour, and the old answer serves on while nothing can be found out', async () => {
    const { zoo, upstream } = await stage.server();
    await stage.discover(upstream);
    zoo.forget();
    const { id: personId, browser } = await stage.person();
    await browser.get((await stage.link(personId, upstream)).url);
    expect(zoo.requests().filter(({ path }) => path.includes('well-known'))).toEqual([]);
    stage.auth.clock.advance(3_600_001);
    zoo.set({ metadata: 'error-500' });
    const later = await stage.person();
    const page = await stage.press(later.browser, (await stage.link(later.id, upstream)).url);
    expect(page.text).toContain('is connected');
  });

  it('refuses a server that is not there', async () => {
    await expect(stage.discover({ id: 'srv_01a1fe77-7de2-767f-ae1e-8fcc84f36cc3' } as upstreamContracts.UpstreamServer, { challenge: null })).rejects.toMatchObject({ code: 'unknown_server' });
  });
});
