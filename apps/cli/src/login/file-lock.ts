import { open, stat, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliFailure } from '../failure.js';

const POLL_MS = 40;
const WAIT_MS = 40_000;
/** Longer than anything is done under a lock: an older one was left by a process that is gone. */
const STALE_MS = 30_000;

/** Runs `work` while no other process does so under the same lock file; a lock that was left behind is taken over. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await acquire(path);
  try {
    return await work();
  } finally {
    await unlinked(path);
  }
}

async function acquire(path: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await created(path))) {
    if (performance.now() > deadline) throw new CliFailure({ message: `another gatehouse holds ${path}`, next: `when none is running, remove ${path}` });
    if (await isStale(path)) await unlinked(path);
    else await sleep(POLL_MS);
  }
}

async function created(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > STALE_MS;
  } catch {
    // Its holder has just removed it: not stale, and free in the next round.
    return false;
  }
}

// Somebody who found it stale may have been faster.
const unlinked = (path: string): Promise<void> => unlink(path).catch(() => undefined);
