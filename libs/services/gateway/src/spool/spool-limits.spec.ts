import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestClock } from '@gatehouse/testing';
import { systemDisk, type Disk } from './disk.js';
import { sampleEnd, sampleIntent, sampleRefusal } from './sample-entries.js';
import { Spool, type SpoolOptions } from './spool.js';
import type { Send } from './shipper.js';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const refused = (reason: string): object => ({ code: 'audit_unavailable', details: { reason } });
const confirmAll: Send = async ({ entries }) => ({ upTo: entries.at(-1)?.seq ?? 0 });

describe('a spool at its limits', () => {
  let dir: string;
  let spool: Spool | undefined;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-spool-'));
  });

  afterEach(async () => {
    await spool?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const open = async (options: Partial<SpoolOptions> = {}): Promise<Spool> => (spool = await Spool.open({ dir, log, lingerMs: 0, ...options }));

  /** Calls until one is refused; resolves to those that began. */
  const fill = async (full: Spool): Promise<string[]> => {
    for (const began: string[] = []; ; began.push(`call ${began.length}`)) {
      const answer = await full.intent(sampleIntent(`call ${began.length}`)).then(() => 'taken', (error: { details: { reason: string } }) => error.details.reason);
      if (answer !== 'taken') {
        expect(answer).toBe('spool_full');
        return began;
      }
    }
  };

  it('refuses calls when it is full, but takes the end of every call that began', async () => {
    const full = await open({ maxBytes: 200_000 });
    const began = await fill(full);
    expect(full.figures().bytes).toBeLessThanOrEqual(200_000);
    expect(full.state()).toEqual({ healthy: false, reason: 'spool_full' });
    for (const callId of began) full.outcome(sampleEnd(callId));
    full.startShipping(confirmAll);
    expect(await full.drain(10_000)).toBe(true);
    expect(full.figures()).toMatchObject({ lastSeq: began.length * 2, openCalls: 0 });
  });

  it('still records refusals when calls are refused, until their share is used up', async () => {
    const full = await open({ maxBytes: 200_000 });
    await fill(full);
    await full.single(sampleRefusal('refused'));
    const flood = Array.from({ length: 50 }, (_, i) => full.single(sampleRefusal(`refusal ${i}`)).then(() => true, () => false));
    const taken = await Promise.all(flood);
    expect(taken).toContain(false);
    expect(full.figures().dropped).toBe(taken.filter((one) => !one).length);
    expect(full.figures().bytes).toBeLessThan(200_000);
  });

  it('takes calls again once the audit service has confirmed', async () => {
    const full = await open({ maxBytes: 200_000 });
    await fill(full);
    full.startShipping(confirmAll);
    expect(await full.drain(10_000)).toBe(true);
    await full.stopShipping();
    expect(full.figures().bytes).toBeLessThan(40_000);
    await full.intent(sampleIntent('after'));
  });

  it('refuses calls when the oldest unconfirmed entry is too old', async () => {
    const clock = new TestClock();
    const old = await open({ clock, maxAgeMs: 60_000 });
    await old.intent({ ...sampleIntent('one'), at: clock.now() });
    clock.advance(60_000);
    await old.intent({ ...sampleIntent('two'), at: clock.now() });
    clock.advance(1);
    await expect(old.intent({ ...sampleIntent('three'), at: clock.now() })).rejects.toMatchObject(refused('too_old'));
    expect(old.state()).toEqual({ healthy: false, reason: 'too_old' });
    old.startShipping(confirmAll);
    expect(await old.drain(10_000)).toBe(true);
    await old.intent({ ...sampleIntent('four'), at: clock.now() });
  });

  it('knows the age of what an earlier life left', async () => {
    const clock = new TestClock();
    const first = await open({ clock });
    await first.intent({ ...sampleIntent('one'), at: clock.now() });
    await first.close();
    clock.advance(60_001);
    const second = await open({ clock, maxAgeMs: 60_000 });
    expect(second.state()).toEqual({ healthy: false, reason: 'too_old' });
  });

  it('refuses calls while writes fail and goes on without a gap when they work again', async () => {
    const disk = new FailingDisk();
    const broken = await open({ disk });
    await broken.intent(sampleIntent('before'));
    disk.problem = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    await expect(broken.intent(sampleIntent('lost'))).rejects.toMatchObject(refused('write_failed'));
    await expect(broken.intent(sampleIntent('refused at once'))).rejects.toMatchObject(refused('write_failed'));
    broken.outcome(sampleEnd('before'));
    const refusal = broken.single(sampleRefusal('kept'));
    disk.problem = undefined;
    await refusal;
    await broken.intent(sampleIntent('after'));
    const bodies: string[] = [];
    broken.startShipping(async (shipment) => {
      bodies.push(...shipment.entries.map(({ body }) => body));
      return confirmAll(shipment);
    });
    expect(await broken.drain(10_000)).toBe(true);
    const entries = bodies.map((body) => JSON.parse(body) as { callId: string; origin: { seq: number } });
    expect(entries.map(({ callId, origin }) => [callId, origin.seq])).toEqual([['before', 1], ['before', 2], ['kept', 3], ['after', 4]]);
  });

  it('cuts off what a failed write may have left, so that a restart finds each number once', async () => {
    const disk = new FailingDisk();
    const broken = await open({ disk });
    await broken.intent(sampleIntent('before'));
    // The bytes arrive, the sync fails: whether they are on the disk is unknown.
    disk.writesFirst = true;
    disk.problem = Object.assign(new Error('i/o error'), { code: 'EIO' });
    await expect(broken.intent(sampleIntent('doubtful'))).rejects.toMatchObject(refused('write_failed'));
    disk.problem = undefined;
    await broken.single(sampleRefusal('next'));
    await broken.close();
    const again = await open();
    expect(again.figures()).toMatchObject({ damaged: 0, lastSeq: 3 });
  });

  it('refuses calls while the disk hangs', async () => {
    const disk = new FailingDisk();
    const clock = new TestClock();
    const hanging = await open({ disk, clock });
    let release = (): void => undefined;
    disk.held = new Promise((resolve) => (release = resolve));
    const waiting = hanging.intent({ ...sampleIntent('one'), at: clock.now() });
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(5_001);
    await expect(hanging.intent({ ...sampleIntent('two'), at: clock.now() })).rejects.toMatchObject(refused('disk_stalled'));
    release();
    await waiting;
    expect(hanging.state()).toEqual({ healthy: true });
  });
});

/** The real disk until a problem is set. */
class FailingDisk implements Disk {
  problem: Error | undefined;
  writesFirst = false;
  held: Promise<void> = Promise.resolve();

  async append(...args: Parameters<Disk['append']>): Promise<void> {
    await this.held;
    if (this.problem === undefined || this.writesFirst) await systemDisk.append(...args);
    if (this.problem !== undefined) throw this.problem;
  }
}
