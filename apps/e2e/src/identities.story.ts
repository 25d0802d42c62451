import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startJsonUpstream, startOauthUpstream, type OauthUpstream, type Upstream } from '@gatehouse/testing';
import { connectThrough, linkIn, LOCAL_ACCOUNTS, Member } from './identities/member.js';
import type { WireClient } from './wire/wire-client.js';
import { admin, eventually, inBothForms, servedEverywhere } from './world/world.js';

const KEY = { name: 'x-api-key', value: 'a key that Alice typed in' };

inBothForms(
  'A server that asks whose account a call is',
  (world) => {
    let upstream: OauthUpstream;
    let keyed: Upstream;
    let alice: Member;
    let bob: Member;
    let root: Member;

    beforeAll(async () => {
      upstream = await startOauthUpstream({ user: 'alice@provider', scopes: ['notes'] });
      keyed = await startJsonUpstream({ requiredHeader: KEY });
      [alice, bob, root] = await Promise.all([Member.join(world(), 'Alice'), Member.join(world(), 'Bob'), Member.join(world(), 'Root', ['administrator'])]);
    }, 60_000);
    afterAll(async () => {
      await upstream.close();
      await keyed.close();
    });

    it('is added by its address alone, and tells each hop from its 401 to what people can do', async () => {
      await admin(world()).ok('POST', '/servers', { name: 'notes', url: upstream.url, allowPrivateNetwork: true });
      const { health } = await eventually(async () => {
        const shown = await admin(world()).ok('GET', '/servers/notes');
        return shown.health.verdict === null ? undefined : shown;
      });
      expect([health.verdict, new Set(health.steps.map(({ outcome }: any) => outcome))]).toEqual(['sign_in', new Set(['ok'])]);
      expect(health.steps.map(({ step }: any) => step)).toEqual(expect.arrayContaining(['request', 'resource_metadata', 'authorization_server', 'registration']));
      await servedEverywhere(world(), 'notes');
    });

    it('gives whoever has no account a link that is theirs alone', async () => {
      const link = linkIn(await asked(alice.client('notes')))!;
      const foreign = await connectThrough(bob.browser, link);
      expect([foreign.status, foreign.text]).toEqual([expect.any(Number), expect.not.stringContaining('is connected')]);
      expect(foreign.status).toBeGreaterThanOrEqual(400);
      expect(upstream.requests('/authorize')).toEqual([]);
      expect(await alice.follow(link)).toMatchObject({ status: 200, text: expect.stringContaining('connected') });
    });

    it('is called with the account of who calls, on every edge, and the record says whose it was', async () => {
      upstream.set({ user: 'bob@provider' });
      await bob.connect('notes');
      for (const edge of world().edges.keys()) {
        expect(await eventuallySpoken(alice.client('notes'), edge)).toContain('alice@provider');
        expect(await eventuallySpoken(bob.client('notes'), edge)).toContain('bob@provider');
      }
      const records = await eventually(async () => {
        const { items } = await admin(world()).ok('GET', '/audit/records?server=notes&method=tools/call');
        return items.length >= 2 * world().edges.length ? items : undefined;
      });
      for (const { facts } of records) expect(facts.identity).toMatchObject({ visibility: 'private', name: 'default', reason: 'own_only' });
      expect(new Set(records.map(({ facts }: any) => facts.identity.id)).size).toBe(2);
      const { items } = await alice.api().ok('GET', '/identities');
      expect(items).toEqual([expect.objectContaining({ server: 'notes', owner: alice.id, status: 'active', method: 'oauth', scopes: ['notes'] })]);
      expect(JSON.stringify(items)).not.toMatch(new RegExp(upstream.secrets().join('|')));
    });

    it('explains whose account it would be', async () => {
      expect(await alice.api().ok('GET', '/identities/explain?server=notes')).toMatchObject({ outcome: 'private', reason: 'own_only', identity: { name: 'default', status: 'active' } });
      expect((await bob.api().send('GET', `/identities/explain?server=notes&person=${alice.id}`)).status).toBe(403);
      expect(await admin(world()).ok('GET', `/identities/explain?server=notes&person=${root.id}`)).toMatchObject({ outcome: 'missing', reason: 'nothing_connected' });
    });

    it('is called with the shared account by whoever has none, and never by whoever has one that died', async () => {
      upstream.set({ user: 'team@provider' });
      await admin(world()).ok('PATCH', '/servers/notes', { identityMode: 'private-or-global' });
      expect(await root.connect('notes', { visibility: 'global' })).toMatchObject({ status: 200 });
      expect(await eventuallySpoken(root.client('notes'))).toContain('team@provider');
      expect(await spoken(alice.client('notes'))).toContain('alice@provider');
      upstream.revoke('alice@provider');
      const link = await eventually(async () => linkIn(await asked(alice.client('notes'))));
      await eventually(async () => ((await alice.api().ok('GET', '/identities/explain?server=notes')).reason === 'not_accepted' ? true : undefined));
      upstream.set({ user: 'alice@provider' });
      expect(await alice.follow(link)).toMatchObject({ status: 200 });
      expect(await eventuallySpoken(alice.client('notes'))).toContain('alice@provider');
    });

    it('takes a token typed in on the page where it wants a header', async () => {
      const auth = { kind: 'headers', headers: [{ name: KEY.name, secret: true }] };
      await admin(world()).ok('POST', '/servers', { name: 'keyed', url: keyed.url, allowPrivateNetwork: true, auth, identityMode: 'private-required' });
      await servedEverywhere(world(), 'keyed');
      const { url } = await alice.api().ok('POST', '/identities/connect', { server: 'keyed' });
      const form = (await alice.browser.get(url)).forms[0]!;
      const field = form.fields.find(({ type }) => type === 'password')!;
      expect(await alice.browser.submit(form, { [field.name!]: KEY.value })).toMatchObject({ status: 200 });
      expect(await eventuallySpoken(alice.client('keyed'))).toContain('issue');
    });

    it('leaves nothing behind when it is removed', async () => {
      await admin(world()).ok('DELETE', '/servers/notes');
      await eventually(async () => ((await admin(world()).ok('GET', '/identities?all=true')).items.some(({ server }: any) => server === 'notes') ? undefined : true));
      expect((await asked(alice.client('notes'))).status).toBe(404);
    });
  },
  () => ({ auth: LOCAL_ACCOUNTS }),
);

/** What a fresh client is answered when it opens a session and calls. */
async function asked(client: WireClient, edge = 0): Promise<{ status: number; messages: any[] }> {
  const opened = await client.initialize('2025-11-25', { edge });
  if (opened.status !== 200 || linkIn(opened.messages) !== undefined) return opened;
  return client.call('whoami', {}, { edge });
}

async function spoken(client: WireClient, edge = 0): Promise<string> {
  return JSON.stringify((await asked(client, edge)).messages);
}

/** What is answered once every edge knows the account: nothing asks for another any more. */
async function eventuallySpoken(client: WireClient, edge = 0): Promise<string> {
  return eventually(async () => {
    const answer = await asked(client, edge);
    return linkIn(answer.messages) === undefined && answer.messages[0]?.result !== undefined ? JSON.stringify(answer.messages) : undefined;
  });
}
