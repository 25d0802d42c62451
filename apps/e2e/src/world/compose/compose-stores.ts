import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findServerBinary, startNats, startPostgres, startRedis, type TestServer } from '@gatehouse/testing';
import pg from 'pg';
import type { Stores } from '../distributed-world.js';
import { COMPOSE } from './compose-file.js';

const run = promisify(execFile);
const OWNER_ONLY = 'host all gatehouse 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n';

/** Where the named volumes of the installation are. */
export type VolumeFolder = (volume: string) => string;

/** PostgreSQL whose services sign in with passwords; its roles are made once the secrets are there. */
export async function startPasswordPostgres(folder: string): Promise<TestServer> {
  const rules = join(folder, 'pg_hba.conf');
  await writeFile(rules, OWNER_ONLY);
  // PostgreSQL runs as another user and must get through to the file.
  await chmod(folder, 0o755);
  return startPostgres(['-c', `hba_file=${rules}`, '-c', 'password_encryption=scram-sha-256']);
}

/** What PostgreSQL's image does with the files of its folder when the database is made. */
export async function makeRoles(postgres: TestServer, volume: VolumeFolder): Promise<void> {
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query('CREATE DATABASE gatehouse');
  await admin.end();
  const psql = join(dirname(findServerBinary('postgres')!), 'psql');
  const file = join(COMPOSE, 'postgres/10-gatehouse.sql');
  await run(psql, ['--no-psqlrc', '-v', `secrets=${volume('secrets-postgres')}`, '-f', file, postgres.url.replace(/postgres$/, 'gatehouse')]);
}

/** nats-server with the committed configuration, beside the passwords as in its container; it writes `nats.log`. */
export async function startComposeNats(folder: string, volume: VolumeFolder, port: number): Promise<TestServer> {
  const config = join(folder, 'gatehouse-nats/nats.conf');
  await mkdir(dirname(config), { recursive: true });
  await symlink(volume('secrets-nats'), join(folder, 'gatehouse-passwords'));
  const text = await readFile(join(COMPOSE, 'nats/nats.conf'), 'utf8');
  await writeFile(config, text.replace('http: 127.0.0.1:8222', 'http: 127.0.0.1:-1'));
  return startNats(['-c', config, '-l', join(folder, 'nats.log')], port);
}

/** redis-server with the committed configuration, its folders mapped. */
export async function startComposeRedis(folder: string, volume: VolumeFolder, port: number): Promise<TestServer> {
  const config = join(folder, 'redis.conf');
  const text = await readFile(join(COMPOSE, 'redis/redis.conf'), 'utf8');
  await mkdir(volume('redis-data'), { recursive: true });
  await writeFile(config, text.replace('/run/gatehouse-secrets', volume('secrets-redis')).replace('/data', volume('redis-data')));
  return startRedis(['--include', config], port);
}

/** Ends whichever of them were started. */
export async function stopStores(stores: Partial<Stores>): Promise<void> {
  await Promise.all(Object.values(stores).map((store) => store?.stop()));
}
