import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeyFile, readKeyFile } from './key-file.js';
import { loadKeyEncryptionKey } from './load-key-encryption-key.js';

let folder: string;
let path: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-key-file-'));
});
beforeEach(() => {
  path = join(folder, `kek-${count++}.key`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const put = (content: Buffer | string, mode = 0o600): Promise<void> => writeFile(path, content, { mode });

describe('key file', () => {
  it.each(['raw', 'base64', 'base64url', 'hex'] as const)('reads 32 bytes as %s', async (encoding) => {
    const key = randomBytes(32);
    await put(encoding === 'raw' ? key : `${key.toString(encoding)}\n`);
    expect((await readKeyFile(path))?.equals(key)).toBe(true);
  });

  it('tells a missing file from a bad one', async () => {
    expect(await readKeyFile(path)).toBeUndefined();
  });

  it.each([
    ['an empty file', Buffer.alloc(0), 'is empty'],
    ['31 bytes', randomBytes(31), 'does not hold 32 bytes'],
    ['33 bytes', randomBytes(33), 'does not hold 32 bytes'],
    ['31 bytes in base64', randomBytes(31).toString('base64'), 'does not hold 32 bytes'],
    ['a novel', Buffer.alloc(5_000, 'x'), 'too long'],
    ['all zeros', Buffer.alloc(32), 'placeholder'],
    ['all zeros in hex', '0'.repeat(64), 'placeholder'],
    ['a repeated byte', Buffer.alloc(32, 0xa5), 'placeholder'],
    ['a repeated word', Buffer.from('deadbeef'.repeat(4), 'hex').toString('hex').repeat(2), 'placeholder'],
    ['obvious text', Buffer.from('change-me-before-going-live-1234'), 'placeholder'],
    ['obvious text in base64', Buffer.from('change-me-before-going-live-1234').toString('base64'), 'placeholder'],
    ['counted-up bytes', Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 'placeholder'],
  ])('refuses %s (V-11)', async (_name, content, reason) => {
    await put(content);
    await expect(readKeyFile(path)).rejects.toThrow(reason);
  });

  it.each([0o640, 0o604, 0o644, 0o660, 0o610])('refuses a file of mode %o (V-11)', async (mode) => {
    await put(randomBytes(32));
    await chmod(path, mode);
    await expect(readKeyFile(path)).rejects.toThrow('chmod 600');
  });

  it('refuses a symbolic link and a folder (V-11)', async () => {
    const target = join(folder, 'target.key');
    await writeFile(target, randomBytes(32), { mode: 0o600 });
    await symlink(target, path);
    await expect(readKeyFile(path)).rejects.toThrow('symbolic link');
    await expect(readKeyFile(folder)).rejects.toThrow('not a regular file');
  });

  it('makes a private file whose key reads back', async () => {
    const key = await createKeyFile(join(folder, 'new', 'kek.key'));
    const made = join(folder, 'new', 'kek.key');
    expect((await stat(made)).mode & 0o777).toBe(0o600);
    expect((await readKeyFile(made))?.equals(key)).toBe(true);
    expect(await readdir(join(folder, 'new'))).toEqual(['kek.key']);
  });

  it('never replaces a file, not even when two start at once', async () => {
    const results = await Promise.allSettled([createKeyFile(path), createKeyFile(path)]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const before = await readFile(path);
    await expect(createKeyFile(path)).rejects.toThrow('EEXIST');
    expect((await readFile(path)).equals(before)).toBe(true);
  });
});

describe('loading the key-encryption key', () => {
  it('makes the file at the first start only', async () => {
    const first = await loadKeyEncryptionKey({ path, mayCreate: true }, false);
    const second = await loadKeyEncryptionKey({ path, mayCreate: true }, true);
    expect(second.id).toBe(first.id);
  });

  it('refuses to make a new key for a database that has wrapped keys', async () => {
    await expect(loadKeyEncryptionKey({ path, mayCreate: true }, true)).rejects.toThrow('put it back');
    expect(await readKeyFile(path)).toBeUndefined();
  });

  it('refuses a missing file that the operator named', async () => {
    await expect(loadKeyEncryptionKey({ path, mayCreate: false }, false)).rejects.toThrow('does not exist');
  });
});
