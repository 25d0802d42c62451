import { defineConfig, FIELDS, listenField, loadConfig, onOff, type Config } from '@gatehouse/config';
import { processFields } from '@gatehouse/host';
import { authConfigFields } from '@gatehouse/service-auth';
import { auditConfigFields } from '@gatehouse/service-audit';
import { gatewayConfigFields } from '@gatehouse/service-gateway';
import { policyConfigFields } from '@gatehouse/service-policy';
import { vaultConfigFields } from '@gatehouse/service-vault';

const fields = {
  ...processFields,
  // In a terminal the first lines a newcomer reads are the three that matter; trouble still shows.
  logLevel: { ...FIELDS.logLevel, default: 'warn' },
  listen: listenField('127.0.0.1:8080'),
  publicUrl: FIELDS.publicUrl,
  dataDir: FIELDS.dataDir,
  natsUrl: FIELDS.natsUrl,
  redisUrl: FIELDS.redisUrl,
  databaseUrl: FIELDS.databaseUrl,
  demo: {
    env: 'GATEHOUSE_DEMO',
    schema: onOff(),
    default: 'on',
    describe: 'Whether the built-in sample server runs and is registered as `demo` while no other server is.',
  },
  ...vaultConfigFields,
  ...authConfigFields,
  ...policyConfigFields,
  ...auditConfigFields,
  ...gatewayConfigFields,
} as const;

/** Everything the one process is told. */
export type Settings = Config<typeof fields>;

/** The settings of the process with all five services, for the reference page too. */
export const allInOneConfig = defineConfig(fields);

/** Reads the environment; throws a `ConfigError` with every problem. */
export function readSettings(): Settings {
  return loadConfig(allInOneConfig);
}
