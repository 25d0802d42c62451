import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startJsonUpstream, type Upstream } from '@gatehouse/testing';
import { cli, cliJson } from './world/cli.js';
import { eventually, inBothForms, registered, servedEverywhere, type World } from './world/world.js';

const WITHIN_MS = 1_000;

async function connected(world: World, edge: number): Promise<Client> {
  const client = new Client({ name: 'story', version: '1' });
  const url = new URL(`${world.edges[edge % world.edges.length]}/mcp/tools`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: `Bearer ${world.adminToken}` } } }) as never);
  return client;
}

inBothForms('A policy file takes a tool away', (world) => {
  let upstream: Upstream;
  let folder: string;
  beforeAll(async () => {
    upstream = await startJsonUpstream();
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-policy-'));
    await registered(world(), { name: 'tools', url: upstream.url });
    await servedEverywhere(world(), 'tools');
  });
  afterAll(async () => {
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('makes it vanish from the list and refuses the call within a second at every edge, without the upstream hearing of it', async () => {
    const clients = await Promise.all(world().edges.map((_, edge) => connected(world(), edge)));
    const before = (await clients[0]!.listTools()).tools.map((tool) => tool.name);
    const [taken, kept] = [before[0]!, before[1]!];
    const file = join(folder, 'no-first-tool.cedar');
    await writeFile(file, `@id("no-first-tool")\nforbid (\n  principal,\n  action == Gatehouse::Action::"call",\n  resource == Gatehouse::Tool::"tools/${taken}"\n);\n`);
    expect(await cli(world(), ['policy', 'apply', '-f', file])).toMatchObject({ code: 0 });
    const applied = Date.now();
    for (const client of clients) {
      const names = await eventually(async () => {
        const listed = (await client.listTools()).tools.map((tool) => tool.name);
        return listed.includes(taken) ? undefined : listed;
      }, WITHIN_MS);
      expect(names).toEqual(before.filter((name) => name !== taken));
    }
    expect(Date.now() - applied).toBeLessThan(WITHIN_MS);
    const hits = upstream.calls('tools/call').length;
    for (const client of clients) {
      const refused = await client.callTool({ name: taken, arguments: {} });
      expect(refused.isError).toBe(true);
      expect(JSON.stringify(refused)).toContain('policy_denied');
    }
    expect(upstream.calls('tools/call')).toHaveLength(hits);
    await clients[0]!.callTool({ name: kept, arguments: {} });
    expect(upstream.calls('tools/call')).toHaveLength(hits + 1);
    const record = await eventually(async () => {
      const items = await cliJson(world(), ['audit', 'query', '--decision', 'deny', '--tool', taken]);
      return items.length >= clients.length ? items[0] : undefined;
    });
    expect(record.facts.decision).toMatchObject({ effect: 'deny', reason: 'forbidden', policies: ['no-first-tool'] });
    expect(record.outcome).toMatchObject({ status: 'refused', code: 'policy_denied', upstreamStatus: null });
    await Promise.all(clients.map((client) => client.close()));
  });

  it('writes nothing when one policy of a file is wrong, and says where', async () => {
    const file = join(folder, 'wrong.cedar');
    await writeFile(file, `@id("fine")\npermit (principal, action, resource);\n\n@id("wrong")\nforbid (principal, action == Gatehouse::Action::"cal", resource);\n`);
    const answer = await cli(world(), ['policy', 'apply', '-f', file]);
    expect(answer.code).toBe(1);
    expect(answer.stderr).toContain('wrong');
    const policies = await cliJson(world(), ['policy', 'list']);
    expect(policies.map((item: { name: string }) => item.name)).not.toContain('fine');
  });

  it('answers policy test with the decision that an edge would make', async () => {
    const answer = await cliJson(world(), ['policy', 'test', 'tools', 'anything']);
    expect(answer).toMatchObject({ effect: 'allow', policies: ['signed-in-people-may-call'] });
  });
});
