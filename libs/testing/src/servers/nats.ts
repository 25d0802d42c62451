import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askPort } from './ask-port.js';
import { startChildServer, type TestServer } from './child-server.js';
import { findServerBinary } from './find-server-binary.js';
import { freePort } from './free-port.js';

/** nats-server with JetStream on a free loopback port; `args` are appended (for example `-c`, a config file), `at` is a port that was looked up before. */
export async function startNats(args: readonly string[] = [], at?: number): Promise<TestServer> {
  const port = at ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-nats-'));
  return startChildServer({
    command: findServerBinary('nats-server') ?? 'nats-server',
    args: ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder, ...args],
    url: `nats://127.0.0.1:${port}`,
    port,
    cwd: folder,
    stopSignal: 'SIGTERM',
    isReady: async () => (await askPort(port, ''))?.toString('latin1').startsWith('INFO ') ?? false,
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
}
