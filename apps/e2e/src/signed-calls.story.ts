import { createPublicKey, hash, verify, type JsonWebKey } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startJsonUpstream, type Upstream } from '@gatehouse/testing';
import { WireClient } from './wire/wire-client.js';
import { cliJson } from './world/cli.js';
import { admin, eventually, inBothForms, registered, servedEverywhere } from './world/world.js';

type Recorded = ReturnType<Upstream['requests']>[number];

inBothForms('A server that asks for signed calls', (world) => {
  let upstream: Upstream;

  beforeAll(async () => {
    upstream = await startJsonUpstream();
    const { health } = await registered(world(), { name: 'signed', url: upstream.url, signCalls: true });
    expect(health.status).toBe('healthy');
    await servedEverywhere(world(), 'signed');
  });
  afterAll(() => upstream.close());

  async function call(edge: number): Promise<void> {
    const client = new WireClient(world(), 'signed');
    await client.initialize('2025-11-25', { edge });
    expect((await client.call('get_issue', { id: 'ISSUE-1' }, { edge })).status).toBe(200);
  }

  async function published(edge: number): Promise<{ keys: (JsonWebKey & { kid: string })[] }> {
    const answer = await fetch(new URL('/.well-known/gatehouse-calls/jwks.json', world().edges[edge % world().edges.length]), { signal: AbortSignal.timeout(5_000) });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { keys: (JsonWebKey & { kid: string })[] };
  }

  const parts = ({ headers }: Recorded): string[] => String(headers['gatehouse-call']).split('.');
  const decoded = (part: string | undefined): any => JSON.parse(Buffer.from(part!, 'base64url').toString());

  async function verified(request: Recorded, edge: number): Promise<any> {
    const [head, claims, signature] = parts(request);
    const key = (await published(edge)).keys.find(({ kid }) => kid === decoded(head).kid);
    expect(verify(null, Buffer.from(`${head}.${claims}`), createPublicKey({ key: key!, format: 'jwk' }), Buffer.from(signature!, 'base64url'))).toBe(true);
    expect(decoded(claims)).toMatchObject({ aud: upstream.url, digest: hash('sha256', request.body, 'base64url') });
    return decoded(claims);
  }

  it('can verify every request that came, of people and of probes, at any edge', async () => {
    for (const edge of [0, 1]) await call(edge);
    const payloads = await Promise.all(upstream.requests().flatMap((request) => [0, 1].map((edge) => verified(request, edge))));
    expect(payloads.length).toBeGreaterThan(8);
    const last = await verified(upstream.calls('tools/call').at(-1)!, 0);
    const record = await eventually(async () => (await admin(world()).ok('GET', `/audit/records?id=${last.jti}`)).items[0]);
    expect(record.facts).toMatchObject({ method: 'tools/call', caller: { id: last.sub } });
  });

  it('verifies on through a rotation: the key that signs next is published already', async () => {
    const before = await published(0);
    const { keys } = await admin(world()).ok('GET', '/vault-keys');
    const { active } = keys.find(({ what }: { what: string }) => what === 'call-signing');
    const rotated = await admin(world()).ok('POST', '/vault-keys/rotate', { what: 'call-signing', expectedActive: active });
    expect(before.keys.map(({ kid }) => kid)).toEqual([active, rotated.active]);
    for (const edge of [0, 1]) await call(edge);
    const request = upstream.calls('tools/call').at(-1)!;
    expect(before.keys.map(({ kid }) => kid)).toContain(decoded(parts(request)[0]).kid);
    await verified(request, 0);
  });

  it('shows the hops of each call in its log while it is debugged, at any edge', async () => {
    await cliJson(world(), ['server', 'debug', 'signed', '--minutes', '5']);
    const details = await eventually(async () => {
      await call(1);
      const { items } = await admin(world()).ok('GET', '/servers/signed/logs');
      const shown = items.filter(({ kind }: { kind: string }) => kind === 'call').map(({ detail }: { detail: string }) => detail);
      return shown.length > 0 ? (shown as string[]) : undefined;
    });
    expect(details.at(-1)).toMatch(/^ok; .*forward [\d.]+ ms; .*; (new connection|connection reused), .*first byte [\d.]+ ms, end [\d.]+ ms, \d+ B up, \d+ B down$/);
  });
});
