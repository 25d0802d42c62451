import 'reflect-metadata';
import { defineConfig, FIELDS, loadConfig, ownPorts, required } from '@gatehouse/config';
import {
  busFields,
  catchLibraryOutput,
  connectBus,
  connectEphemeral,
  databaseFields,
  ephemeralFields,
  openHost,
  processFields,
  runProcess,
  trustedAuthorities,
} from '@gatehouse/host';

// Before the service is loaded: some libraries print as soon as they are.
catchLibraryOutput();
const { authConfigFields, authListenFields, listenSettings, startAuthService } = await import('@gatehouse/service-auth');

const fields = { ...processFields, ...busFields, ...databaseFields, ...ephemeralFields, ...authConfigFields, ...authListenFields };

await runProcess(async (opened) => {
  const config = loadConfig(defineConfig({ ...fields, publicUrl: required(FIELDS.publicUrl) }));
  const host = opened.add(await openHost('auth', config));
  const ca = trustedAuthorities(config);
  const bus = opened.add(await connectBus('auth', config.natsUrl, host, ca));
  const ephemeral = opened.add(await connectEphemeral(config.redisUrl, host, ca));
  const [database, natsUrl, redisUrl] = [config.databaseUrl, config.natsUrl, config.redisUrl].map((url) => url.use((bytes) => bytes.toString('utf8')));
  const world = { trustedCas: ca === undefined ? [] : [ca], ownPorts: ownPorts([config.authListen, config.metricsListen], [database!, natsUrl!, redisUrl!]) };
  const service = opened.add(await startAuthService({ bus, ephemeral, database: database!, config, log: host.log, metrics: host.metrics, publicUrl: config.publicUrl, listen: listenSettings(config), ...world }));
  host.health.register('auth', () => service.ready());
  host.log.info({ port: service.port }, 'listening for edges');
});
