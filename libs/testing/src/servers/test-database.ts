import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of one spec. */
export interface TestDatabase {
  url: string;
  /** Drops it, whoever is still connected. */
  stop(): Promise<void>;
}

/** An empty database in the PostgreSQL that the test run keeps for all specs (jest-database.config.mjs). */
export async function testDatabase(): Promise<TestDatabase> {
  const cluster = process.env['GATEHOUSE_TEST_POSTGRES'];
  if (cluster === undefined) throw new Error('no PostgreSQL for specs: run them through jest, which starts one');
  const name = `spec_${randomBytes(8).toString('hex')}`;
  await run(cluster, `CREATE DATABASE ${name}`);
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  return { url: url.href, stop: () => run(cluster, `DROP DATABASE ${name} WITH (FORCE)`) };
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
