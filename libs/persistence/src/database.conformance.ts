import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import pg from 'pg';
import { Database } from './database.js';
import type { Migration } from './migrations.js';

/** A PostgreSQL the suite may fill and stop. */
export interface SuiteServer {
  url: string;
  stop(): Promise<void>;
}

const THINGS: Migration = {
  name: '0001_things',
  sql: `
    CREATE TABLE things (id int PRIMARY KEY, name text CONSTRAINT things_name_key UNIQUE, facts jsonb NOT NULL DEFAULT '{}');
    CREATE INDEX things_facts ON things USING gin (facts);
    INSERT INTO things (id, name) VALUES (0, 'zero')`,
};
const COUNTERS: Migration = { name: '0002_counters', sql: 'CREATE TABLE counters (id int PRIMARY KEY, n bigint NOT NULL)' };

/** What every PostgreSQL that Gatehouse runs on has to do: the contract of `Database`. */
export function describeDatabase(name: string, startServer: () => Promise<SuiteServer>): void {
  describe(`Database on ${name}`, () => {
    let server: SuiteServer;
    let db: Database;
    const open = (schema: string, migrations: readonly Migration[] = [THINGS, COUNTERS], url = server.url): Promise<Database> =>
      Database.open({ url, schema, migrations, poolSize: 6 });

    beforeAll(async () => {
      server = await startServer();
      db = await open('suite');
    });
    afterAll(async () => {
      await db?.close();
      await server?.stop();
    });

    const asAdmin = async (sql: string): Promise<void> => {
      const client = new pg.Client(server.url);
      await client.connect();
      await client.query(sql).finally(() => client.end());
    };

    describe('statements', () => {
      it('returns rows of every kind of statement', async () => {
        expect(await db.query('SELECT name FROM things WHERE id = $1', [0])).toEqual([{ name: 'zero' }]);
        expect(await db.query("INSERT INTO things (id, name, facts) VALUES (1, 'one', $1) RETURNING id", [{ a: [1] }])).toEqual([{ id: 1 }]);
        expect(await db.query("UPDATE things SET name = 'uno' WHERE id = 1 RETURNING name, facts")).toEqual([{ name: 'uno', facts: { a: [1] } }]);
        expect(await db.query('DELETE FROM things WHERE id = 1 RETURNING id')).toEqual([{ id: 1 }]);
        expect(await db.query('DELETE FROM things WHERE id = 1')).toEqual([]);
      });

      it('sees its own schema only', async () => {
        const other = await open('neighbour');
        await other.query("UPDATE things SET name = 'theirs'");
        expect(await db.query('SELECT name FROM things WHERE id = 0')).toEqual([{ name: 'zero' }]);
        await other.close();
      });

      it('answers a unique violation with conflict and the name of the constraint', async () => {
        const insert = db.query("INSERT INTO things (id, name) VALUES (2, 'zero')");
        await expect(insert).rejects.toMatchObject({ code: 'conflict', details: { constraint: 'things_name_key' } });
      });

      it('keeps parameters and refused values out of faults', async () => {
        const error: unknown = await db.query('SELECT $1::int, $2::text', ['hunter2', 'topsecret']).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ name: 'Fault' });
        expect(inspect(error, { depth: 9 })).not.toMatch(/hunter2|topsecret/);
      });

      it('answers a statement that takes too long with service_timeout', async () => {
        const slow = db.transaction(async (tx) => {
          await tx.query("SET LOCAL statement_timeout = '50ms'");
          await tx.query('SELECT pg_sleep(5)');
        });
        await expect(slow).rejects.toMatchObject({ code: 'service_timeout' });
      });
    });

    describe('transactions', () => {
      it('commits what resolved and rolls back what rejected, passing the error on', async () => {
        await db.transaction((tx) => tx.query("INSERT INTO things (id, name) VALUES (10, 'ten')"));
        const failing = db.transaction(async (tx) => {
          await tx.query("INSERT INTO things (id, name) VALUES (11, 'eleven')");
          throw new RangeError('no');
        });
        await expect(failing).rejects.toThrow(RangeError);
        expect(await db.query('SELECT id FROM things WHERE id IN (10, 11)')).toEqual([{ id: 10 }]);
      });

      it('loses no update of concurrent transactions', async () => {
        await db.query('INSERT INTO counters VALUES (1, 0)');
        const increment = (): Promise<unknown> =>
          db.transaction(async (tx) => {
            const [row] = await tx.query<{ n: string }>('SELECT n FROM counters WHERE id = 1 FOR UPDATE');
            await tx.query('UPDATE counters SET n = $1 WHERE id = 1', [Number(row!.n) + 1]);
          });
        await Promise.all(Array.from({ length: 20 }, increment));
        expect(await db.query('SELECT n FROM counters WHERE id = 1')).toEqual([{ n: '20' }]);
      });

      it('refuses a work that goes on after a failed statement', async () => {
        const careless = db.transaction(async (tx) => {
          await tx.query("INSERT INTO things (id, name) VALUES (12, 'twelve')");
          await tx.query("INSERT INTO things (id, name) VALUES (12, 'again')").catch(() => undefined);
        });
        await expect(careless).rejects.toMatchObject({ name: 'Fault' });
        expect(await db.query('SELECT id FROM things WHERE id = 12')).toEqual([]);
      });

      it('refuses to be used after its work has ended', async () => {
        const kept = await db.transaction((tx) => Promise.resolve(tx));
        await expect(kept.query('SELECT 1')).rejects.toMatchObject({ name: 'Fault' });
      });

      it('answers a deadlock with overloaded and lets the other one through', async () => {
        await db.query('INSERT INTO counters VALUES (2, 0), (3, 0)');
        const both = (first: number, second: number): Promise<unknown> =>
          db.transaction(async (tx) => {
            await tx.query("SET LOCAL deadlock_timeout = '50ms'");
            await tx.query('UPDATE counters SET n = n + 1 WHERE id = $1', [first]);
            await tx.query('SELECT pg_sleep(0.2)');
            await tx.query('UPDATE counters SET n = n + 1 WHERE id = $1', [second]);
          });
        const outcomes = await Promise.allSettled([both(2, 3), both(3, 2)]);
        const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
        expect(refused.map((outcome) => outcome.reason)).toMatchObject([{ code: 'overloaded' }]);
      });
    });

    describe('connections', () => {
      it('answers a lost connection with service_unavailable, and the next statement works', async () => {
        const inside = db.transaction(async (tx) => {
          const [row] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
          await asAdmin(`SELECT pg_terminate_backend(${row!.pid})`);
          await tx.query('SELECT 1');
        });
        await expect(inside).rejects.toMatchObject({ code: 'service_unavailable' });
        expect(await db.ping()).toBe(true);
      });

      it('survives the loss of connections nobody is using', async () => {
        await asAdmin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehouse-suite'");
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(await db.ping()).toBe(true);
      });

      it('understands a password with characters that a URL escapes', async () => {
        await asAdmin(`CREATE ROLE odd LOGIN PASSWORD 'a+b/c@d e%'; CREATE SCHEMA odd AUTHORIZATION odd`);
        const url = new URL(server.url);
        url.username = 'odd';
        url.password = encodeURIComponent('a+b/c@d e%');
        const odd = await open('odd', [THINGS], url.href);
        expect(await odd.query('SELECT current_user AS me, current_schema() AS here')).toEqual([{ me: 'odd', here: 'odd' }]);
        await odd.close();
      });
    });

    describe('migrations', () => {
      it('run once when several replicas start together', async () => {
        const replicas = await Promise.all(Array.from({ length: 4 }, () => open('replicas')));
        expect(await replicas[0]!.query('SELECT count(*)::int AS n FROM things')).toEqual([{ n: 1 }]);
        expect(await replicas[3]!.query('SELECT name FROM migration_checksums ORDER BY name')).toEqual([
          { name: '0001_things' },
          { name: '0002_counters' },
        ]);
        await Promise.all(replicas.map((replica) => replica.close()));
      });

      it('refuse to start when one that was applied has changed', async () => {
        await (await open('drift')).close();
        const changed = { ...COUNTERS, sql: `${COUNTERS.sql} -- changed` };
        await expect(open('drift', [THINGS, changed])).rejects.toThrow('0002_counters was applied to this database with another text');
      });

      it('take line ends for no change', async () => {
        await (await open('line_ends')).close();
        await (await open('line_ends', [{ ...THINGS, sql: THINGS.sql.replaceAll('\n', '\r\n') }, COUNTERS])).close();
      });

      it('leave nothing of one that failed, and keep those before it', async () => {
        const broken = { name: '0002_broken', sql: 'CREATE TABLE half (id int); SELECT 1/0' };
        await expect(open('broken', [THINGS, broken])).rejects.toMatchObject({ name: 'Fault' });
        const repaired = await open('broken', [THINGS, { ...broken, sql: 'CREATE TABLE half (id int)' }]);
        expect(await repaired.query('SELECT * FROM half')).toEqual([]);
        await repaired.close();
      });

      it('let an older release start on a newer schema', async () => {
        await (await open('newer')).close();
        await (await open('newer', [THINGS])).close();
      });
    });
  });
}
