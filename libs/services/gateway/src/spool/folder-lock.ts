import { readFileSync } from 'node:fs';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Fault } from '@gatehouse/kernel';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process was started, in clock ticks since the machine's boot; tells a reused pid from the owner. */
  readonly started: string;
}

const REFRESH_MS = 5_000;
/** A lock written on another host (a volume that two containers share) counts as held while it is refreshed. */
const FOREIGN_STALE_MS = 15_000;

const heldHere = new Set<string>();

/** Keeps a second process (or a second spool of this one) out of a spool folder. */
export class FolderLock {
  private readonly refresh: NodeJS.Timeout;

  private constructor(
    private readonly dir: string,
    private readonly path: string,
  ) {
    this.refresh = setInterval(() => {
      const now = new Date();
      // A failed refresh is harmless here: the write path reports a broken disk.
      utimes(path, now, now).catch(() => undefined);
    }, REFRESH_MS);
    this.refresh.unref();
  }

  /** Takes the folder; a Fault when a living process has it. */
  static async take(dir: string): Promise<FolderLock> {
    const folder = resolve(dir);
    if (heldHere.has(folder)) throw new Fault(`the spool folder ${folder} is open in this process already`);
    heldHere.add(folder);
    try {
      await claim(join(folder, 'lock'));
    } catch (error) {
      heldHere.delete(folder);
      throw error;
    }
    return new FolderLock(folder, join(folder, 'lock'));
  }

  /** Gives the folder back. */
  async release(): Promise<void> {
    clearInterval(this.refresh);
    await rm(this.path, { force: true });
    heldHere.delete(this.dir);
  }
}

async function claim(path: string): Promise<void> {
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) } satisfies Owner);
  if (await create(path, mine)) return;
  const theirs = await readFile(path, 'utf8').catch(absent);
  if (theirs !== undefined) {
    if (await isAlive(path, theirs)) throw new Fault(`the spool folder is in use: ${path} holds ${theirs}`);
    await discard(path, theirs);
  }
  if (!(await create(path, mine))) throw new Fault(`the spool folder was taken by another process: ${path}`);
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new Fault(`the spool folder cannot be written: ${path}`, { cause: error });
  }
}

/** Of two processes that find the same dead lock one moves it away; the other sees that it moved a living one. */
async function discard(path: string, stale: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(absent);
  const moved = await readFile(aside, 'utf8').catch(absent);
  if (moved !== undefined && moved !== stale) {
    await rename(aside, path);
    throw new Fault(`the spool folder was taken by another process: ${path}`);
  }
  await rm(aside, { force: true });
}

async function isAlive(path: string, text: string): Promise<boolean> {
  const owner = parseOwner(text);
  if (owner === undefined) return false;
  if (owner.host !== hostname()) return Date.now() - (await stat(path)).mtimeMs < FOREIGN_STALE_MS;
  // Its own pid, not held in this process: a container restarted, where every life is pid 1.
  if (owner.pid === process.pid) return false;
  return exists(owner.pid) && startOf(owner.pid) === owner.started;
}

function parseOwner(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    // A lock that was never written out belongs to nobody: its process died while creating it.
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)); empty where there is no /proc, then the pid alone decides. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    // No /proc on this system, or the process just ended.
    return '';
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
