import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@gatehouse/testing';
import type { DistributedWorld, Stores } from '../distributed-world.js';
import { ManagedProcess } from '../managed-process.js';
import { composeService } from './compose-file.js';
import { makeRoles, startComposeNats, startComposeRedis, startPasswordPostgres, stopStores, type VolumeFolder } from './compose-stores.js';

const ENTRY = fileURLToPath(new URL('../../../../../deploy/image/entry.mjs', import.meta.url));
const SERVICES = ['vault', 'auth', 'policy', 'audit', 'gateway'] as const;
const TASK_LIMIT_MS = 20_000;
const run = promisify(execFile);

type Service = (typeof SERVICES)[number];
/** Which text of the compose file means what on this machine. */
type Places = readonly (readonly [there: string, here: string])[];

/** What the compose file starts, without containers: the same entry, settings and configuration. */
export interface ComposeWorld extends DistributedWorld {
  /** The folder that stands for a named volume. */
  readonly volume: VolumeFolder;
  /** Runs a task of the image with the environment of a service; resolves with what it printed. */
  task(name: string, service: Service | 'init-secrets'): Promise<string>;
}

/** Makes the secrets, starts the stores and the five services. */
export async function startCompose(): Promise<ComposeWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-compose-'));
  const volume: VolumeFolder = (name) => join(folder, 'volumes', name);
  const stores: Partial<Stores> = { postgres: await startPasswordPostgres(folder) };
  const ports = { postgres: stores.postgres!.port, nats: await freePort(), redis: await freePort(), auth: await freePort(), edge: await freePort() };
  const processes: ManagedProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const each of [...processes].reverse()) await each.stop();
    await stopStores(stores);
    await rm(folder, { recursive: true, force: true });
  };
  const surroundings = new Surroundings(folder, volume, placesFor(ports));
  try {
    await surroundings.task('init-secrets', 'init-secrets');
    await makeRoles(stores.postgres!, volume);
    stores.nats = await startComposeNats(folder, volume, ports.nats);
    stores.redis = await startComposeRedis(folder, volume, ports.redis);
    processes.push(...(await Promise.all(SERVICES.map((name) => surroundings.process(name)))));
    await Promise.all(processes.map((each) => each.start()));
    await Promise.all(processes.map((each) => each.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  const facts = { form: 'five services', edges: [`http://localhost:${ports.edge}`], edgeProcesses: processes.slice(-1), folders: [folder] } as const;
  const adminToken = await readFile(join(volume('secrets-auth'), 'admin.token'), 'utf8');
  const task: ComposeWorld['task'] = (name, service) => surroundings.task(name, service);
  return { ...facts, processes, adminToken, databaseUrl: stores.postgres!.url, stores: stores as Stores, stop, volume, task };
}

function placesFor(ports: Record<'postgres' | 'nats' | 'redis' | 'auth' | 'edge', number>): Places {
  const stores = (['postgres', 'nats', 'redis'] as const).map((name) => [new RegExp(`^${name}:\\d+$`).source, `127.0.0.1:${ports[name]}`] as const);
  return [
    ...stores,
    ['^auth$', '127.0.0.1'],
    ['^https://auth:8081$', `https://127.0.0.1:${ports.auth}`],
    ['^0\\.0\\.0\\.0:8081$', `127.0.0.1:${ports.auth}`],
    ['^0\\.0\\.0\\.0:8080$', `127.0.0.1:${ports.edge}`],
    ['^http://localhost:8080$', `http://localhost:${ports.edge}`],
  ];
}

/** Maps what stands in the compose file to folders and ports of a test, value by value. */
class Surroundings {
  private readonly metricsPorts = new Map<string, number>();

  constructor(
    private readonly folder: string,
    private readonly volume: VolumeFolder,
    private readonly places: Places,
  ) {}

  async process(name: Service): Promise<ManagedProcess> {
    const { command } = await composeService(name);
    const metricsPort = await freePort();
    this.metricsPorts.set(name, metricsPort);
    return new ManagedProcess(name, await this.environment(name), metricsPort, ['--enable-source-maps', ENTRY, ...(command ?? [])]);
  }

  async task(name: string, service: Service | 'init-secrets'): Promise<string> {
    const env = { PATH: process.env['PATH'] ?? '', ...(await this.environment(service)) };
    return (await run(process.execPath, [ENTRY, name], { env, timeout: TASK_LIMIT_MS })).stdout;
  }

  private async environment(name: string): Promise<Record<string, string>> {
    const { environment, volumes } = await composeService(name);
    const mounts = await Promise.all([...volumes].map(([volume, target]) => this.mount(name, volume, target)));
    const metrics = [['^0\\.0\\.0\\.0:9464$', `127.0.0.1:${this.metricsPorts.get(name)}`]] as const;
    const places = [...this.places, ...metrics, ...mounts.map(([target, here]) => [`^${target}(?=/|$)`, here] as const)];
    const here = (text: string): string => places.reduce((value, [there, to]) => value.replace(new RegExp(there), to), text);
    return Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, here(value)]));
  }

  // Init has several volumes side by side and is told of the folder they are in.
  private async mount(name: string, volume: string, target: string): Promise<readonly [target: string, here: string]> {
    await mkdir(this.volume(volume), { recursive: true });
    if (name !== 'init-secrets') return [target, this.volume(volume)];
    const here = join(this.folder, 'init', target);
    await mkdir(dirname(here), { recursive: true });
    await symlink(this.volume(volume), here).catch(ignoreExisting);
    return [dirname(target), dirname(here)];
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
