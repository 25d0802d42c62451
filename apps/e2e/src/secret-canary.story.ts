import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startJsonUpstream, type Upstream } from '@gatehouse/testing';
import { busTraffic, type BusTraffic } from './world/bus-traffic.js';
import { cli, cliJson } from './world/cli.js';
import { leaksIn, placesOf, shapesOf, type Place } from './world/secret-search.js';
import { eventually, inBothForms, servedEverywhere } from './world/world.js';

/** The secret has a quote, so that its JSON-escaped form is another one. */
const CANARY = `canary-"${randomBytes(18).toString('hex')}`;

const found = (content: Buffer): string[] => leaksIn([['it', content]], [CANARY]);

describe('the search itself', () => {
  it('finds the secret in every shape it looks for', () => {
    for (const [name, shape] of Object.entries(shapesOf(CANARY))) expect(found(Buffer.from(`xx${shape}yy`))).toContain(`secret 0 ${name} in it`);
    for (const coding of ['base64', 'base64url', 'hex'] as const) expect(found(Buffer.from(Buffer.from(`{"v":"${CANARY}"}`).toString(coding)))).not.toEqual([]);
  });
});

inBothForms('A secret header', (world) => {
  let upstream: Upstream;
  let folder: string;
  let traffic: BusTraffic;
  const printed: Buffer[] = [];
  beforeAll(async () => {
    upstream = await startJsonUpstream({ requiredHeader: { name: 'X-Api-Key', value: CANARY } });
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-canary-'));
    await writeFile(join(folder, 'key.txt'), `${CANARY}\n`, { mode: 0o600 });
    traffic = await busTraffic(world());
  });
  afterAll(async () => {
    await traffic.close();
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  });

  const run = async (...args: string[]) => {
    const answer = await cli(world(), args, {}, folder);
    printed.push(Buffer.from(answer.stdout + answer.stderr));
    return answer;
  };

  it('is registered from a file, and the tools behind it are listed', async () => {
    const added = await run('server', 'add', upstream.url, '--name', 'x', '--allow-private-network', '--secret-header', 'X-Api-Key=file:key.txt');
    expect(added).toMatchObject({ code: 0 });
    const tools = await run('server', 'tools', 'x', '-o', 'json');
    expect(JSON.parse(tools.stdout)).toHaveLength(5);
    await servedEverywhere(world(), 'x');
  });

  it('goes out with every call, to that server', async () => {
    const [tool] = JSON.parse((await run('server', 'tools', 'x', '-o', 'json')).stdout);
    expect(await run('call', 'x', tool.name, '{}')).toMatchObject({ code: 0 });
    const call = upstream.calls('tools/call').at(-1);
    expect(call?.headers['x-api-key']).toBe(CANARY);
  });

  it('is nowhere else: not in answers, logs, figures, the database, the spool, the stores or on the bus', async () => {
    await run('call', 'x', 'no-such-tool', '{}');
    await run('server', 'add', upstream.url, '--name', 'x', '--allow-private-network', '--secret-header', 'X-Api-Key=file:key.txt');
    await run('server', 'add', 'http://127.0.0.1:1/mcp', '--name', 'bad_name', '--allow-private-network', '--secret-header', 'X-Api-Key=file:key.txt');
    await run('server', 'show', 'x', '-o', 'json');
    await run('audit', 'query', '-o', 'json');
    const records = await eventually(async () => {
      const items = await cliJson(world(), ['audit', 'query', '--server', 'x']);
      return items.length >= 2 ? items : undefined;
    });
    printed.push(Buffer.from(JSON.stringify(records)));
    const places = [...printed.map((text, at): Place => [`answer ${at}`, text]), ...(await placesOf(world(), traffic))];
    expect(places.length).toBeGreaterThan(10);
    expect(leaksIn(places, [CANARY])).toEqual([]);
  });
});
