import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * One embedded PostgreSQL for all specs that want a database of their own (`testDatabase` of
 * libs/testing): making a cluster takes seconds, making a database in one a fraction of one.
 */
export default async function startDatabases() {
  const { startEmbeddedPostgres } = await import('./libs/persistence/dist/index.js');
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-specs-'));
  const postgres = await startEmbeddedPostgres({ dataDir: folder });
  process.env['GATEHOUSE_TEST_POSTGRES'] = postgres.url;
  globalThis.stopDatabases = async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
