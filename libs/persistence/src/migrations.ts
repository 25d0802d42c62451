import { createHash } from 'node:crypto';
import { Fault } from '@gatehouse/kernel';
import { MigrationExecutor, type DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { ADVISORY_LOCKS } from './advisory-locks.js';

/** One step of a schema, forward only. Once released its text never changes. */
export interface Migration {
  /** `0001_people`: four digits that order it, then what it makes. */
  name: string;
  /** One or more statements without transaction control; unqualified names mean the service's schema. */
  sql: string;
}

const NAME = /^(\d{4})_[a-z0-9_]+$/;
const FIRST_TIMESTAMP = 1_000_000_000_000;

/** TypeORM's form of the list. Refuses malformed, repeated and unordered names with a `Fault`. */
export function migrationClasses(migrations: readonly Migration[]): (new () => MigrationInterface)[] {
  migrations.forEach(({ name }, index) => {
    const previous = migrations[index - 1]?.name ?? '';
    if (!NAME.test(name)) throw new Fault(`the migration name ${name} is not like 0001_people`);
    if (name.slice(0, 4) <= previous.slice(0, 4)) throw new Fault(`migration ${name} does not come after ${previous}`);
  });
  return migrations.map(migrationClass);
}

function migrationClass(migration: Migration): new () => MigrationInterface {
  return class implements MigrationInterface {
    // TypeORM orders by the thirteen digits at the end of the name.
    readonly name = `${migration.name}_${FIRST_TIMESTAMP + Number(migration.name.slice(0, 4))}`;

    async up(runner: QueryRunner): Promise<void> {
      await runner.query(migration.sql);
      await runner.query('INSERT INTO migration_checksums (name, sha256) VALUES ($1, $2)', [migration.name, checksum(migration)]);
    }

    down(): Promise<void> {
      return Promise.reject(new Fault('migrations only go forward'));
    }
  };
}

function checksum({ sql }: Migration): string {
  return createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
}

/**
 * Brings the schema up to date, each migration in its own transaction. A session lock lets replicas
 * that start together take turns; the later ones find nothing left to do. Refuses with a `Fault`
 * when a migration that was applied here has another text now. Migrations this release does not
 * know (a newer one ran before) are left alone.
 */
export async function migrate(source: DataSource, schema: string, migrations: readonly Migration[]): Promise<void> {
  const runner = source.createQueryRunner();
  const keys = [ADVISORY_LOCKS.migrate, schema];
  try {
    await runner.query('SET statement_timeout = 0; SET lock_timeout = 0');
    await runner.query('SELECT pg_advisory_lock($1, hashtext($2))', keys);
    await migrateLocked(source, runner, { schema, migrations });
    await runner.query('SELECT pg_advisory_unlock($1, hashtext($2))', keys);
    await runner.query('RESET statement_timeout; RESET lock_timeout');
  } finally {
    await runner.release();
  }
}

async function migrateLocked(source: DataSource, runner: QueryRunner, o: { schema: string; migrations: readonly Migration[] }): Promise<void> {
  await createSchema(runner, o.schema);
  await runner.query('CREATE TABLE IF NOT EXISTS migration_checksums (name text PRIMARY KEY, sha256 text NOT NULL)');
  await refuseDrift(runner, o.migrations);
  const executor = new MigrationExecutor(source, runner);
  executor.transaction = 'each';
  await executor.executePendingMigrations();
}

// Asked first, because IF NOT EXISTS still needs the right to create schemas, which a service's role may lack.
async function createSchema(runner: QueryRunner, schema: string): Promise<void> {
  const found = (await runner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])) as unknown[];
  if (found.length === 0) await runner.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
}

async function refuseDrift(runner: QueryRunner, migrations: readonly Migration[]): Promise<void> {
  const rows = (await runner.query('SELECT name, sha256 FROM migration_checksums')) as { name: string; sha256: string }[];
  const applied = new Map(rows.map(({ name, sha256 }) => [name, sha256]));
  const changed = migrations.find((migration) => (applied.get(migration.name) ?? checksum(migration)) !== checksum(migration));
  if (changed === undefined) return;
  throw new Fault(`migration ${changed.name} was applied to this database with another text; add a new migration instead of changing it`);
}
