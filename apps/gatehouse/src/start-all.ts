import { join } from 'node:path';
import { closingInOrder, openHost, trustedAuthorities, type Running } from '@gatehouse/host';
import { startAuditService } from '@gatehouse/service-audit';
import { startAuthService } from '@gatehouse/service-auth';
import { gatewaySettings, startGateway } from '@gatehouse/service-gateway';
import { startPolicyService } from '@gatehouse/service-policy';
import { startVaultService } from '@gatehouse/service-vault';
import { firstSteps } from './first-steps.js';
import { runSampleServer } from './sample-server.js';
import type { Settings } from './settings.js';
import { openStores, type Stores } from './stores.js';

const READY_WITHIN_MS = 30_000;

/** Starts all five services in this process and says where they are. */
export async function startAll(config: Settings, write: (text: string) => void): Promise<Running> {
  const started = performance.now();
  const host = await openHost('gatehouse', config);
  const ca = trustedAuthorities(config);
  const stores = await openStores(config, host, ca);
  const buses = await openBuses(stores);
  const own = { database: stores.database, config, log: host.log, metrics: host.metrics, ephemeral: stores.ephemeral };
  const adminTokenFile = join(config.dataDir, 'admin.token');
  const services = await Promise.all([
    startVaultService({ ...own, bus: buses.vault, embeddedKeyFile: join(config.dataDir, 'kek.key') }),
    startAuthService({ ...own, bus: buses.auth, adminTokenFile }),
    startPolicyService({ ...own, bus: buses.policy }),
    startAuditService({ ...own, bus: buses.audit }),
  ]);
  services.forEach((service, at) => host.health.register(['vault', 'auth', 'policy', 'audit'][at]!, () => service.ready()));
  const settings = gatewaySettings({ ...config, spoolDir: join(config.dataDir, 'spool'), ownUrls: stores.urls, trustedCas: ca === undefined ? [] : [ca] });
  const gateway = await startGateway({ ...host, bus: buses.gateway, ephemeral: stores.ephemeral, settings });
  await untilReady(gateway);
  const demo = config.demo ? await runSampleServer(buses.gateway, host.log) : undefined;
  host.health.register('gatehouse', () => true);
  const publicUrl = config.publicUrl ?? `http://${config.listen}`;
  write(firstSteps({ publicUrl, seconds: (performance.now() - started) / 1_000, adminTokenFile, demo: demo !== undefined }));
  return closingInOrder(gateway, ...(demo === undefined ? [] : [demo]), ...services, ...Object.values(buses), stores, host);
}

async function openBuses({ busOf }: Stores) {
  const [gateway, auth, vault, policy, audit] = await Promise.all([busOf('gateway'), busOf('auth'), busOf('vault'), busOf('policy'), busOf('audit')]);
  return { gateway, auth, vault, policy, audit };
}

async function untilReady(gateway: { ready(): true | string }): Promise<void> {
  for (const until = performance.now() + READY_WITHIN_MS; gateway.ready() !== true; ) {
    if (performance.now() > until) throw new Error(`not ready after ${READY_WITHIN_MS / 1_000} s: ${String(gateway.ready())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
