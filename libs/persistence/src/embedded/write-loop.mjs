/** A Gatehouse that writes numbered rows and prints each number once it is acknowledged, until it is killed. */
import pg from 'pg';
import { startEmbeddedPostgres } from './embedded-postgres.js';

const server = await startEmbeddedPostgres({ dataDir: process.argv[2] });
const client = new pg.Client(server.url);
await client.connect();
await client.query('CREATE TABLE IF NOT EXISTS acknowledged (n bigint PRIMARY KEY)');
const { rows } = await client.query('SELECT coalesce(max(n), 0) AS last FROM acknowledged');
process.stdout.write(`pid ${server.pid}\n`);
for (let n = Number(rows[0].last) + 1; ; n++) {
  await client.query('INSERT INTO acknowledged VALUES ($1)', [n]);
  process.stdout.write(`${n}\n`);
}
