import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cannotStart, codeOf } from './cannot-start.js';
import { reasonOf, type Cluster } from './cluster.js';
import { isAlive, isServed, servesCluster } from './process-facts.js';

const run = promisify(execFile);
const READY_LIMIT_MS = 60_000;
const FAST_STOP_LIMIT_MS = 20_000;
const POLL_MS = 10;
const LINES_KEPT = 20;
const STATUS_LINE = 7; // of postmaster.pid (src/include/utils/pidfile.h)

/** Five services with a pool each on one small machine. Durability settings stay at their safe defaults. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '80',
  shared_buffers: '48MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  min_wal_size: '32MB',
  max_wal_size: '512MB',
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

/** A running server process. */
export interface Postmaster {
  readonly pid: number;
  /** Settles when the process is gone. */
  readonly gone: Promise<void>;
  /** What it wrote last, for the error when it goes unexpectedly. */
  lastLines(): string;
}

/** Spawns `postgres` on a loopback port and resolves when it accepts connections. */
export async function startPostmaster(cluster: Cluster, port: number, log: (line: string) => void): Promise<Postmaster> {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(cluster.bin, 'postgres'), ['-D', cluster.dataPath, '-p', String(port), ...settings], {
    cwd: cluster.folder,
    env: {}, // the environment may hold other secrets
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // Ctrl-C reaches the whole process group; the database must outlast the drain
    ...cluster.account,
  });
  const postmaster = watch(child, log);
  await untilReady(cluster, postmaster);
  return postmaster;
}

function watch(child: ChildProcess, log: (line: string) => void): Postmaster {
  const lines: string[] = [];
  const keep = (line: string): void => void (lines.push(line), lines.splice(0, lines.length - LINES_KEPT));
  createInterface({ input: child.stderr! }).on('line', (line) => (keep(line), log(line)));
  const stopWithUs = (): void => void child.kill('SIGINT');
  process.once('exit', stopWithUs);
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => (keep(`${codeOf(error)}: ${reasonOf(error, child.spawnfile)}`), resolve()));
    child.once('close', () => resolve());
  });
  void gone.then(() => process.off('exit', stopWithUs));
  return { pid: child.pid ?? 0, gone, lastLines: () => lines.join(' | ') };
}

async function untilReady(cluster: Cluster, postmaster: Postmaster): Promise<void> {
  let left = false;
  void postmaster.gone.then(() => (left = true));
  for (const deadline = Date.now() + READY_LIMIT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    if (left) throw cannotStart(postmaster.lastLines() || 'the server left without a word');
    const { pid, status } = await readPidFile(cluster.folder);
    if (pid === postmaster.pid && status === 'ready') return;
  }
  await stopPostmaster(cluster, postmaster.pid);
  throw cannotStart(`it was not ready within ${READY_LIMIT_MS / 1000} s`);
}

async function readPidFile(folder: string): Promise<{ pid: number; status: string | undefined }> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => ''); // not there yet, or not any more
  const lines = text.split('\n');
  return { pid: Number.parseInt(lines[0] ?? '', 10) || 0, status: lines[STATUS_LINE]?.trim() };
}

/** Fast shutdown: open transactions roll back, a checkpoint is written; after a limit, an immediate one. */
export async function stopPostmaster(cluster: Cluster, pid: number): Promise<void> {
  if (process.platform === 'win32') {
    await run(join(cluster.bin, 'pg_ctl'), ['stop', '-m', 'fast', '-D', cluster.folder]);
    return;
  }
  if (pid <= 0) return; // kill(2) reads these as whole groups
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (isAlive(pid)) process.kill(pid, signal);
    for (const deadline = Date.now() + FAST_STOP_LIMIT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
      if (!isAlive(pid)) return;
    }
  }
}

/**
 * A kill -9 of Gatehouse leaves its server running as an orphan: end it, so that the next one is
 * our child. On Linux the pid file goes too, once no process of the cluster is left: the id in it may
 * by now be a zombie's or a stranger's (another boot, a restarted container), and PostgreSQL would
 * take that for a running server.
 */
export async function endOrphan(cluster: Cluster, log: (line: string) => void): Promise<void> {
  const { pid } = await readPidFile(cluster.folder);
  if (pid === 0) return;
  if (isAlive(pid) && (await servesCluster(pid, cluster.folder))) {
    log(`stopping PostgreSQL process ${pid}, left over from a run that was killed`);
    await stopPostmaster(cluster, pid);
  }
  if (process.platform !== 'linux') return;
  await untilUnserved(cluster.folder);
  await rm(join(cluster.folder, 'postmaster.pid'), { force: true });
}

// Two sets of processes on one cluster corrupt it; those that lost their postmaster leave by themselves.
async function untilUnserved(folder: string): Promise<void> {
  for (const deadline = Date.now() + FAST_STOP_LIMIT_MS; await isServed(folder); await sleep(POLL_MS)) {
    if (Date.now() > deadline) throw cannotStart(`processes of an earlier server still use ${folder}`);
  }
}
