import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rename, rm } from 'node:fs/promises';
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

// Making a cluster takes seconds, copying one a fraction of one: the first is kept beside the temporary
// folders, under the name of the binaries that made it.
async function createCluster(binFolder: string, folder: string, uid: number | undefined): Promise<void> {
  const template = join(tmpdir(), `gatehouse-postgres-template-${hash('sha256', `${binFolder} ${uid}`, 'hex').slice(0, 16)}`);
  if (!existsSync(template)) await createTemplate(binFolder, template, uid);
  await run('cp', ['-a', `${template}/.`, folder]);
}

async function createTemplate(binFolder: string, template: string, uid: number | undefined): Promise<void> {
  const draft = await mkdtemp(`${template}-`);
  if (uid !== undefined) await chown(draft, uid, uid);
  const args = ['-D', draft, '-U', 'gatehouse', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  const user = uid === undefined ? {} : { uid, gid: uid };
  await run(join(binFolder, 'initdb'), args, { cwd: draft, timeout: 30_000, ...user });
  // Another run may have been first; then this one is not needed.
  await rename(draft, template).catch(() => rm(draft, { recursive: true, force: true }));
}

/** The protocol's first message; a server that still recovers answers it with an error, a ready one with `R`. */
function startupMessage(): Buffer {
  const body = Buffer.from('\0\x03\0\0user\0gatehouse\0database\0postgres\0\0', 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}
