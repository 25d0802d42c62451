import { request } from 'node:http';
import { callbackParameters, PublicClient, ScriptedBrowser, startConformanceUpstream, startIdentityProvider, type IdentityProvider } from '@gatehouse/testing';
import { AdminApi } from '../world/admin-api.js';
import { startDistributed } from '../world/distributed-world.js';
import type { World } from '../world/world.js';
import { mcpHeaders, served } from './served.js';
import { quantile } from './statistics.js';

const REDIRECT = 'http://127.0.0.1:33418/callback';
const GIVE_UP_MS = 10_000;

/** Milliseconds from asking for a revocation until the last edge refused, and until the last stream was over. */
export interface RevocationTimes {
  refused: number[];
  cut: number[];
}

/**
 * Revokes `trials` personal access tokens and as many grants, one after the other, each with a stream
 * open at both of two edges, and measures until every edge refuses and every stream is over.
 */
export async function measureRevocation(trials: number, print: (line: string) => void): Promise<RevocationTimes> {
  const [provider, upstream] = [await startIdentityProvider({ people: [{ sub: 'ada', name: 'Ada', email: 'ada@example.com' }] }), await startConformanceUpstream()];
  const auth = {
    GATEHOUSE_OIDC_ISSUER: provider.issuer,
    GATEHOUSE_OIDC_CLIENT_ID: provider.clientId,
    GATEHOUSE_OIDC_CLIENT_SECRET: provider.clientSecret,
    GATEHOUSE_OIDC_ALLOW_PRIVATE_NETWORK: 'on',
  };
  const world = await startDistributed({ shared: { GATEHOUSE_LOG_LEVEL: 'warn' }, auth });
  try {
    provider.setClient({ redirect_uris: [`${world.edges[0]!}/login/callback`] });
    await served(world, 'suite', upstream.url);
    const times: RevocationTimes = { refused: [], cut: [] };
    const grants = await grantMaker(world, provider);
    for (let trial = 0; trial < trials; trial++) {
      await once(world, await madeToken(world), times);
      await once(world, await grants(), times);
    }
    print(lineOf('refused at every edge', times.refused));
    print(lineOf('streams cut', times.cut));
    return times;
  } finally {
    await world.stop();
    await provider.close();
    await upstream.close();
  }
}

/** Something that can be revoked. */
interface Access {
  token: string;
  revoke(): Promise<unknown>;
}

async function madeToken(world: World): Promise<Access> {
  const api = new AdminApi(world.edges[0]!, world.adminToken);
  const { id, token } = await api.ok('POST', '/tokens', { name: 'trial' });
  return { token, revoke: () => api.ok('POST', `/tokens/${id}/revoke`) };
}

async function grantMaker(world: World, provider: IdentityProvider): Promise<() => Promise<Access>> {
  const issuer = world.edges[0]!;
  const api = new AdminApi(issuer, world.adminToken);
  const browser = new ScriptedBrowser({ stopAt: [REDIRECT] });
  const asker = new PublicClient({ issuer, clientId: '', redirectUri: REDIRECT });
  const { json } = await asker.register({ client_name: 'trial', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' });
  return async () => {
    const client = new PublicClient({ issuer, clientId: String(json['client_id']), redirectUri: REDIRECT, resource: `${issuer}/mcp/suite` });
    let page = await browser.get(client.authorizeUrl());
    while (!page.stopped) page = await (page.url.startsWith(provider.issuer) ? browser.submit(page.forms[0], { login: 'ada' }) : browser.submit(page.forms[0], {}, 'allow'));
    const { json: tokens } = await client.exchange(callbackParameters(page.url)['code']);
    const token = String(tokens['access_token']);
    const { gid } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8')) as { gid: string };
    return { token, revoke: () => api.ok('POST', `/grants/${gid}/revoke`) };
  };
}

async function once(world: World, { token, revoke }: Access, times: RevocationTimes): Promise<void> {
  const edges = world.edges.map((edge) => `${edge}/mcp/suite`);
  await Promise.all(edges.map((edge) => until(async () => (await status(edge, token)) !== 401)));
  const streams = await Promise.all(edges.map((edge) => stream(edge, token)));
  const started = performance.now();
  const revoked = revoke();
  await Promise.all(edges.map((edge) => until(async () => (await status(edge, token)) === 401)));
  times.refused.push(performance.now() - started);
  await Promise.all(streams.map(({ ended }) => ended));
  times.cut.push(performance.now() - started);
  await revoked;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const limit = performance.now() + GIVE_UP_MS; !(await holds()); ) {
    if (performance.now() > limit) throw new Error(`it did not happen within ${GIVE_UP_MS} ms`);
  }
}

async function status(url: string, token: string): Promise<number> {
  const answer = await fetch(url, { method: 'POST', headers: mcpHeaders(token), body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
  await answer.arrayBuffer();
  return answer.status;
}

async function stream(url: string, token: string): Promise<{ ended: Promise<void> }> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'trial', version: '1' } };
  const opened = await fetch(url, { method: 'POST', headers: mcpHeaders(token), body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }) });
  await opened.arrayBuffer();
  const headers = { ...mcpHeaders(token), accept: 'text/event-stream', 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  return new Promise((resolve, reject) => {
    const listening = request(url, { headers, agent: false }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`no stream: ${answer.statusCode}`));
      resolve({ ended: new Promise<void>((over) => answer.resume().once('close', () => over())) });
    });
    listening.once('error', reject).end();
  });
}

function lineOf(what: string, values: readonly number[]): string {
  const [p50, p99, max] = [quantile(values, 0.5), quantile(values, 0.99), Math.max(...values)].map((value) => value.toFixed(0));
  return `${what.padEnd(24)} n ${values.length}  p50 ${p50} ms  p99 ${p99} ms  max ${max} ms`;
}
