import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { isAlive } from './process-facts.js';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

describe('the embedded PostgreSQL', () => {
  let parent: string;
  let dataDir: string;
  let running: EmbeddedPostgres[];
  let children: ChildProcess[];
  let orphans: number[];

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'gatehouse-embedded-'));
    dataDir = join(parent, 'data');
    running = [];
    children = [];
    orphans = [];
  });
  afterEach(async () => {
    children.forEach((child) => child.kill('SIGKILL'));
    orphans.filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL'));
    await Promise.all(running.map((server) => server.stop()));
    await rm(parent, { recursive: true, force: true, maxRetries: 5 });
  });

  const start = async (log?: (line: string) => void): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ dataDir, ...(log === undefined ? {} : { log }) });
    running.push(server);
    return server;
  };
  const rows = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client(url);
    client.on('error', () => undefined); // the server is killed under it on purpose
    await client.connect();
    const answer = await client.query(sql).finally(() => client.end());
    return answer.rows as Record<string, unknown>[];
  };
  const refusal = (): Promise<string> => start().then(() => 'started', (error: Error) => error.message);

  /** Starts another process that writes; resolves once `count` rows are acknowledged. */
  const writer = async (count: number): Promise<{ child: ChildProcess; serverPid: number; last: () => number }> => {
    const child = spawn(process.execPath, ['--import', path('../typescript-hooks.mjs'), path('./write-loop.mjs'), dataDir]);
    children.push(child);
    let serverPid = 0;
    let last = 0;
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`the writer ended: ${complaint}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('pid ')) orphans.push((serverPid = Number(line.slice(4))));
        else last = Number(line);
        if (last > 0 && last % count === 0) resolve();
      });
    });
    return { child, serverPid, last: () => last };
  };
  const killHard = async (child: ChildProcess): Promise<void> => {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  };

  it('keeps its data over a stop and starts again in under a second', async () => {
    const first = await start();
    await rows(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const before = Date.now();
    const second = await start();
    expect(Date.now() - before).toBeLessThan(1_000);
    expect(await rows(second.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  it('runs with a data directory under a folder nobody else may enter', async () => {
    await chmod(parent, 0o700);
    const server = await start();
    expect(await rows(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'postgres', 'password'))).mode & 0o777).toBe(0o600);
  });

  it('writes through to the disk, in UTF-8, and lets nobody in without the password', async () => {
    const server = await start();
    const settings = "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'server_encoding', 'synchronous_commit') ORDER BY name";
    expect((await rows(server.url, settings)).map(({ setting }) => setting)).toEqual(['on', 'on', 'UTF8', 'on']);
    await expect(rows(server.url.replace(/:[0-9a-f]{48}@/, ':wrong@'), 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  it('loses no acknowledged row when Gatehouse is killed, and takes over from the orphaned server', async () => {
    const { child, serverPid, last } = await writer(100);
    await killHard(child);
    expect(isAlive(serverPid)).toBe(true);
    const lines: string[] = [];
    const server = await start((line) => lines.push(line));
    expect(lines[0]).toContain(`stopping PostgreSQL process ${serverPid}`);
    expect(isAlive(serverPid)).toBe(false);
    const [row] = await rows(server.url, 'SELECT count(*)::int AS count, max(n)::int AS max FROM acknowledged');
    expect(row!['count']).toBe(row!['max']);
    expect(row!['max']).toBeGreaterThanOrEqual(last());
  }, 60_000);

  it('loses no acknowledged row when Gatehouse and the server are killed, round after round', async () => {
    for (let round = 1; round <= 3; round++) {
      const { child, serverPid, last } = await writer(50);
      process.kill(serverPid, 'SIGKILL');
      await killHard(child);
      const server = await start();
      const [row] = await rows(server.url, 'SELECT count(*)::int AS count FROM acknowledged');
      expect(row!['count']).toBeGreaterThanOrEqual(last());
      await server.stop();
    }
  }, 90_000);

  it('refuses a second process on the same data directory, which goes on undisturbed', async () => {
    const { child } = await writer(1);
    expect(await refusal()).toMatch(new RegExp(`^embedded PostgreSQL cannot start: process ${child.pid} already uses .*GATEHOUSE_DATABASE_URL$`));
    expect(child.exitCode).toBeNull();
  }, 60_000);

  it('refuses a second start in the same process', async () => {
    await start();
    expect(await refusal()).toContain(`process ${process.pid} already uses`);
  });

  it('takes over a lock whose process id belongs to another process by now', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'postgres.lock'), `${process.pid} earlier-boot/1 x\n`);
    await start();
    expect(await readFile(join(dataDir, 'postgres.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} (?!earlier)`));
  });

  it('starts although a pid file of another life names a process that runs', async () => {
    await (await start()).stop();
    const pidFile = `${process.pid}\n/proc/self/cwd\n1\n5432\n\n127.0.0.1\n  1  1\nready\n`;
    await writeFile(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), pidFile);
    const server = await start();
    expect(await rows(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('begins anew after a first start that was killed half-way', async () => {
    await mkdir(join(dataDir, 'postgres', 'cluster.new', 'base'), { recursive: true });
    const server = await start();
    expect(await rows(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('comes back at the same address when the server process is killed', async () => {
    const server = await start();
    const { pid, url } = server;
    process.kill(pid, 'SIGKILL');
    const deadline = Date.now() + 20_000;
    while (server.pid === pid && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await rows(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('says in one line what is wrong and the way out', async () => {
    await (await start()).stop();
    await writeFile(join(dataDir, 'postgres', 'cluster', 'PG_VERSION'), '12\n');
    expect(await refusal()).toMatch(/^embedded PostgreSQL cannot start: .* was made by PostgreSQL 12 and .*GATEHOUSE_DATABASE_URL$/);
    await writeFile(join(dataDir, 'postgres', 'cluster', 'PG_VERSION'), '18\n');
    await rm(join(dataDir, 'postgres', 'password'));
    expect(await refusal()).toMatch(/^embedded PostgreSQL cannot start: the database password .*GATEHOUSE_DATABASE_URL$/);
    await rm(dataDir, { recursive: true });
    await writeFile(dataDir, 'a file');
    expect(await refusal()).toMatch(/^embedded PostgreSQL cannot start: the data directory .*GATEHOUSE_DATABASE_URL$/);
  });
});
