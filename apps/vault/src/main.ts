import 'reflect-metadata';
import { defineConfig, loadConfig } from '@gatehouse/config';
import { busFields, connectBus, databaseFields, openHost, processFields, runProcess, trustedAuthorities } from '@gatehouse/host';
import { startVaultService, vaultConfigFields } from '@gatehouse/service-vault';

await runProcess(async (opened) => {
  const config = loadConfig(defineConfig({ ...processFields, ...busFields, ...databaseFields, ...vaultConfigFields }));
  const host = opened.add(await openHost('vault', config));
  const ca = trustedAuthorities(config);
  const bus = opened.add(await connectBus('vault', config.natsUrl, host, ca));
  const database = config.databaseUrl.use((bytes) => bytes.toString('utf8'));
  const service = opened.add(await startVaultService({ bus, database, config, log: host.log, metrics: host.metrics, trustedCas: ca === undefined ? [] : [ca] }));
  host.health.register('vault', () => service.ready());
});
