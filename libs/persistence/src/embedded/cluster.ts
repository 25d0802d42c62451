import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { giveTo, serverAccount, type Account } from './account.js';
import { findBinaries, type Binaries } from './binaries.js';
import { cannotStart, codeOf } from './cannot-start.js';

const run = promisify(execFile);
const INITDB_LIMIT_MS = 60_000;

/** Superuser of the embedded cluster. */
export const SUPERUSER = 'gatehouse';

/** A created cluster and what is needed to run it. */
export interface Cluster {
  /** The data directory proper. */
  folder: string;
  /** What `-D` is given: see `dataPath`. */
  dataPath: string;
  bin: string;
  account: Account | undefined;
  password: string;
}

/** Opens the cluster under `<dataDir>/postgres`, creating it at the first start. */
export async function openCluster(dataDir: string): Promise<Cluster> {
  const home = join(dataDir, 'postgres');
  const account = await serverAccount(home);
  const binaries = await findBinaries(account);
  await mkdir(home, { recursive: true, mode: 0o700 });
  await giveTo(account, home);
  const folder = join(home, 'cluster');
  const cluster = { folder, dataPath: dataPath(folder, account), bin: join(binaries.folder, 'bin'), account };
  const found = await clusterVersion(folder);
  if (found === undefined) return { ...cluster, password: await createCluster(home, cluster) };
  refuseOtherMajor(found, binaries, folder);
  return { ...cluster, password: await readPassword(home) };
}

/**
 * An unprivileged account cannot walk a path under a 0700 home, but its working directory is set
 * while still root, and /proc/self/cwd leads there without walking. PostgreSQL makes `-D` absolute
 * and never leaves its data directory, so this is the one absolute path that works in every case.
 */
function dataPath(folder: string, account: Account | undefined): string {
  return account !== undefined && process.platform === 'linux' ? '/proc/self/cwd' : folder;
}

async function clusterVersion(folder: string): Promise<string | undefined> {
  try {
    return (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw cannotStart(`${folder} cannot be read (${codeOf(error)}); it belongs to another user`, error);
  }
}

function refuseOtherMajor(found: string, { major }: Binaries, folder: string): void {
  if (found === major) return;
  throw cannotStart(`${folder} was made by PostgreSQL ${found} and this Gatehouse brings ${major}; dump it with the old release first`);
}

async function readPassword(home: string): Promise<string> {
  const path = join(home, 'password');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw cannotStart(`the database password ${path} cannot be read (${codeOf(error)})`, error);
  }
}

// Created under another name and renamed when complete: a start that is killed half-way leaves nothing that looks like a cluster.
async function createCluster(home: string, { folder, bin, account }: Omit<Cluster, 'password'>): Promise<string> {
  const partial = `${folder}.new`;
  const password = randomBytes(24).toString('hex');
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  await giveTo(account, partial);
  await writeFile(join(home, 'password'), `${password}\n`, { mode: 0o600 });
  await giveTo(account, join(home, 'password'));
  await initdb(bin, partial, account);
  await rename(partial, folder);
  await syncFolder(home);
  return password;
}

async function initdb(bin: string, folder: string, account: Account | undefined): Promise<void> {
  const args = ['-D', dataPath(folder, account), '-U', SUPERUSER, '-E', 'UTF8', '--no-locale', '-A', 'scram-sha-256', '--pwfile=../password'];
  const options = { cwd: folder, env: {}, timeout: INITDB_LIMIT_MS, ...account };
  try {
    await run(join(bin, 'initdb'), args, options);
  } catch (error) {
    throw cannotStart(reasonOf(error, bin), error);
  }
}

/** Why a binary did not run, in words. */
export function reasonOf(error: unknown, bin: string): string {
  if (codeOf(error) === 'ENOENT') return `${bin} does not run here (its binaries need glibc, which Alpine has not)`;
  if (codeOf(error) === 'EPERM') return 'the right to run it as an unprivileged user is missing (CAP_SETUID, CAP_SETGID)';
  const said = String((error as { stderr?: unknown }).stderr ?? (error as Error).message);
  return said.trim().split('\n').slice(0, 2).join(' ');
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
