import 'reflect-metadata';
import { join } from 'node:path';
import { defineConfig, FIELDS, listenField, loadConfig } from '@gatehouse/config';
import {
  busFields,
  connectBus,
  connectEphemeral,
  ephemeralFields,
  openHost,
  processFields,
  runProcess,
  trustedAuthorities,
} from '@gatehouse/host';
import { authUrlField, gatewayConfigFields, gatewaySettings, startGateway } from '@gatehouse/service-gateway';

const fields = { listen: listenField('127.0.0.1:8080'), publicUrl: FIELDS.publicUrl, dataDir: FIELDS.dataDir, authUrl: authUrlField, ...gatewayConfigFields };

await runProcess(async (opened) => {
  const config = loadConfig(defineConfig({ ...processFields, ...busFields, ...ephemeralFields, ...fields }));
  const host = opened.add(await openHost('gateway', config));
  const ca = trustedAuthorities(config);
  const bus = opened.add(await connectBus('gateway', config.natsUrl, host, ca));
  const ephemeral = opened.add(await connectEphemeral(config.redisUrl, host, ca));
  const ownUrls = [config.natsUrl, config.redisUrl].map((secret) => secret.use((bytes) => bytes.toString('utf8')));
  const settings = gatewaySettings({ ...config, spoolDir: join(config.dataDir, 'spool'), ownUrls, trustedCas: ca === undefined ? [] : [ca] });
  const gateway = opened.add(await startGateway({ bus, ephemeral, settings, log: host.log, metrics: host.metrics, health: host.health }));
  host.log.info({ port: gateway.port }, 'listening');
});
