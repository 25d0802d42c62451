import { Fault } from '@gatehouse/kernel';
import { DataSource, type QueryRunner } from 'typeorm';
import { connectionOptions, type DatabaseOptions } from './connection-options.js';
import { databaseError } from './database-errors.js';
import { migrate } from './migrations.js';

const PING_LIMIT_MS = 2_000;

/** Statements that take effect together or not at all. Usable only while the work it was given to runs. */
export interface Transaction {
  /** Rows of one statement; `$1` parameters. bigint and numeric arrive as strings, timestamptz as Date, json parsed. */
  query<T extends object>(sql: string, params?: readonly unknown[]): Promise<T[]>;
}

/**
 * One service's schema in a PostgreSQL 15 to 18. Refusals: `conflict` (unique violation),
 * `service_unavailable` (connection lost or refused), `service_timeout` (statement over 30 s),
 * `overloaded` (deadlock, serialization failure); everything else is a `Fault` without values.
 * Nothing is retried here: whether a repeat is safe only the caller knows.
 */
export class Database implements Transaction {
  private constructor(private readonly source: DataSource) {}

  /** Connects, migrates and resolves when the schema is up to date; rejects with a `Fault` that says why not. */
  static async open(o: DatabaseOptions): Promise<Database> {
    const source = new DataSource(connectionOptions(o));
    try {
      await source.initialize();
      await migrate(source, o.schema, o.migrations);
      return new Database(source);
    } catch (error) {
      if (source.isInitialized) await source.destroy();
      throw error instanceof Fault ? error : openFailure(o, error);
    }
  }

  /** See `Transaction.query`; one statement is a transaction of its own. */
  async query<T extends object>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    const runner = this.source.createQueryRunner();
    try {
      return await run<T>(runner, sql, params);
    } finally {
      await runner.release();
    }
  }

  /**
   * Runs `work` in one READ COMMITTED transaction: commits when it resolves, rolls back and rethrows
   * when it rejects. A work that goes on after a failed statement is refused with a `Fault`, because
   * PostgreSQL would turn its commit into a rollback without an error.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      await begin(runner);
      return await workAndCommit(runner, work);
    } catch (error) {
      await rollback(runner);
      throw error;
    } finally {
      await runner.release();
    }
  }

  /** Whether the server answers within 2 s. */
  async ping(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), PING_LIMIT_MS)));
    const answer = this.query('SELECT 1').then(() => true, () => false);
    return Promise.race([answer, tooLate]).finally(() => clearTimeout(timer));
  }

  /** Closes the pool once the statements under way are done. Safe to call twice. */
  async close(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
  }
}

async function run<T extends object>(runner: QueryRunner, sql: string, params?: readonly unknown[]): Promise<T[]> {
  try {
    return (await runner.query(sql, params === undefined ? undefined : [...params], true)).records as T[];
  } catch (error) {
    throw databaseError(error);
  }
}

async function begin(runner: QueryRunner): Promise<void> {
  try {
    await runner.startTransaction();
  } catch (error) {
    throw databaseError(error);
  }
}

async function workAndCommit<T>(runner: QueryRunner, work: (tx: Transaction) => Promise<T>): Promise<T> {
  let failed: unknown;
  const note = (error: unknown): never => {
    failed = error;
    throw error;
  };
  let over = false;
  const query: Transaction['query'] = (sql, params) => (over ? Promise.reject(tooLate()) : run<never>(runner, sql, params).catch(note));
  const result = await work({ query }).finally(() => (over = true));
  if (failed !== undefined) throw new Fault('a transaction went on after a statement had failed', { cause: failed });
  try {
    await runner.commitTransaction();
  } catch (error) {
    throw databaseError(error);
  }
  return result;
}

function tooLate(): Fault {
  return new Fault('a transaction was used after its work had ended');
}

async function rollback(runner: QueryRunner): Promise<void> {
  // Fails only when the connection is lost, and then the server has rolled back already.
  if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
}

function openFailure({ url, schema }: DatabaseOptions, error: unknown): Fault {
  const known = databaseError(error);
  const { host } = new URL(url);
  const reason = known instanceof Fault ? known.cause : error;
  return new Fault(`the database at ${host} cannot be used for schema ${schema}: ${(reason as Error).message}`, { cause: known });
}
