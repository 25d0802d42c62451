import 'reflect-metadata';
import { defineConfig, loadConfig } from '@gatehouse/config';
import { busFields, closingInOrder, connectBus, databaseFields, openHost, processFields, runProcess, trustedAuthorities } from '@gatehouse/host';
import { startVaultService, vaultConfigFields } from '@gatehouse/service-vault';

await runProcess(async () => {
  const config = loadConfig(defineConfig({ ...processFields, ...busFields, ...databaseFields, ...vaultConfigFields }));
  const host = await openHost('vault', config);
  const bus = await connectBus('vault', config.natsUrl, host, trustedAuthorities(config));
  const database = config.databaseUrl.use((bytes) => bytes.toString('utf8'));
  const service = await startVaultService({ bus, database, config, log: host.log, metrics: host.metrics });
  host.health.register('vault', () => service.ready());
  return closingInOrder(service, bus, host);
});
