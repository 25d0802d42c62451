import { chmod, mkdir } from 'node:fs/promises';
import { InProcessBroker, inProcessBus, type Bus } from '@gatehouse/bus';
import type { ServiceName } from '@gatehouse/contracts';
import { memoryEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import { connectBus, connectEphemeral, type ProcessHost } from '@gatehouse/host';
import type { Secret } from '@gatehouse/kernel';
import { startEmbeddedPostgres } from '@gatehouse/persistence';
import type { Settings } from './settings.js';

/** What the five services keep state in and talk over. */
export interface Stores {
  database: string;
  ephemeral: Ephemeral;
  busOf: (service: ServiceName) => Promise<Bus>;
  /** URLs of stores that run outside this process's memory, for the guard of outbound requests. */
  urls: string[];
  close(): Promise<void>;
}

/** Opens the data directory and, for each store without a URL, the embedded one. */
export async function openStores(settings: Settings, host: ProcessHost, ca: string | undefined): Promise<Stores> {
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  await chmod(settings.dataDir, 0o700);
  const postgres = settings.databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir: settings.dataDir }) : undefined;
  const database = postgres?.url ?? textOf(settings.databaseUrl!);
  const ephemeral = settings.redisUrl === undefined ? memoryEphemeral() : await connectEphemeral(settings.redisUrl, host, ca);
  const broker = new InProcessBroker();
  const { natsUrl, redisUrl } = settings;
  return {
    database,
    ephemeral,
    busOf: (service) => (natsUrl === undefined ? Promise.resolve(inProcessBus(broker, service, { log: host.log })) : connectBus(service, natsUrl, host, ca)),
    urls: [database, ...[natsUrl, redisUrl].filter((url) => url !== undefined).map(textOf)],
    close: async () => {
      await ephemeral.close();
      await postgres?.stop();
    },
  };
}

function textOf(secret: Secret): string {
  return secret.use((bytes) => bytes.toString('utf8'));
}
