import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { cannotStart, codeOf } from './cannot-start.js';
import { isAlive, processStart } from './process-facts.js';

const ATTEMPTS = 5;
const WRITE_GRACE_MS = 100;

/**
 * Takes the lock file or refuses, naming the live process that has it. The file outlives a kill -9;
 * it then names a process that is gone, or one that started at another time, and is taken over.
 * It does not see processes of another container: there PostgreSQL's own checks are the fence.
 */
export async function lockDataDir(path: string): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${await processStart(process.pid)} ${randomUUID()}\n`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await create(path, mine)) return () => release(path, mine);
    const holder = await read(path);
    if (await isHeld(holder)) throw cannotStart(`process ${holder.split(' ', 1)[0]} already uses ${path}`);
    await removeStale(path, holder);
  }
  throw cannotStart(`the lock ${path} keeps changing hands`);
}

async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw cannotStart(`the lock ${path} cannot be written (${codeOf(error)})`, error);
  }
}

async function read(path: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const content = await readFile(path, 'utf8').catch(() => ''); // released in this moment: the next attempt creates it
    if (content.endsWith('\n') || attempt === 3) return content;
    await sleep(WRITE_GRACE_MS); // created, not yet written
  }
}

async function isHeld(holder: string): Promise<boolean> {
  const [pid, started] = holder.trim().split(' ');
  const id = Number(pid);
  if (!Number.isInteger(id) || id <= 0 || !isAlive(id)) return false;
  return started === (await processStart(id));
}

// Moved aside and read again, because between reading and removing somebody else may have taken it over.
async function removeStale(path: string, seen: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== seen) await link(aside, path).catch(() => undefined); // a third one has it: the next attempt decides
  await rm(aside, { force: true });
}

async function release(path: string, mine: string): Promise<void> {
  const content = await readFile(path, 'utf8').catch(() => ''); // the folder may be gone already
  if (content === mine) await rm(path, { force: true });
}
