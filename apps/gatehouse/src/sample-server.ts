import type { Bus } from '@gatehouse/bus';
import { authContracts, serverContracts } from '@gatehouse/contracts';
import { startDemoServer } from '@gatehouse/demo-server';
import { newId } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';

const NAME = 'demo';
const WAIT_MS = 5_000;

/**
 * Runs the sample server while it is what is registered as `demo`, and registers it when nothing is
 * registered at all: a newcomer has something to call, and who removed it does not get it back.
 */
export async function runSampleServer(bus: Bus, log: Logger): Promise<{ close(): Promise<void> } | undefined> {
  const { items } = await bus.request(serverContracts.listServers, {});
  if (items.length === 0) return register(bus);
  const registered = items.find((server) => server.name === NAME && new URL(server.url).hostname === '127.0.0.1');
  return registered === undefined ? undefined : rerun(registered, log);
}

async function register(bus: Bus): Promise<{ close(): Promise<void> }> {
  const demo = await startDemoServer({});
  const actor = { callerId: await administrator(bus), tokenId: null };
  const credential = { identityMode: 'none' as const, headers: [], secretHeaders: [] };
  const server = { id: newId('server'), name: NAME, url: demo.url, allowPrivateNetwork: true, ...credential };
  await bus.request(serverContracts.addServer, { actor, server });
  return demo;
}

// The register knows the port of the first start: the sample server comes back where it was.
async function rerun({ url }: { url: string }, log: Logger): Promise<{ close(): Promise<void> } | undefined> {
  try {
    return await startDemoServer({ port: Number(new URL(url).port) });
  } catch (error) {
    log.warn({ err: error, url }, 'the sample server could not start: its port is taken');
    return undefined;
  }
}

async function administrator(bus: Bus): Promise<string> {
  const { items } = await bus.request(authContracts.listPeople, {});
  return items.find((person) => person.roles.includes('administrator'))!.id;
}

/** Waits until a probe has looked at the sample server, so that the first look at it shows its tools. */
export async function sampleProbed(bus: Bus): Promise<void> {
  for (const until = performance.now() + WAIT_MS; performance.now() < until; ) {
    const server = await bus.request(serverContracts.getServer, { name: NAME });
    if (server.health.status !== 'unknown') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
