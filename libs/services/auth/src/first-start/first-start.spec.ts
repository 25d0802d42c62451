import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@gatehouse/kernel';
import { Database, Outbox, startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger } from '@gatehouse/telemetry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readDirectory } from '../directory/directory-rows.js';
import { AUTH_MIGRATIONS } from '../migrations.js';
import { newTokenText, tokenDigest } from '../tokens/token-text.js';
import { firstStart, type AdminTokenSource } from './first-start.js';

let folder: string;
let postgres: EmbeddedPostgres;
let db: Database;
let path: string;
let logLines: string[];
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-first-start-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
}, 60_000);
beforeEach(async () => {
  count += 1;
  logLines = [];
  path = join(folder, `case-${count}`, 'admin.token');
  db = await Database.open({ url: postgres.url, schema: `auth_${count}`, migrations: AUTH_MIGRATIONS });
});
afterEach(() => db.close());
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

const start = (source: AdminTokenSource): Promise<void> =>
  firstStart({
    db,
    outbox: new Outbox(db, () => Promise.resolve()),
    source,
    log: createLogger({ service: 'auth', level: 'debug', destination: { write: (line: string) => void logLines.push(line) } }),
    clock: systemClock,
  });

async function digests(): Promise<string[]> {
  return (await readDirectory(db)).tokens.map(({ digest }) => digest);
}

async function give(content: string, mode = 0o600): Promise<AdminTokenSource> {
  const given = join(folder, `given-${count}`);
  await writeFile(given, content, { mode });
  await chmod(given, mode);
  return { given };
}

describe('the first start on its own', () => {
  it('mints one token into a new private file, once for replicas that start together', async () => {
    await Promise.all([start({ made: path }), start({ made: path }), start({ made: path })]);
    const text = (await readFile(path, 'utf8')).trim();
    expect(await digests()).toEqual([tokenDigest(Buffer.from(text))]);
    expect((await readDirectory(db)).callers).toHaveLength(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, `case-${count}`))).toEqual(['admin.token']);
    expect(logLines.join('')).not.toContain(text);
  });

  it('takes up the file of a first start that was cut off before its commit', async () => {
    await start({ made: path });
    const text = await readFile(path);
    await db.query('DELETE FROM tokens');
    await start({ made: path });
    expect(await readFile(path)).toEqual(text);
    expect(await digests()).toEqual([tokenDigest(Buffer.from(text.toString().trim()))]);
  });

  it('tells a lost file later and never mints another one', async () => {
    await start({ made: path });
    const before = await digests();
    await rm(path);
    await start({ made: path });
    expect(await digests()).toEqual(before);
    await expect(stat(path)).rejects.toThrow('ENOENT');
    expect(logLines.at(-1)).toContain('is gone and is not made again');
  });
});

describe('the first start with a given token', () => {
  it('takes it into use on an empty database and does not read the file again', async () => {
    const token = randomBytes(32).toString('base64url');
    const source = await give(`${token}\n`);
    await start(source);
    expect(await digests()).toEqual([tokenDigest(Buffer.from(token))]);
    await rm(source.given!);
    await start(source);
    expect(await digests()).toHaveLength(1);
  });

  it('takes one of our own form', async () => {
    await start(await give(newTokenText().toString()));
    expect(await digests()).toHaveLength(1);
  });

  it.each([
    ['31 characters', randomBytes(31).toString('hex').slice(0, 31), 'shorter than 32'],
    ['a placeholder', 'please-change-me-0123456789-abcdefgh', 'placeholder'],
    ['an example', 'example-token-7f8a9b1c2d3e4f5a6b7c8d9e', 'placeholder'],
    ['a repeated piece', 'k3J9x'.repeat(8), 'not random'],
    ['few different letters', 'ababbabaabbabbaabababbbaabababbab', 'not random'],
    ['counted-up text', 'abcdefghijklmnopqrstuvwxyz0123456789', 'not random'],
    ['two lines', `${'k3J9xQ2m'.repeat(2)}\n${'zR7pL4vT'.repeat(2)}`, 'one line'],
    ['one of ours, mistyped', `${newTokenText().toString().slice(0, -1)}!`, 'checksum'],
    ['nothing', '', 'is empty'],
  ])('refuses %s with one line that does not show it', async (_name, content, reason) => {
    const refused = start(await give(content));
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toThrow(/^GATEHOUSE_ADMIN_TOKEN_FILE names [^\n]+$/);
    if (content !== '') await expect(refused).rejects.not.toThrow(content);
    expect(await digests()).toEqual([]);
  });

  it.each([0o644, 0o640, 0o604])('refuses a file of mode %o', async (mode) => {
    await expect(start(await give(randomBytes(32).toString('hex'), mode))).rejects.toThrow('chmod 600');
  });

  it('refuses a file that is not there', async () => {
    await expect(start({ given: path })).rejects.toThrow('does not exist');
  });

  it('may come at a later start: until then nobody is administrator', async () => {
    await start({});
    expect(logLines.at(-1)).toContain('GATEHOUSE_ADMIN_TOKEN_FILE');
    expect(await digests()).toEqual([]);
    await start(await give(randomBytes(32).toString('hex')));
    expect(await digests()).toHaveLength(1);
    expect((await readDirectory(db)).callers).toHaveLength(1);
  });
});
