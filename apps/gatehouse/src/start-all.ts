import { join } from 'node:path';
import type { Bus } from '@gatehouse/bus';
import type { ServiceName } from '@gatehouse/contracts';
import { ownPorts } from '@gatehouse/config';
import { openHost, trustedAuthorities, type Opened, type ProcessHost, type Running } from '@gatehouse/host';
import { startAuditService } from '@gatehouse/service-audit';
import { startAuthService } from '@gatehouse/service-auth';
import { gatewaySettings, startGateway } from '@gatehouse/service-gateway';
import { startPolicyService } from '@gatehouse/service-policy';
import { startVaultService } from '@gatehouse/service-vault';
import { firstSteps } from './first-steps.js';
import { runSampleServer, sampleProbed } from './sample-server.js';
import type { Settings } from './settings.js';
import { openStores, type Stores } from './stores.js';

const READY_WITHIN_MS = 30_000;

/** Starts all five services in this process and says where they are. */
export async function startAll(config: Settings, opened: Opened, write: (text: string) => void): Promise<void> {
  const started = performance.now();
  const host = opened.add(await openHost('gatehouse', config));
  const ca = trustedAuthorities(config);
  const stores = opened.add(await openStores(config, host, ca));
  const buses = await openBuses(stores, opened);
  const adminTokenFile = join(config.dataDir, 'admin.token');
  const publicUrl = config.publicUrl ?? `http://${config.listen}`;
  const trustedCas = ca === undefined ? [] : [ca];
  const auth = await startServices({ config, host, stores, buses, adminTokenFile, publicUrl, trustedCas }, opened);
  const demo = config.demo ? await runSampleServer(buses.gateway, host.log) : undefined;
  if (demo !== undefined) opened.add(demo);
  const settings = gatewaySettings({ ...config, spoolDir: join(config.dataDir, 'spool'), ownUrls: stores.urls, trustedCas });
  const gateway = opened.add(await startGateway({ ...host, bus: buses.gateway, ephemeral: stores.ephemeral, settings, authDoor: auth.http }));
  await untilReady(gateway);
  if (demo !== undefined) await sampleProbed(buses.gateway);
  host.health.register('gatehouse', () => true);
  const signInUrl = config.oidcIssuer === undefined ? publicUrl + (await auth.signInLink()) : undefined;
  write(firstSteps({ publicUrl, signInUrl, seconds: (performance.now() - started) / 1_000, adminTokenFile, demo: demo !== undefined }));
}

type Buses = Record<ServiceName, Bus>;

async function openBuses({ busOf }: Stores, opened: Opened): Promise<Buses> {
  const open = async (service: ServiceName): Promise<Bus> => opened.add(await busOf(service));
  const [gateway, auth, vault, policy, audit] = await Promise.all([open('gateway'), open('auth'), open('vault'), open('policy'), open('audit')]);
  return { gateway, auth, vault, policy, audit };
}

interface Ground {
  config: Settings;
  host: ProcessHost;
  stores: Stores;
  buses: Buses;
  adminTokenFile: string;
  publicUrl: string;
  trustedCas: readonly string[];
}

// The vault first: the others ask it for their keys as soon as they start.
async function startServices({ config, host, stores, buses, adminTokenFile, publicUrl, trustedCas }: Ground, opened: Opened): Promise<AuthService> {
  const own = { database: stores.database, config, log: host.log, metrics: host.metrics, ephemeral: stores.ephemeral };
  const run = async <S extends Service>(name: ServiceName, starting: Promise<S>): Promise<S> => {
    const service = opened.add(await starting);
    host.health.register(name, () => service.ready());
    return service;
  };
  await run('vault', startVaultService({ ...own, trustedCas, bus: buses.vault, embeddedKeyFile: join(config.dataDir, 'kek.key') }));
  const guard = { trustedCas, ownPorts: ownPorts([config.listen, config.metricsListen], stores.urls) };
  const [auth] = await Promise.all([
    run('auth', startAuthService({ ...own, ...guard, bus: buses.auth, adminTokenFile, publicUrl })),
    run('policy', startPolicyService({ ...own, bus: buses.policy })),
    run('audit', startAuditService({ ...own, bus: buses.audit })),
  ]);
  return auth;
}

type AuthService = Awaited<ReturnType<typeof startAuthService>>;

type Service = Running & { ready(): Promise<true | string> };

async function untilReady(gateway: { ready(): true | string }): Promise<void> {
  for (const until = performance.now() + READY_WITHIN_MS; gateway.ready() !== true; ) {
    if (performance.now() > until) throw new Error(`not ready after ${READY_WITHIN_MS / 1_000} s: ${String(gateway.ready())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
