import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startJsonUpstream, startOauthUpstream, type OauthUpstream, type Upstream } from '@gatehouse/testing';
import { linkIn, LOCAL_ACCOUNTS, Member } from './identities/member.js';
import { busTraffic, type BusTraffic } from './world/bus-traffic.js';
import { filesUnder, leaksIn, placesOf, type Place } from './world/secret-search.js';
import { admin, eventually, inBothForms, servedEverywhere } from './world/world.js';

/** Each has a quote, so that its JSON-escaped form is another one. */
const canary = (): string => `canary-"${randomBytes(18).toString('hex')}`;
const TYPED = canary();
const CLIENT_SECRET = canary();
/** They never hold what anybody calls with, not even for a moment. */
const ALWAYS_CLEAN = ['audit', 'policy'];

let heaps: string;

inBothForms(
  'What accounts are made of',
  (world) => {
    let open: OauthUpstream;
    let registered: OauthUpstream;
    let keyed: Upstream;
    let traffic: BusTraffic;
    let alice: Member;

    beforeAll(async () => {
      traffic = await busTraffic(world());
      open = await startOauthUpstream({ user: 'alice' });
      registered = await startOauthUpstream({ user: 'alice', registration: 'none', clients: [{ clientId: 'acme', clientSecret: CLIENT_SECRET }] });
      keyed = await startJsonUpstream({ requiredHeader: { name: 'x-api-key', value: TYPED } });
      alice = await Member.join(world(), 'Alice');
    }, 60_000);
    afterAll(async () => {
      await traffic.close();
      await Promise.all([open.close(), registered.close(), keyed.close()]);
      rmSync(heaps, { recursive: true, force: true });
    });

    const added = async (name: string, url: string, auth: object = { kind: 'auto' }): Promise<void> => {
      await admin(world()).ok('POST', '/servers', { name, url, allowPrivateNetwork: true, auth });
      await eventually(async () => ((await admin(world()).ok('GET', `/servers/${name}`)).health.checkedAt === null ? undefined : true));
      await servedEverywhere(world(), name);
    };
    const used = async (name: string): Promise<void> => {
      const client = alice.client(name);
      await eventually(async () => {
        const opened = await client.initialize();
        return opened.status === 200 && linkIn(opened.messages) === undefined ? true : undefined;
      });
      expect(linkIn((await client.call('whoami')).messages)).toBeUndefined();
    };

    it('is connected, used and refreshed: by a registered client, by one with a secret, and by a header typed in', async () => {
      await added('open', open.url);
      await added('registered', registered.url, { kind: 'oauth', clientId: 'acme', clientSecret: CLIENT_SECRET });
      await added('keyed', keyed.url, { kind: 'headers', headers: [{ name: 'x-api-key', secret: true }] });
      for (const name of ['open', 'registered']) expect(await alice.connect(name)).toMatchObject({ status: 200 });
      await alice.api().ok('POST', '/identities', { server: 'keyed', headers: { 'x-api-key': TYPED } });
      for (const name of ['open', 'registered', 'keyed']) await used(name);
      for (const each of [open, registered]) each.expireAccessTokens();
      for (const name of ['open', 'registered']) await used(name);
      expect([open.refreshes(), registered.refreshes()]).toEqual([1, 1]);
    }, 60_000);

    it('is nowhere: not in logs, figures, the database, the spool, the stores, on the bus, or in the memory of who never needs it', async () => {
      const secrets = [TYPED, CLIENT_SECRET, ...open.secrets(), ...registered.secrets()];
      expect(secrets.length).toBeGreaterThanOrEqual(10);
      const places = await placesOf(world(), traffic);
      expect(leaksIn([...places, ...(await memories())], secrets)).toEqual([]);
    }, 60_000);

    /** Heap snapshots of the processes that must be clean; the one process holds everything in one memory. */
    const memories = async (): Promise<Place[]> => {
      const clean = world().processes.filter(({ app }) => ALWAYS_CLEAN.includes(app));
      for (const each of clean) await each.kill('SIGUSR2');
      const files = await eventually(async () => {
        const written = filesUnder(heaps);
        return written.length === clean.length && written.every((file) => readFileSync(file).subarray(-4).includes('}')) ? written : undefined;
      }, 30_000);
      return files.map((file) => [file, readFileSync(file)]);
    };
  },
  () => {
    heaps = mkdtempSync(join(tmpdir(), 'gatehouse-heaps-'));
    return { shared: { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${heaps}` }, auth: LOCAL_ACCOUNTS };
  },
);
