import 'reflect-metadata';
import { defineConfig, loadConfig } from '@gatehouse/config';
import {
  busFields,
  closingInOrder,
  connectBus,
  connectEphemeral,
  databaseFields,
  ephemeralFields,
  openHost,
  processFields,
  runProcess,
  trustedAuthorities,
} from '@gatehouse/host';
import { authConfigFields, startAuthService } from '@gatehouse/service-auth';

await runProcess(async () => {
  const config = loadConfig(defineConfig({ ...processFields, ...busFields, ...databaseFields, ...ephemeralFields, ...authConfigFields }));
  const host = await openHost('auth', config);
  const ca = trustedAuthorities(config);
  const bus = await connectBus('auth', config.natsUrl, host, ca);
  const ephemeral = await connectEphemeral(config.redisUrl, host, ca);
  const database = config.databaseUrl.use((bytes) => bytes.toString('utf8'));
  const service = await startAuthService({ bus, ephemeral, database, config, log: host.log, metrics: host.metrics });
  host.health.register('auth', () => service.ready());
  return closingInOrder(service, ephemeral, bus, host);
});
