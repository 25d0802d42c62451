import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startClientMetadataHost, TestAuthority, type ClientMetadataHost } from '@gatehouse/testing';
import { destinations, NAMES, OWN_NAME, PUBLIC_ADDRESS } from './hostile-addresses/destinations.js';
import { foundAddresses } from './hostile-addresses/found-addresses.js';
import { LOCAL_ACCOUNTS } from './identities/member.js';
import { statedAddresses, type EntryPoint } from './hostile-addresses/stated-addresses.js';
import { startEmbedded } from './world/embedded-world.js';
import type { World } from './world/world.js';

const AT_ONCE = 8;
/** At a place where each costs a server, a probe and perhaps a sign-in, every so manieth is told; the next place tells others. `npm run ssrf` tells all. */
const EVERY = Number(process.env['SSRF_EVERY'] ?? 24);
const LIMIT_MS = EVERY === 24 ? 150_000 : 60 * 60_000;

describe('Whatever address Gatehouse is told', () => {
  const authority = new TestAuthority();
  let folder: string;
  let world: World;
  let host: ClientMetadataHost;
  let traps: Server[];
  let urls: string[];
  let sprung = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-ssrf-'));
    const trap = createServer((socket) => void ((sprung += 1), socket.destroy())).listen(0, '0.0.0.0');
    await once(trap, 'listening');
    const { port } = trap.address() as AddressInfo;
    const sixth = createServer((socket) => void ((sprung += 1), socket.destroy())).listen({ port, host: '::1', ipv6Only: true });
    sixth.on('error', () => undefined); // A machine without IPv6 proves the rest.
    traps = [trap, sixth];
    host = await startClientMetadataHost({ authority, hostname: OWN_NAME });
    urls = [...new Set(destinations({ port, redirector: host.origin }))];
    for (const url of urls.filter((each) => each.startsWith(`${host.origin}/redirect/`))) serveRedirect(host, url);
    const network = { names: NAMES, publicAddress: PUBLIC_ADDRESS, trapPort: port, log: join(folder, 'dialled') };
    await writeFile(network.log, '');
    await writeFile(join(folder, 'ca.pem'), authority.certificate);
    world = await startEmbedded({
      NODE_OPTIONS: `--import=${new URL('./hostile-addresses/watched-network.mjs', import.meta.url).href}`,
      WATCHED_NETWORK: JSON.stringify(network),
      GATEHOUSE_CA_FILE: join(folder, 'ca.pem'),
      GATEHOUSE_LOG_LEVEL: 'warn',
      GATEHOUSE_DEMO: 'off',
      ...LOCAL_ACCOUNTS,
    });
  }, LIMIT_MS);
  afterAll(async () => {
    await world?.stop();
    await host.close();
    for (const trap of traps) trap.close();
    await rm(folder, { recursive: true, force: true });
  }, LIMIT_MS);

  /** Addresses that sockets were about to reach, other than the public one. */
  const dialled = async (): Promise<string[]> => {
    const lines = (await readFile(join(folder, 'dialled'), 'utf8')).split('\n').filter(Boolean);
    return lines.filter((line) => !line.startsWith(`${PUBLIC_ADDRESS} `));
  };

  const everywhere = async (entry: EntryPoint, told = urls): Promise<void> => {
    const left = [...told];
    const tell = async (teller: number): Promise<void> => {
      for (let url = left.pop(); url !== undefined; url = left.pop()) await entry.tell(url, teller);
    };
    await Promise.all(Array.from({ length: entry.atOnce ?? AT_ONCE }, (_each, teller) => tell(teller)));
  };

  it('there are 250 hostile ones at least', () => {
    expect(urls.length).toBeGreaterThanOrEqual(250);
  });

  /** What is wrong at one place: connections that came, sockets that were about to be opened, a good address that was left alone. */
  const wrongAt = async (entry: EntryPoint, told = urls): Promise<string[]> => {
    const before = host.fetches().length;
    // First, while no limit per host is used up by the others.
    await entry.tell(`${host.origin}/good`, 0);
    const ignored = entry.isFollowed && host.fetches().length === before ? [`${entry.name}: a good address was not asked`] : [];
    await everywhere(entry, told);
    const [reached, seen] = [await dialled(), sprung];
    return seen > 0 || reached.length > 0 ? [...ignored, `${entry.name}: ${[...new Set(reached)].join(', ')} (${seen} connections)`] : ignored;
  };

  it('goes to none of them, from any place where an address is stated, and to a good one from those that lead somewhere', async () => {
    const wrong: string[] = [];
    for (const entry of statedAddresses(world)) wrong.push(...(await wrongAt(entry)));
    expect(wrong).toEqual([]);
  }, LIMIT_MS);

  it('goes to none of them, wherever an address is found in what a server or an authorization server answers', async () => {
    const found = await foundAddresses(world, authority);
    const wrong = await Promise.all(found.entries.map((entry, at) => wrongAt(entry, urls.filter((_url, nth) => nth % EVERY === at % EVERY))));
    await found.close();
    expect(wrong.flat()).toEqual([]);
  }, LIMIT_MS);
});

function serveRedirect(host: ClientMetadataHost, url: string): void {
  const { pathname, search, searchParams } = new URL(url);
  host.serve(pathname + search, { status: Number(pathname.split('/').at(-1)), redirectTo: searchParams.get('to')! });
}
