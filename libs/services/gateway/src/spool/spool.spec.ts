import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { auditContracts } from '@gatehouse/contracts';
import { Fault } from '@gatehouse/kernel';
import { systemDisk, type Disk } from './disk.js';
import { sampleEnd, sampleFacts, sampleIntent, sampleRefusal } from './sample-entries.js';
import { Spool, type SpoolOptions } from './spool.js';
import type { Shipment } from './shipper.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a spool', () => {
  let dir: string;
  let spools: Spool[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-spool-'));
    spools = [];
  });

  afterEach(async () => {
    for (const spool of spools) await spool.close();
    await rm(dir, { recursive: true, force: true });
  });

  const open = async (options: Partial<SpoolOptions> = {}): Promise<Spool> => {
    const spool = await Spool.open({ dir, log, lingerMs: 0, ...options });
    spools.push(spool);
    return spool;
  };

  /** Everything a spool ships, parsed by the contract. */
  const shipped = async (spool: Spool): Promise<auditContracts.SpoolEntry[]> => {
    const entries: auditContracts.SpoolEntry[] = [];
    spool.startShipping(async ({ entries: batch }: Shipment) => {
      for (const { body } of batch) entries.push(auditContracts.spoolEntry.parse(JSON.parse(body)));
      return { upTo: batch.at(-1)?.seq ?? 0 };
    });
    expect(await spool.drain(10_000)).toBe(true);
    return entries;
  };

  it('ships what was written, in order, as the contract says', async () => {
    const spool = await open();
    await spool.intent(sampleIntent('one'));
    await spool.single(sampleRefusal('two'));
    spool.outcome(sampleEnd('one'));
    const entries = await shipped(spool);
    expect(entries.map(({ phase, callId }) => [phase, callId])).toEqual([['intent', 'one'], ['single', 'two'], ['outcome', 'one']]);
    expect(entries.map(({ origin }) => origin.seq)).toEqual([1, 2, 3]);
    expect(new Set(entries.map(({ origin }) => `${origin.edge} ${origin.boot}`))).toEqual(new Set([`${spool.edge} ${spool.boot}`]));
  });

  it('goes on with the same edge and the next number after a restart', async () => {
    const first = await open();
    await first.single(sampleRefusal('one'));
    await first.close();
    const second = await open();
    await second.single(sampleRefusal('two'));
    const entries = await shipped(second);
    expect(entries.map(({ origin }) => [origin.edge, origin.seq])).toEqual([[first.edge, 1], [first.edge, 2]]);
    expect(second.boot).not.toBe(first.boot);
  });

  it('writes what arrives together with one durable write', async () => {
    const disk = new CountingDisk();
    const spool = await open({ disk });
    await Promise.all(Array.from({ length: 500 }, (_, i) => spool.intent(sampleIntent(`call ${i}`))));
    expect(disk.writes).toBe(1);
  });

  it('starts the next batch when the previous one returns', async () => {
    const disk = new CountingDisk();
    const spool = await open({ disk });
    const writers = Array.from({ length: 64 }, async (_, writer) => {
      for (let i = 0; i < 20; i += 1) {
        await spool.intent(sampleIntent(`call ${writer}.${i}`));
        spool.outcome(sampleEnd(`call ${writer}.${i}`));
      }
    });
    await Promise.all(writers);
    expect(disk.writes).toBeLessThan(64 * 20 * 2 / 20);
    expect(spool.figures().lastSeq).toBeGreaterThanOrEqual(64 * 20);
  });

  it('does not acknowledge an intent before its write has returned', async () => {
    const disk = new CountingDisk();
    const spool = await open({ disk });
    disk.hold();
    let acknowledged = false;
    const intent = spool.intent(sampleIntent('one')).then(() => (acknowledged = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(acknowledged).toBe(false);
    disk.release();
    await intent;
  });

  it('keeps hostile text intact', async () => {
    const hostile = 'a\r\nb\u0000\u001b[31m\u202e"}}\ud800|=cmd() \u{1f600} {"v":1,"seq":9}}';
    const spool = await open();
    await spool.intent(sampleIntent('one', { target: hostile, argumentKeys: [hostile], client: { name: hostile, version: null, userAgent: hostile } }));
    spool.outcome(sampleEnd('one'));
    const [intent] = await shipped(spool);
    expect(intent).toMatchObject({ facts: { target: hostile, argumentKeys: [hostile], client: { userAgent: hostile } } });
  });

  it('cuts free text so that the entry fits the contract', async () => {
    const long = '\u0001'.repeat(70_000);
    const facts = { ...sampleFacts, target: long, argumentKeys: Array.from({ length: 300 }, () => long), client: { name: long, version: long, userAgent: long } };
    const spool = await open();
    await spool.intent(sampleIntent('one', facts));
    spool.outcome({ ...sampleEnd('one'), outcome: { ...sampleEnd('one').outcome, code: long } });
    const bodies: string[] = [];
    spool.startShipping(async ({ entries }) => {
      bodies.push(...entries.map(({ body }) => body));
      return { upTo: entries.at(-1)?.seq ?? 0 };
    });
    expect(await spool.drain(10_000)).toBe(true);
    for (const body of bodies) {
      expect(body.length).toBeLessThanOrEqual(64_000);
      expect(auditContracts.spoolEntry.safeParse(JSON.parse(body)).success).toBe(true);
    }
    expect(bodies[0]).toContain('…');
  });

  it('lets nobody else read its files', async () => {
    const spool = await open();
    await spool.single(sampleRefusal('one'));
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(dir)) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  });

  it('refuses a folder that is open already', async () => {
    await open();
    await expect(Spool.open({ dir, log })).rejects.toThrow(Fault);
  });

  it('takes nothing after it was closed', async () => {
    const spool = await open();
    await spool.close();
    await expect(spool.intent(sampleIntent('one'))).rejects.toMatchObject({ code: 'audit_unavailable', details: { reason: 'closed' } });
    expect(spool.state()).toEqual({ healthy: false, reason: 'closed' });
  });
});

/** The real disk, counted, and held when told to. */
class CountingDisk implements Disk {
  writes = 0;
  release: () => void = () => undefined;
  private held: Promise<void> = Promise.resolve();

  hold(): void {
    this.held = new Promise((resolve) => (this.release = resolve));
  }

  async append(...args: Parameters<Disk['append']>): Promise<void> {
    this.writes += 1;
    await this.held;
    await systemDisk.append(...args);
  }
}
