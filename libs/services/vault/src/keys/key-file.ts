import { constants } from 'node:fs';
import { link, mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { Fault } from '@gatehouse/kernel';
import { placeholderReason } from './placeholder-key.js';

const KEY_BYTES = 32;
const MAX_FILE_BYTES = 1024;
const GROUP = 0o070;
const OTHERS = 0o007;

/**
 * Reads the 32-byte key-encryption key: raw, or as one line of base64 or hex. Returns undefined
 * when there is no file. Throws a `Fault` with one clear line for a symbolic link, a file that
 * group or world may touch, an empty one, a wrong length, or a key that is not random.
 */
export async function readKeyFile(path: string): Promise<Buffer | undefined> {
  const file = await openPrivate(path);
  if (file === undefined) return undefined;
  try {
    const content = await readChecked(file, path);
    return decodeKey(content, path);
  } finally {
    await file.close();
  }
}

/**
 * Makes a new key file, mode 0600, and returns its key. The file appears whole or not at all (a
 * crash leaves no half key) and never replaces another: throws when one is there already.
 */
export async function createKeyFile(path: string): Promise<Buffer> {
  const key = randomBytes(KEY_BYTES);
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeDurably(draft, `${key.toString('base64')}\n`);
  try {
    await link(draft, path);
  } finally {
    await unlink(draft);
  }
  return key;
}

async function openPrivate(path: string): Promise<FileHandle | undefined> {
  try {
    // O_NOFOLLOW: a link planted in place of the key would make us seal everything under a known key.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'EMLINK') throw new Fault(`the key file ${path} is a symbolic link; name the file itself`);
    throw new Fault(`the key file ${path} cannot be read (${code ?? 'unknown error'})`, { cause });
  }
}

async function readChecked(file: FileHandle, path: string): Promise<Buffer> {
  const found = await file.stat();
  if (!found.isFile()) throw new Fault(`the key file ${path} is not a regular file`);
  // A file of another owner can reach us only through its group (Kubernetes' fsGroup); our own has no need to.
  const forbidden = found.uid === process.geteuid?.() ? GROUP | OTHERS : OTHERS;
  if ((found.mode & forbidden) !== 0) throw new Fault(`the key file ${path} may be read by others; chmod 600 it`);
  if (found.size === 0) throw new Fault(`the key file ${path} is empty; it needs 32 random bytes (openssl rand -base64 32)`);
  if (found.size > MAX_FILE_BYTES) throw new Fault(`the key file ${path} is too long to be a key`);
  return file.readFile();
}

function decodeKey(content: Buffer, path: string): Buffer {
  const key = content.length === KEY_BYTES ? content : decodeText(content.toString('latin1').trim());
  if (key?.length !== KEY_BYTES) throw new Fault(`the key file ${path} does not hold 32 bytes (raw, base64 or hex)`);
  const reason = placeholderReason(key);
  if (reason !== undefined) throw new Fault(`the key file ${path} holds a placeholder (${reason}); make one with openssl rand -base64 32`);
  return key;
}

function decodeText(text: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, 'base64');
  if (/^[A-Za-z0-9_-]{43}=?$/.test(text)) return Buffer.from(text, 'base64url');
  return undefined;
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
