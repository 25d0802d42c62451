import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { startJsonUpstream, type Upstream } from '@gatehouse/testing';
import { accessEnds, LEAVING } from './access-ends.conformance.js';
import { connectedClient } from './clients/connected-client.js';
import { CLIENT_REDIRECT, OAuthMemory, type Registration } from './clients/oauth-memory.js';
import { resultText } from './clients/official-client.js';
import { Company } from './world/company.js';
import { admin, eventually, inBothForms, registered, servedEverywhere } from './world/world.js';

const company = new Company([
  { sub: 'ada', name: 'Ada Lovelace', email: 'ada@example.com', email_verified: true, groups: ['engineering'] },
  { sub: 'grace', name: 'Grace Hopper', email: 'grace@example.com', email_verified: true, groups: ['gatehouse-admins'] },
  ...LEAVING,
]);

/** One of the official clients, as far as signing in goes. */
interface Sdk {
  name: string;
  /** Connects, or says that somebody has to sign in. */
  connect(url: string, memory: OAuthMemory): Promise<{ callTool(name: string): Promise<string>; close(): Promise<void> }>;
  /** Hands the callback's parameters to the client. */
  finish(url: string, memory: OAuthMemory, callback: URLSearchParams): Promise<void>;
}

const v1: Sdk = {
  name: 'SDK v1',
  connect: async (url, memory) => {
    const client = new ClientV1({ name: 'v1', version: '1' });
    await client.connect(new TransportV1(new URL(url), { authProvider: memory }) as never);
    return { callTool: async (name) => resultText(await client.callTool({ name, arguments: {} })), close: () => client.close() };
  },
  finish: (url, memory, callback) => new TransportV1(new URL(url), { authProvider: memory }).finishAuth(callback.get('code')!),
};

const v2: Sdk = {
  name: 'SDK v2',
  connect: async (url, memory) => {
    const client = new ClientV2({ name: 'v2', version: '1' });
    await client.connect(new TransportV2(new URL(url), { authProvider: memory as never }));
    return { callTool: async (name) => resultText(await client.callTool({ name, arguments: {} })), close: () => client.close() };
  },
  finish: (url, memory, callback) => new TransportV2(new URL(url), { authProvider: memory as never }).finishAuth(callback),
};

inBothForms(
  'A client that knows nothing but the address of an endpoint',
  (world) => {
    let upstream: Upstream;
    const endpoint = (name = 'notes'): string => `${world().edges[0]!}/mcp/${name}`;

    beforeAll(async () => {
      company.welcome(world().edges[0]!);
      upstream = await startJsonUpstream({});
      for (const name of ['notes', 'mail']) await registered(world(), { name, url: upstream.url });
      for (const name of ['notes', 'mail']) await servedEverywhere(world(), name);
      const settings = await admin(world()).ok('GET', '/client-registration');
      await admin(world()).ok('PUT', '/client-registration', { ...settings, privateHosts: ['localhost'] });
    }, 60_000);
    afterAll(() => upstream.close());

    const registrations: Record<string, () => Registration> = {
      'registers itself': () => ({ kind: 'dynamic' }),
      'names the document about it': () => ({ kind: 'metadata-document', url: company.describe('/story.json', CLIENT_REDIRECT) }),
    };
    const ways = [v1, v2].flatMap((sdk) => Object.entries(registrations).map(([how, registration]) => [sdk.name, how, sdk, registration] as const));

    it.each(ways)('%s %s, a person signs in and agrees, and it calls a tool', async (_name, _how, sdk, registration) => {
      const memory = new OAuthMemory(registration());
      await expect(sdk.connect(endpoint(), memory)).rejects.toThrow(/unauthorized/i);
      const address = await company.goThrough(company.browser([CLIENT_REDIRECT]), memory.asked!.href, 'ada');
      await sdk.finish(endpoint(), memory, new URL(address).searchParams);
      const client = await sdk.connect(endpoint(), memory);
      expect(await client.callTool('search')).not.toMatch(/error/);
      await client.close();
    });

    it('leaves records that say who, with which client, for which endpoint', async () => {
      const ada = await connectedClient(company, world(), 'ada', 'notes');
      await ada.callTool('search');
      const records = await eventually(async () => {
        const { items } = await admin(world()).ok('GET', '/audit/records?method=tools/call&limit=20');
        const own = items.filter(({ facts }: any) => facts.client.id === ada.clientId);
        return own.length > 0 && own[0].outcome !== null ? own : undefined;
      });
      expect(records[0].facts).toMatchObject({ endpoint: 'notes', caller: { kind: 'person', name: 'Ada Lovelace', tokenId: ada.grantId }, client: { id: ada.clientId } });
      const signIns = await eventually(async () => {
        const { items } = await admin(world()).ok('GET', '/audit/records?kind=auth&limit=200');
        const kinds = new Set(items.map(({ facts }: any) => facts.method));
        return kinds.size >= 3 ? items : undefined;
      });
      expect(JSON.stringify(signIns)).not.toMatch(/code=|refresh_token|eyJ/);
    });

    it('has a token for that endpoint alone: not for another, not for the admin API, not for going upstream', async () => {
      const ada = await connectedClient(company, world(), 'ada', 'notes');
      const before = upstream.requests().length;
      expect((await ada.request('mail', 'ping')).status).toBe(401);
      const asked = await admin(world(), 0, ada.accessToken).send('GET', '/whoami');
      expect([asked.status, asked.body.code]).toEqual([401, 'unauthenticated']);
      expect(upstream.requests()).toHaveLength(before);
      await ada.callTool('search');
      const sent = upstream.requests().slice(before);
      expect(sent.length).toBeGreaterThan(0);
      expect(JSON.stringify(sent)).not.toContain(ada.accessToken);
    });

    it('goes on with a refreshed token in the same session, on every edge', async () => {
      const ada = await connectedClient(company, world(), 'ada', 'notes');
      await ada.refresh();
      for (const edge of world().edges.keys()) expect(await ada.callTool('search', edge)).not.toMatch(/error/);
    });

    it('makes the first person of the administrators group an administrator, and nobody else', async () => {
      await connectedClient(company, world(), 'grace', 'notes');
      await connectedClient(company, world(), 'ada', 'notes');
      const { items } = await admin(world()).ok('GET', '/people');
      const roles = Object.fromEntries(items.map(({ name, effective }: any) => [name, effective.roles]));
      expect(roles['Grace Hopper']).toContain('administrator');
      expect(roles['Ada Lovelace']).toEqual(['member']);
    });

    accessEnds(world, company);
  },
  () => company.open(),
);
