import { identityContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { OauthUpstreamOptions } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectSoundPage } from '../pages/sound-page.conformance.js';
import { ConnectStage } from './connect-stage.conformance.js';

let stage: ConnectStage;

beforeAll(async () => {
  stage = await ConnectStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

describe('connecting an account', () => {
  it('leads from the link to the provider and back, and makes an identity of it', async () => {
    const { zoo, upstream } = await stage.server();
    expect(await stage.discover(upstream)).toMatchObject({ verdict: 'sign_in', advice: null });
    const { id: personId, browser } = await stage.person();
    const { id, url } = await stage.link(personId, upstream);
    expect(await stage.state(id, personId)).toEqual({ id, state: 'waiting', identityId: null, problem: null });

    const page = await browser.get(url);
    expectSoundPage(page);
    const host = new URL(zoo.issuer).host;
    expect(page.text).toContain(`You are about to sign in at ${host}`);
    expect(page.text).toContain(`${upstream.name} (${new URL(upstream.url).host})`);
    expect(page.text).toContain('Ada');

    const done = await browser.submit(page.forms[0]);
    expectSoundPage(done);
    expect([done.status, done.text]).toEqual([200, expect.stringContaining('You can close this page and go back to your client.')]);
    expect(JSON.parse(String(done.headers['x-gatehouse-record']))).toMatchObject({ kind: 'account_connected', callerName: 'Ada', target: upstream.name });

    const { state, identityId } = await stage.state(id, personId);
    expect(state).toBe('connected');
    expect(stage.lines(identityId)).toEqual([['Authorization', expect.stringMatching(/^Bearer \S+$/)]]);
    expect((await stage.auth.directory()).identities).toContainEqual(expect.objectContaining({ id: identityId, serverId: upstream.id, owner: personId, status: 'active' }));
  });

  it('sends PKCE, state, resource and the registered callback, and shows nobody the verifier', async () => {
    const { zoo } = await stage.connected({ scopes: ['read', 'write'], resource: 'required' });
    const [asked] = zoo.requests('/authorize');
    const query = asked!.query;
    expect(Object.fromEntries(query)).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', scope: 'read write', resource: zoo.url });
    expect(query.get('redirect_uri')).toMatch(/\/oauth\/callback\/[A-Za-z0-9_-]{20,}$/);
    const [form] = zoo.tokenRequests('authorization_code');
    expect(form!.get('resource')).toBe(zoo.url);
    expect(query.get('code_challenge')).not.toBe(form!.get('code_verifier'));
    const [registered] = zoo.requests('/register');
    expect(JSON.parse(registered!.body)).toMatchObject({ scope: 'read write', redirect_uris: [query.get('redirect_uri')] });
    expect(JSON.parse(registered!.body)).not.toHaveProperty('resource');
  });

  it('leads to the authorization server that the server names by now, once it refused what the one before gave', async () => {
    const { zoo, upstream, identityId, personId } = await stage.connected({ rotation: 'no-refresh-token' });
    const { zoo: other } = await stage.server({ resource: 'ignored' });
    zoo.set({ prmMembers: { authorization_servers: [other.issuer] } });
    const refused = { identityId: identityId!, version: 1, cause: 'refused', challenge: await stage.challenge(upstream) } as const;
    expect(await stage.auth.gateway.request(identityContracts.refreshIdentity, refused)).toEqual({ outcome: 'dead', reason: 'no_refresh_token' });
    const browser = await stage.auth.signedInBrowser(personId, []);
    const { id, url } = await stage.link(personId, upstream, { identityId });
    expect((await stage.press(browser, url)).status).toBe(200);
    expect((await stage.state(id, personId)).state).toBe('connected');
    expect([zoo.requests('/authorize').length, other.requests('/register').length, other.requests('/authorize').length]).toEqual([1, 1, 1]);
  });

  it('keeps no secret where it can be read', async () => {
    const { zoo } = await stage.connected();
    const tables = ['upstream_oauth', 'upstream_clients', 'upstream_connections', 'upstream_secrets', 'identities', 'outbox'];
    const rows = await Promise.all(tables.map((table) => stage.auth.db.query(`SELECT * FROM ${table}`)));
    const kept = JSON.stringify(rows) + stage.auth.logLines.join('\n');
    for (const secret of zoo.secrets()) expect(kept).not.toContain(secret);
  });

  it('asks for what is missing too when an account is connected anew', async () => {
    const { zoo, upstream, personId, identityId } = await stage.connected({ scopes: ['read'] });
    await stage.auth.db.query(`UPDATE identities SET status = 'needs_reauth', reason = 'scope_missing', wanted_scopes = '{write}' WHERE id = $1`, [identityId]);
    const browser = await stage.auth.signedInBrowser(personId, []);
    const { id, url } = await stage.link(personId, upstream, { identityId });
    expect((await stage.press(browser, url)).text).toContain('is connected');
    expect(zoo.requests('/authorize').at(-1)!.query.get('scope')).toBe('read write');
    expect((await stage.state(id, personId)).identityId).toBe(identityId);
    expect((await stage.auth.directory()).identities).toContainEqual(expect.objectContaining({ id: identityId, status: 'active' }));
  });

  it('finds out by itself how to sign in when no probe did yet', async () => {
    const { upstream } = await stage.server({}, { auth: 'auto' });
    const { id, browser } = await stage.person();
    expect((await stage.press(browser, (await stage.link(id, upstream)).url)).text).toContain('is connected');
  });

  it.each<[string, OauthUpstreamOptions, number, string]>([
    ['nobody can sign in there', { prm: 'error-500' }, 502, 'Nobody can sign in there yet'],
    ['codes are not protected', { pkce: 'silent' }, 502, 'This sign-in is not safe enough'],
  ])('shows a sound page when %s', async (_name, behaviour, status, title) => {
    const { upstream } = await stage.server(behaviour);
    const { id, browser } = await stage.person();
    const { url } = await stage.link(id, upstream);
    const opened = await browser.get(url);
    const page = opened.status === 200 ? await browser.submit(opened.forms[0]) : opened;
    expectSoundPage(page);
    expect([page.status, page.text]).toEqual([status, expect.stringContaining(title)]);
  });

  it('says so when the vault cannot keep the result, and nothing is half connected', async () => {
    const { upstream } = await stage.server();
    await stage.discover(upstream);
    const { id: personId, browser } = await stage.person();
    const { id, url } = await stage.link(personId, upstream);
    const page = await browser.get(url);
    stage.auth.neighbours.beforeStore = () => Promise.reject(new Refusal('vault_unavailable'));
    const done = await browser.submit(page.forms[0]);
    stage.auth.neighbours.beforeStore = () => Promise.resolve();
    expectSoundPage(done);
    expect([done.status, done.text]).toEqual([503, expect.stringContaining('The account could not be stored')]);
    expect((await stage.state(id, personId)).state).toBe('failed');
    expect((await stage.auth.directory()).identities.filter(({ owner }) => owner === personId)).toEqual([]);
  });
});
