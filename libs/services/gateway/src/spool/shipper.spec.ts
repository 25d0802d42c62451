import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sampleIntent, sampleRefusal } from './sample-entries.js';
import { Spool, type SpoolOptions } from './spool.js';
import type { Shipment } from './shipper.js';

describe('shipping', () => {
  let dir: string;
  let spool: Spool | undefined;
  let complaints: string[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-spool-'));
    complaints = [];
  });

  afterEach(async () => {
    await spool?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const note = (_fields: object, message: string): void => void complaints.push(message);
  const open = async (options: Partial<SpoolOptions> = {}): Promise<Spool> =>
    (spool = await Spool.open({ dir, log: { info: () => undefined, warn: note, error: note }, lingerMs: 0, ...options }));
  const write = async (to: Spool, count: number): Promise<void> => {
    for (let i = 0; i < count; i += 50) {
      await Promise.all(Array.from({ length: Math.min(50, count - i) }, (_, k) => to.single(sampleRefusal(`refusal ${i + k}`))));
    }
  };

  it('sends batches within the bounds, one at a time, in order', async () => {
    const source = await open();
    await write(source, 1_200);
    const seqs: number[] = [];
    let inFlight = 0;
    source.startShipping(async ({ entries }) => {
      expect((inFlight += 1)).toBe(1);
      expect(entries.length).toBeLessThanOrEqual(500);
      expect(entries.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)).toBeLessThanOrEqual(200_000);
      seqs.push(...entries.map(({ seq }) => seq));
      await new Promise((resolve) => setTimeout(resolve, 2));
      inFlight -= 1;
      return { upTo: seqs.at(-1)! };
    });
    expect(await source.drain(10_000)).toBe(true);
    expect(seqs).toEqual(Array.from({ length: 1_200 }, (_, i) => i + 1));
  });

  it('sends again what was not confirmed, after failures and after short receipts', async () => {
    const source = await open();
    await write(source, 10);
    const firsts: number[] = [];
    const receipts = [4, 0, 7, 10];
    source.startShipping(async ({ entries }) => {
      firsts.push(entries[0]!.seq);
      if (firsts.length === 1) throw new Error('no answer');
      return { upTo: receipts.shift()! };
    });
    expect(await source.drain(10_000)).toBe(true);
    expect(firsts).toEqual([1, 1, 5, 5, 8]);
  });

  it('believes no receipt for entries it never wrote', async () => {
    const source = await open();
    await write(source, 3);
    source.startShipping(async () => ({ upTo: 1_000 }));
    expect(await source.drain(10_000)).toBe(true);
    expect(source.figures().committed).toBe(3);
    expect(complaints.some((line) => line.includes('restored from a copy'))).toBe(true);
    const next: number[] = [];
    await source.stopShipping();
    source.startShipping(async ({ entries }) => {
      next.push(...entries.map(({ seq }) => seq));
      return { upTo: entries.at(-1)!.seq };
    });
    await write(source, 2);
    expect(await source.drain(10_000)).toBe(true);
    expect(next).toEqual([4, 5]);
  });

  it('reads from disk what did not fit in memory, without loss or repetition, while more is written', async () => {
    const source = await open({ memoryEntries: 100, segmentBytes: 64 * 1024 });
    await write(source, 2_000);
    const seqs: number[] = [];
    source.startShipping(async ({ entries }) => {
      seqs.push(...entries.map(({ seq }) => seq));
      return { upTo: seqs.at(-1)! };
    });
    await write(source, 2_000);
    expect(await source.drain(20_000)).toBe(true);
    await write(source, 300);
    expect(await source.drain(20_000)).toBe(true);
    expect(seqs).toEqual(Array.from({ length: 4_300 }, (_, i) => i + 1));
  });

  it('deletes segments only when the receipt covers them', async () => {
    const source = await open({ segmentBytes: 32 * 1024 });
    await write(source, 300);
    const segments = async (): Promise<number> => (await readdir(dir)).filter((name) => name.endsWith('.log')).length;
    const before = await segments();
    source.startShipping(() => Promise.reject(new Error('away')));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await segments()).toBe(before);
    await source.stopShipping();
    source.startShipping(async ({ entries }: Shipment) => ({ upTo: entries.at(-1)!.seq }));
    expect(await source.drain(10_000)).toBe(true);
    await source.stopShipping();
    expect(await segments()).toBe(1);
  });

  it('ships after a restart what the earlier life did not', async () => {
    const first = await open();
    await first.intent(sampleIntent('one'));
    await write(first, 5);
    await first.close();
    const second = await open();
    const seqs: number[] = [];
    second.startShipping(async ({ entries }) => {
      seqs.push(...entries.map(({ seq }) => seq));
      return { upTo: seqs.at(-1)! };
    });
    expect(await second.drain(10_000)).toBe(true);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('gathers entries for a moment when there are few', async () => {
    const source = await open({ lingerMs: 100 });
    let shipments = 0;
    source.startShipping(async ({ entries }) => {
      shipments += 1;
      return { upTo: entries.at(-1)!.seq };
    });
    for (let i = 0; i < 5; i += 1) await source.intent(sampleIntent(`call ${i}`));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(source.figures().unshipped).toBe(0);
    expect(shipments).toBeLessThanOrEqual(2);
  });
});
