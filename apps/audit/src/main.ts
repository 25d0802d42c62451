import 'reflect-metadata';
import { defineConfig, loadConfig } from '@gatehouse/config';
import { busFields, connectBus, databaseFields, openHost, processFields, runProcess, trustedAuthorities } from '@gatehouse/host';
import { startAuditService, auditConfigFields } from '@gatehouse/service-audit';

await runProcess(async (opened) => {
  const config = loadConfig(defineConfig({ ...processFields, ...busFields, ...databaseFields, ...auditConfigFields }));
  const host = opened.add(await openHost('audit', config));
  const bus = opened.add(await connectBus('audit', config.natsUrl, host, trustedAuthorities(config)));
  const database = config.databaseUrl.use((bytes) => bytes.toString('utf8'));
  const service = opened.add(await startAuditService({ bus, database, config, log: host.log, metrics: host.metrics }));
  host.health.register('audit', () => service.ready());
});
