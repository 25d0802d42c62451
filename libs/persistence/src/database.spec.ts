import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverLeg, startPostgres } from '@gatehouse/testing';
import { describeDatabase, type SuiteServer } from './database.conformance.js';
import { startEmbeddedPostgres } from './embedded/embedded-postgres.js';
import { describeOutbox } from './outbox.conformance.js';

async function embedded(): Promise<SuiteServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-database-'));
  const server = await startEmbeddedPostgres({ dataDir });
  return { url: server.url, stop: () => server.stop().then(() => rm(dataDir, { recursive: true, force: true })) };
}

describeDatabase('embedded PostgreSQL', embedded);
describeOutbox('embedded PostgreSQL', embedded);

serverLeg('postgres', 'external PostgreSQL', () => {
  describeDatabase('an external PostgreSQL', () => startPostgres());
  describeOutbox('an external PostgreSQL', () => startPostgres());
});
