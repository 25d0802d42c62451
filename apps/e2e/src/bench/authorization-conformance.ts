import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort, missingGlobSyncHook, PublicClient, ScriptedBrowser, startIdentityProvider, startJsonUpstream, type IdentityProvider } from '@gatehouse/testing';
import { startDistributed } from '../world/distributed-world.js';
import { startEmbedded } from '../world/embedded-world.js';
import type { World } from '../world/world.js';
import { served } from './served.js';

const LIMIT_MS = 120_000;

/**
 * Runs the official suite's scenarios for authorization servers against ours, with a person who signs in
 * at an identity provider and agrees; returns the exit code. `cli` is the suite's entry file: versions
 * before 0.2 do not have these scenarios.
 */
export async function authorizationConformance(form: 'one' | 'five', cli: string, print: (line: string) => void): Promise<number> {
  const provider = await startIdentityProvider({ people: [{ sub: 'ada', name: 'Ada', email: 'ada@example.com' }] });
  const upstream = await startJsonUpstream({});
  const auth = {
    GATEHOUSE_OIDC_ISSUER: provider.issuer,
    GATEHOUSE_OIDC_CLIENT_ID: provider.clientId,
    GATEHOUSE_OIDC_CLIENT_SECRET: provider.clientSecret,
    GATEHOUSE_OIDC_ALLOW_PRIVATE_NETWORK: 'on',
  };
  const world = form === 'one' ? await startEmbedded(auth) : await startDistributed({ auth });
  try {
    provider.setClient({ redirect_uris: [`${world.edges[0]!}/login/callback`] });
    const [resource] = await served(world, 'suite', upstream.url);
    return await runScenarios(world, { provider, resource: resource! }, { cli, print });
  } finally {
    await world.stop();
    await upstream.close();
    await provider.close();
  }
}

interface Company {
  provider: IdentityProvider;
  resource: string;
}

interface Run {
  cli: string;
  print: (line: string) => void;
}

async function runScenarios(world: World, { provider, resource }: Company, { cli, print }: Run): Promise<number> {
  const issuer = world.edges[0]!;
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  const { json } = await new PublicClient({ issuer, clientId: '', redirectUri }).register({ client_name: 'conformance', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' });
  const options = ['--url', issuer, '--client-id', String(json['client_id']), '--resource', resource, '--port', String(port)];
  const suite = spawn(process.execPath, [...missingGlobSyncHook(), cli, 'authorization', ...options], { stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT_MS });
  const lines = createInterface({ input: suite.stdout });
  lines.on('line', (line) => {
    print(line);
    if (line.startsWith(`${issuer}/authorize`)) void signIn(line, provider).catch((error: unknown) => print(String(error)));
  });
  const [code] = (await once(suite, 'exit')) as [number | null];
  return code ?? 1;
}

async function signIn(url: string, provider: IdentityProvider): Promise<void> {
  const browser = new ScriptedBrowser();
  let page = await browser.get(url);
  for (let pages = 0; page.forms.length > 0 && pages < 6; pages++) {
    page = await (page.url.startsWith(provider.issuer) ? browser.submit(page.forms[0], { login: 'ada' }) : browser.submit(page.forms[0], {}, 'allow'));
  }
}
