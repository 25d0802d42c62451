import 'reflect-metadata';
import { defineConfig, loadConfig } from '@gatehouse/config';
import { busFields, connectBus, databaseFields, openHost, processFields, runProcess, trustedAuthorities } from '@gatehouse/host';
import { startPolicyService, policyConfigFields } from '@gatehouse/service-policy';

await runProcess(async (opened) => {
  const config = loadConfig(defineConfig({ ...processFields, ...busFields, ...databaseFields, ...policyConfigFields }));
  const host = opened.add(await openHost('policy', config));
  const bus = opened.add(await connectBus('policy', config.natsUrl, host, trustedAuthorities(config)));
  const database = config.databaseUrl.use((bytes) => bytes.toString('utf8'));
  const service = opened.add(await startPolicyService({ bus, database, config, log: host.log }));
  host.health.register('policy', () => service.ready());
});
