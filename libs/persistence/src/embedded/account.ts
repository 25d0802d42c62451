import { chown, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf } from './cannot-start.js';

/** A user and group the server is spawned under. */
export interface Account {
  uid: number;
  gid: number;
}

const OVERFLOW_ID = 65_534;

/**
 * PostgreSQL refuses to run as root, so root runs it as the owner of the data it finds, else as
 * `nobody`. Undefined for an ordinary user, who runs it as itself.
 */
export async function serverAccount(home: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await ownerOf(home);
  return owner !== undefined && owner.uid !== 0 ? owner : nobody();
}

async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function nobody(): Promise<Account> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => ''); // slim images have no such file
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(passwd);
  return entry === null ? { uid: OVERFLOW_ID, gid: OVERFLOW_ID } : { uid: Number(entry[1]), gid: Number(entry[2]) };
}

/** Hands a file or folder to the account; nothing to do for an ordinary user. */
export async function giveTo(account: Account | undefined, path: string): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}

/** Whether every folder on the way to `path`, itself included, lets the account pass (mode bits only, no ACLs). */
export async function canReach(account: Account | undefined, path: string): Promise<boolean> {
  if (account === undefined) return true;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const { uid, gid, mode } = await stat(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
