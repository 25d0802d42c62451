import { Fault } from '@gatehouse/kernel';
import type { DataSourceOptions } from 'typeorm';
import { migrationClasses, type Migration } from './migrations.js';
import { silentLogger } from './silent-logger.js';

/** What a service says about its database. */
export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`, with libpq's `sslmode` and `sslrootcert` where needed. */
  url: string;
  /** The service's own schema, created when missing. */
  schema: string;
  migrations: readonly Migration[];
  /** Connections kept at most; 8 unless told. */
  poolSize?: number;
  /** Shown in pg_stat_activity; `gatehouse-<schema>` unless told. */
  applicationName?: string;
}

const SCHEMA = /^[a-z][a-z0-9_]{0,62}$/;
const CONNECT_LIMIT_MS = 5_000;

/** Set per connection at its start-up message, so that no statement runs before them. */
const SESSION = ['statement_timeout=30s', 'idle_in_transaction_session_timeout=60s', 'lock_timeout=20s'];

/** TypeORM's options: a pg pool whose connections see only the schema. Refuses malformed input with a `Fault`. */
export function connectionOptions(o: DatabaseOptions): DataSourceOptions {
  if (!SCHEMA.test(o.schema)) throw new Fault(`${o.schema} is not a schema name`);
  return {
    type: 'postgres',
    url: withSession(o.url, o.schema),
    schema: o.schema,
    migrations: migrationClasses(o.migrations),
    migrationsTableName: 'migrations',
    poolSize: o.poolSize ?? 8,
    applicationName: o.applicationName ?? `gatehouse-${o.schema}`,
    connectTimeoutMS: CONNECT_LIMIT_MS,
    installExtensions: false,
    logger: silentLogger,
    // An idle connection that is lost is replaced at the next statement; there is nobody to tell.
    poolErrorHandler: () => undefined,
    extra: { keepAlive: true },
  };
}

// In the URL, because what stands there wins over every other place the driver looks at.
function withSession(url: string, schema: string): string {
  if (!URL.canParse(url)) throw new Fault('the database URL is not a URL');
  const parsed = new URL(url);
  const own = parsed.searchParams.get('options');
  const ours = [...SESSION, `search_path="${schema}"`].map((setting) => `-c ${setting}`);
  parsed.searchParams.set('options', [own, ...ours].filter((part) => part !== null).join(' '));
  return parsed.href;
}
