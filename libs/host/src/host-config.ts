import { FIELDS, required, type Field } from '@gatehouse/config';

/** Settings of every process of the distributed form: logs, metrics, the bus. */
export const processFields = {
  logLevel: FIELDS.logLevel,
  metricsListen: FIELDS.metricsListen,
  caFile: FIELDS.caFile,
} as const satisfies Record<string, Field>;

/** The bus, where there is no substitute for it. */
export const busFields = { natsUrl: required(FIELDS.natsUrl) } as const;

/** The database, where there is no substitute for it. */
export const databaseFields = { databaseUrl: required(FIELDS.databaseUrl) } as const;

/** The ephemeral store, where there is no substitute for it. */
export const ephemeralFields = { redisUrl: required(FIELDS.redisUrl) } as const;
