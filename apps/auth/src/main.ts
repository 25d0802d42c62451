import 'reflect-metadata';
import { defineConfig, loadConfig } from '@gatehouse/config';
import {
  busFields,
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

await runProcess(async (opened) => {
  const config = loadConfig(defineConfig({ ...processFields, ...busFields, ...databaseFields, ...ephemeralFields, ...authConfigFields }));
  const host = opened.add(await openHost('auth', config));
  const ca = trustedAuthorities(config);
  const bus = opened.add(await connectBus('auth', config.natsUrl, host, ca));
  const ephemeral = opened.add(await connectEphemeral(config.redisUrl, host, ca));
  const database = config.databaseUrl.use((bytes) => bytes.toString('utf8'));
  const service = opened.add(await startAuthService({ bus, ephemeral, database, config, log: host.log, metrics: host.metrics }));
  host.health.register('auth', () => service.ready());
});
