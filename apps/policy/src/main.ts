import 'reflect-metadata';
import { defineConfig, loadConfig } from '@gatehouse/config';
import { busFields, closingInOrder, connectBus, databaseFields, openHost, processFields, runProcess, trustedAuthorities } from '@gatehouse/host';
import { startPolicyService, policyConfigFields } from '@gatehouse/service-policy';

await runProcess(async () => {
  const config = loadConfig(defineConfig({ ...processFields, ...busFields, ...databaseFields, ...policyConfigFields }));
  const host = await openHost('policy', config);
  const bus = await connectBus('policy', config.natsUrl, host, trustedAuthorities(config));
  const database = config.databaseUrl.use((bytes) => bytes.toString('utf8'));
  const service = await startPolicyService({ bus, database, config, log: host.log });
  host.health.register('policy', () => service.ready());
  return closingInOrder(service, bus, host);
});
