import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JsonValue } from '@gatehouse/kernel';
import type { SuiteServer } from './database.conformance.js';
import { Database } from './database.js';
import { Outbox, OUTBOX_MIGRATION, type Publish } from './outbox.js';

const WAIT_LIMIT_MS = 10_000;

/** What the outbox promises on every PostgreSQL. */
export function describeOutbox(name: string, startServer: () => Promise<SuiteServer>): void {
  describe(`Outbox on ${name}`, () => {
    let server: SuiteServer;
    let db: Database;
    let outboxes: Outbox[];
    let published: { payload: JsonValue; dedupId: string }[];
    const note: Publish = (_subject, payload, dedupId) => Promise.resolve(void published.push({ payload, dedupId }));
    const outbox = (publish: Publish = note): Outbox => {
      const made = new Outbox(db, publish);
      outboxes.push(made);
      return made;
    };
    const write = (to: Outbox, payload: JsonValue): Promise<void> => db.transaction((tx) => to.add(tx, 'evt.v1.auth.thing.made', payload));
    const left = async (): Promise<number> => (await db.query<{ n: number }>('SELECT count(*)::int AS n FROM outbox'))[0]!.n;
    const untilEmpty = async (): Promise<void> => {
      for (const deadline = Date.now() + WAIT_LIMIT_MS; (await left()) > 0; await new Promise((resolve) => setTimeout(resolve, 10))) {
        if (Date.now() > deadline) throw new Error('the outbox did not empty');
      }
    };

    beforeAll(async () => {
      server = await startServer();
      db = await Database.open({ url: server.url, schema: 'outbox_suite', migrations: [OUTBOX_MIGRATION], poolSize: 12 });
    });
    beforeEach(async () => {
      published = [];
      outboxes = [];
      await db.query('DELETE FROM outbox');
    });
    afterEach(() => Promise.all(outboxes.map((made) => made.stop())));
    afterAll(async () => {
      await db?.close();
      await server?.stop();
    });

    it('publishes what was committed, at once after a poke, and nothing that was rolled back', async () => {
      const box = outbox();
      box.start();
      await db.transaction((tx) => box.add(tx, 'evt.v1.auth.thing.made', 'lost').then(() => Promise.reject(new RangeError()))).catch(() => undefined);
      await write(box, { kept: true });
      const before = Date.now();
      box.poke();
      await untilEmpty();
      expect(Date.now() - before).toBeLessThan(900);
      expect(published.map(({ payload }) => payload)).toEqual([{ kept: true }]);
    });

    it('finds rows nobody poked for', async () => {
      const box = outbox();
      await write(box, 1);
      box.start();
      await write(box, 2);
      await untilEmpty();
      expect(published.map(({ payload }) => payload)).toEqual([1, 2]);
    });

    it('keeps the payload as it was written', async () => {
      const box = outbox();
      const payload = { z: 1, a: [null, 'é', { '': 0.1 }], big: 1e21 };
      await write(box, payload);
      box.start();
      await untilEmpty();
      expect(JSON.stringify(published[0]!.payload)).toBe(JSON.stringify(payload));
    });

    it('repeats a failed publish with the same id before anything younger', async () => {
      let failures = 2;
      const box = outbox((subject, payload, dedupId) => {
        void note(subject, payload, dedupId);
        return payload === 'b' && failures-- > 0 ? Promise.reject(new Error('bus is down')) : Promise.resolve();
      });
      for (const payload of ['a', 'b', 'c']) await write(box, payload);
      box.start();
      await untilEmpty();
      expect(published.map(({ payload }) => payload)).toEqual(['a', 'b', 'b', 'b', 'c']);
      expect(new Set(published.slice(1, 4).map(({ dedupId }) => dedupId)).size).toBe(1);
    });

    it('publishes again what a relay had published when it lost the database', async () => {
      const box = outbox(async (subject, payload, dedupId) => {
        await note(subject, payload, dedupId);
        if (published.length > 1) return;
        await db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'");
      });
      await write(box, 'once or twice');
      box.start();
      await untilEmpty();
      expect(published).toHaveLength(2);
      expect(published[0]).toEqual(published[1]);
    });

    it('keeps the order of commits when writers and relays are many', async () => {
      const relays = [outbox(), outbox(), outbox()];
      relays.forEach((relay) => relay.start());
      const committed: number[] = [];
      const writer = async (number: number): Promise<void> => {
        await db.transaction(async (tx) => {
          await relays[number % 3]!.add(tx, 'evt.v1.auth.thing.made', number);
          await tx.query('SELECT pg_sleep($1)', [Math.random() * 0.01]);
          committed.push(number);
        });
        relays[(number + 1) % 3]!.poke();
      };
      await Promise.all(Array.from({ length: 60 }, (_, number) => writer(number)));
      await untilEmpty();
      expect(published.map(({ payload }) => payload)).toEqual(committed);
    });

    it('stops in the middle without losing a row', async () => {
      const box = outbox((...event) => note(...event).then(() => new Promise((resolve) => setTimeout(resolve, 20))));
      for (let number = 0; number < 10; number++) await write(box, number);
      box.start();
      await new Promise((resolve) => setTimeout(resolve, 60));
      await box.stop();
      const rest = outbox();
      rest.start();
      await untilEmpty();
      expect(published.map(({ payload }) => payload)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
  });
}
