import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cannotStart, codeOf } from './cannot-start.js';
import { openCluster, SUPERUSER, type Cluster } from './cluster.js';
import { lockDataDir } from './data-lock.js';
import { endOrphan, startPostmaster, stopPostmaster, type Postmaster } from './postmaster.js';

const PORT_ATTEMPTS = 5;
const REVIVE_ATTEMPTS = 10;
const REVIVE_DELAY_MS = 500;

/** A PostgreSQL of our own, as long as this process lives. */
export interface EmbeddedPostgres {
  /** `postgres://` URL of the superuser, with password, on loopback. */
  readonly url: string;
  /** Process id of the server; another one after the server was lost and started again. */
  readonly pid: number;
  /** Fast shutdown; resolves when the server is gone and the data directory is free. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL from this platform's npm package on a free loopback port, with its cluster in
 * `<dataDir>/postgres` (created at the first start: about 1 s, later starts 0.1 s). As root it runs
 * under an unprivileged account. Rejects with a `Fault` of one line that names
 * GATEHOUSE_DATABASE_URL when it cannot run here or another process has the data directory.
 */
export async function startEmbeddedPostgres(o: { dataDir: string; log?: (line: string) => void }): Promise<EmbeddedPostgres> {
  const dataDir = resolve(o.dataDir);
  const log = o.log ?? (() => undefined);
  await makeDataDir(dataDir);
  const unlock = await lockDataDir(join(dataDir, 'postgres.lock'));
  try {
    const cluster = await openCluster(dataDir);
    await endOrphan(cluster, log);
    return await RunningPostgres.start({ cluster, log, unlock });
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw cannotStart(`the data directory ${dataDir} cannot be made (${codeOf(error)})`, error);
  }
}

interface Plan {
  cluster: Cluster;
  log: (line: string) => void;
  unlock: () => Promise<void>;
}

class RunningPostgres implements EmbeddedPostgres {
  readonly url: string;
  private stopped: Promise<void> | undefined;
  private revival: Promise<void> | undefined;

  private constructor(
    private readonly plan: Plan,
    private readonly port: number,
    private postmaster: Postmaster,
  ) {
    this.url = `postgres://${SUPERUSER}:${plan.cluster.password}@127.0.0.1:${port}/postgres`;
    this.guard();
  }

  static async start(plan: Plan): Promise<RunningPostgres> {
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      try {
        return new RunningPostgres(plan, port, await startPostmaster(plan.cluster, port, plan.log));
      } catch (error) {
        // Somebody else may take the port between our asking and the server's binding.
        if (attempt === PORT_ATTEMPTS || !String(error).includes('could not bind')) throw error;
      }
    }
  }

  get pid(): number {
    return this.postmaster.pid;
  }

  stop(): Promise<void> {
    this.stopped ??= this.end();
    return this.stopped;
  }

  private async end(): Promise<void> {
    await this.revival;
    await stopPostmaster(this.plan.cluster, this.postmaster.pid);
    await this.postmaster.gone;
    await this.plan.unlock();
  }

  private guard(): void {
    void this.postmaster.gone.then(() => (this.revival = this.stopped === undefined ? this.revive() : undefined));
  }

  /** The server went on its own (killed for memory, say): the same port again, so that every pool finds back. */
  private async revive(): Promise<void> {
    for (let attempt = 1; attempt <= REVIVE_ATTEMPTS; attempt++) {
      this.plan.log(`PostgreSQL ended unexpectedly; starting it again (${attempt} of ${REVIVE_ATTEMPTS})`);
      // Children of a killed server need a moment to notice and let go of the shared memory.
      await sleep(REVIVE_DELAY_MS);
      if (this.stopped !== undefined) return;
      const next = await startPostmaster(this.plan.cluster, this.port, this.plan.log).catch((error: Error) => this.plan.log(error.message));
      if (next === undefined) continue;
      this.postmaster = next;
      return this.guard();
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
