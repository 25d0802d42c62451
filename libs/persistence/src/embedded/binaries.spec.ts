import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyBinaries } from './binaries.js';

describe('copyBinaries', () => {
  let folder: string;
  let native: string;
  let copy: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-binaries-'));
    native = join(folder, 'native');
    copy = join(folder, 'copy');
    await mkdir(join(native, 'lib'), { recursive: true });
    await writeFile(join(native, 'lib', 'libpq.so.5.18'), 'library');
    await writeFile(join(native, 'postgres'), 'program', { mode: 0o755 });
    await writeFile(join(native, 'pg-symlinks.json'), '[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so"}]');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('copies files with their modes and makes the links, so that any account can run them', async () => {
    await copyBinaries(native, copy);
    expect((await stat(join(copy, 'postgres'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(copy, 'lib'))).mode & 0o777).toBe(0o755);
    expect(await readlink(join(copy, 'lib', 'libpq.so'))).toBe('libpq.so.5.18');
  });

  it('replaces what a cleaner took away or a broken copy cut short', async () => {
    await copyBinaries(native, copy);
    await rm(join(copy, 'lib', 'libpq.so.5.18'));
    await writeFile(join(copy, 'postgres'), 'prog');
    await copyBinaries(native, copy);
    expect(await readFile(join(copy, 'lib', 'libpq.so'), 'utf8')).toBe('library');
    expect(await readFile(join(copy, 'postgres'), 'utf8')).toBe('program');
  });

  it('may run twice at once', async () => {
    await Promise.all([copyBinaries(native, copy), copyBinaries(native, copy)]);
    expect(await readFile(join(copy, 'postgres'), 'utf8')).toBe('program');
  });

  it('refuses a folder that others may write to', async () => {
    await mkdir(copy);
    await chmod(copy, 0o777);
    await expect(copyBinaries(native, copy)).rejects.toThrow('is not a folder of this user alone');
  });

  it('refuses a link that somebody put at the path', async () => {
    await mkdir(join(folder, 'elsewhere'));
    await symlink(join(folder, 'elsewhere'), copy);
    await expect(copyBinaries(native, copy)).rejects.toThrow('is not a folder of this user alone');
  });
});
