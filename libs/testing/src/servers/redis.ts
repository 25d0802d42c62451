import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askPort } from './ask-port.js';
import { startChildServer, type TestServer } from './child-server.js';
import { findServerBinary } from './find-server-binary.js';
import { freePort } from './free-port.js';

/** redis-server on a free loopback port, appending to a file so that a restart keeps its data. */
export async function startRedis(args: readonly string[] = [], at?: number): Promise<TestServer> {
  const port = at ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-redis-'));
  return startChildServer({
    command: findServerBinary('redis-server') ?? 'redis-server',
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', '--appendonly', 'yes', ...args],
    url: `redis://127.0.0.1:${port}`,
    port,
    cwd: folder,
    stopSignal: 'SIGTERM',
    // With users of its own it answers nobody who has not signed in, and that is an answer too.
    isReady: async () => /^(\+PONG|-NOAUTH)/.test((await askPort(port, 'PING\r\n'))?.toString('latin1') ?? ''),
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
}
