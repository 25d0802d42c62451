import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@gatehouse/testing';
import { ManagedProcess } from './managed-process.js';
import type { ExtraEnv, World } from './world.js';

/** Starts the one process in a fresh folder, as `npm start` does. */
export async function startEmbedded(env: ExtraEnv): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-one-'));
  const dataDir = join(folder, 'data');
  const [port, metricsPort] = [await freePort(), await freePort()];
  const own = new ManagedProcess(
    'gatehouse',
    {
      GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
      GATEHOUSE_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
      GATEHOUSE_DATA_DIR: dataDir,
      GATEHOUSE_LOG_LEVEL: 'debug',
      ...env,
    },
    metricsPort,
  );
  const stop = async (): Promise<void> => {
    await own.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await own.start();
    await own.ready();
    const adminToken = (await readFile(join(dataDir, 'admin.token'), 'utf8')).trim();
    const processes = [own];
    return {
      form: 'one process',
      edges: [`http://127.0.0.1:${port}`],
      processes,
      edgeProcesses: processes,
      adminToken,
      // Another port after each restart.
      get databaseUrl() {
        return embeddedDatabaseUrl(dataDir);
      },
      folders: [folder],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function embeddedDatabaseUrl(dataDir: string): string {
  const home = join(dataDir, 'postgres');
  const password = readFileSync(join(home, 'password'), 'utf8').trim();
  const port = readFileSync(join(home, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[3];
  return `postgres://gatehouse:${password}@127.0.0.1:${port}/postgres`;
}
