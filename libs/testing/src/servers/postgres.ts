import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { askPort } from './ask-port.js';
import { startChildServer, type TestServer } from './child-server.js';
import { findServerBinary } from './find-server-binary.js';
import { freePort } from './free-port.js';

const run = promisify(execFile);

/** `nobody`: PostgreSQL refuses to run as root. */
const UNPRIVILEGED = 65_534;

/**
 * PostgreSQL on a free loopback port with a fresh cluster: superuser and password `gatehouse`,
 * database `postgres`. fsync is off: what kills a test is a signal, never the power.
 */
export async function startPostgres(args: readonly string[] = []): Promise<TestServer> {
  const port = await freePort();
  const uid = process.getuid?.() === 0 ? UNPRIVILEGED : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-postgres-'));
  if (uid !== undefined) await chown(folder, uid, uid);
  const command = findServerBinary('postgres') ?? 'postgres';
  await createCluster(dirname(command), folder, uid);
  return startChildServer({
    command,
    args: ['-D', folder, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-F', ...args],
    url: `postgres://gatehouse:gatehouse@127.0.0.1:${port}/postgres`,
    port,
    uid,
    cwd: folder,
    stopSignal: 'SIGINT',
    isReady: async () => (await askPort(port, startupMessage()))?.[0] === 'R'.charCodeAt(0),
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
}

async function createCluster(binFolder: string, folder: string, uid: number | undefined): Promise<void> {
  const args = ['-D', folder, '-U', 'gatehouse', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  const user = uid === undefined ? {} : { uid, gid: uid };
  await run(join(binFolder, 'initdb'), args, { cwd: folder, timeout: 30_000, ...user });
}

/** The protocol's first message; a server that still recovers answers it with an error, a ready one with `R`. */
function startupMessage(): Buffer {
  const body = Buffer.from('\0\x03\0\0user\0gatehouse\0database\0postgres\0\0', 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}
