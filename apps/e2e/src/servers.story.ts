import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startJsonUpstream, TestAuthority, type Upstream } from '@gatehouse/testing';
import { WireClient } from './wire/wire-client.js';
import { cli, cliJson } from './world/cli.js';
import { admin, eventually, inBothForms, registered, servedEverywhere } from './world/world.js';

inBothForms('A server', (world) => {
  const authority = new TestAuthority();
  let upstream: Upstream;
  let secure: { url: string; close(): void };

  beforeAll(async () => {
    upstream = await startJsonUpstream();
    secure = await overTls(upstream, authority);
  });
  afterAll(async () => {
    secure.close();
    await upstream.close();
  });

  const working = async (name: string, edge: number): Promise<number> => {
    const client = new WireClient(world(), name);
    await client.initialize('2025-11-25', { edge });
    return (await client.call('get_issue', { id: 'ISSUE-1' }, { edge })).status;
  };

  it('whose authority is not known says so and how it is put right, and is reached once it is given', async () => {
    const shown = await registered(world(), { name: 'private', url: secure.url });
    expect(shown.health).toMatchObject({ status: 'failing', failure: 'tls_broken_chain', detail: expect.stringContaining('--ca-file') });
    const trusted = await registered(world(), { name: 'trusted', url: secure.url, caCertificate: authority.certificate });
    expect([trusted.health.status, trusted.caCertificates.length]).toEqual(['healthy', 1]);
    await servedEverywhere(world(), 'trusted');
    for (const edge of [0, 1]) expect(await working('trusted', edge)).toBe(200);
    const refused = await admin(world()).send('POST', '/servers', { url: secure.url, allowPrivateNetwork: true, caCertificate: 'not one' });
    expect([refused.status, refused.body.code, refused.body.reason]).toEqual([422, 'certificate_refused', 'not_pem']);
  });

  it('that is stateless hears POST alone, from probes and clients', async () => {
    upstream.forget();
    await registered(world(), { name: 'plain', url: upstream.url, stateless: true });
    await servedEverywhere(world(), 'plain');
    const client = new WireClient(world(), 'plain');
    await client.initialize();
    expect([(await client.call('get_issue', { id: 'ISSUE-1' })).status, await client.end(), (await client.listen()).status]).toEqual([200, 405, 405]);
    expect(new Set(upstream.requests().map(({ method }) => method))).toEqual(new Set(['POST']));
    expect((await cli(world(), ['server', 'show', 'plain', '-o', 'table'])).stdout).toContain('stateless (POST only)');
  });

  it('is stopped, restarted and tells of it in its own log', async () => {
    await registered(world(), { name: 'managed', url: upstream.url });
    await servedEverywhere(world(), 'managed');
    await cliJson(world(), ['server', 'stop', 'managed']);
    const client = new WireClient(world(), 'managed');
    for (const edge of [0, 1]) await eventually(async () => (JSON.stringify((await client.initialize('2025-11-25', { edge })).messages).includes('server_stopped') ? true : undefined));
    const restarted = await cliJson(world(), ['server', 'restart', 'managed']);
    expect([restarted.state, restarted.health.status]).toEqual(['running', 'healthy']);
    for (const edge of [0, 1]) await eventually(async () => ((await working('managed', edge)) === 200 ? true : undefined));
    const lines = await cliJson(world(), ['server', 'logs', 'managed']);
    const own = lines.filter(({ kind }: { kind: string }) => kind !== 'call').map(({ event }: { event: string }) => event);
    expect(own).toEqual(['registered', 'healthy', 'stopped', 'restarted', 'healthy']);
  });

  it('that fails has the call in its log, with the reason', async () => {
    await working('private', 0).catch(() => undefined);
    const line = await eventually(async () => {
      const { items } = await admin(world()).ok('GET', '/servers/private/logs');
      return items.find(({ kind }: { kind: string }) => kind === 'call');
    });
    expect(line).toMatchObject({ event: 'initialize', detail: 'upstream_error (upstream_unreachable: tls_broken_chain)', record: expect.any(String) });
  });

  it('is found in the catalogue by name, or refused', async () => {
    const listed = await cliJson(world(), ['catalogue', 'list']);
    expect(listed).toContainEqual(expect.objectContaining({ name: 'notion', url: 'https://mcp.notion.com/mcp' }));
    const refused = await admin(world()).send('POST', '/servers', { catalogue: 'nowhere' });
    expect([refused.status, refused.body.code]).toEqual([404, 'not_found']);
  });
});

/** The same upstream behind TLS, with a certificate of the authority and nothing else. */
async function overTls(upstream: Upstream, authority: TestAuthority): Promise<{ url: string; close(): void }> {
  const server = createServer(authority.issue({ names: ['127.0.0.1'] }), (request, response) => void pass(upstream, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, close };
}

async function pass(upstream: Upstream, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = 'GET', headers } = request;
  const body = chunks.length === 0 ? null : Buffer.concat(chunks);
  const answer = await fetch(upstream.url, { method, body, headers: { 'content-type': headers['content-type'] ?? '', accept: headers.accept ?? '' } });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' }).end(Buffer.from(await answer.arrayBuffer()));
}
