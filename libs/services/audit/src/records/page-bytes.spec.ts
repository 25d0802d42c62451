import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditContracts } from '@gatehouse/contracts';
import { AuditWorld } from '../audit-world.conformance.js';
import { SampleEdge, sampleFacts, sampleOutcome } from '../sample-entries.js';
import { fitting, MAX_PAGE_BYTES } from './page-bytes.js';

const { appendEntries, queryRecords } = auditContracts;
type Page = { items: auditContracts.AuditRecord[]; nextCursor: string | null };

const COUNT = 1_000;
const PER_SHIPMENT = 250;
const BUS_BYTES = 1_048_576;
/** With this limit pages of long records end early and pages of short ones are full. */
const MIXED_LIMIT = 200;
/** Three bytes per character: sizes are counted in bytes, not in characters. */
const LONG_TARGET = '界'.repeat(1_000);
const caller = { ...sampleFacts.caller, name: 'wordy' };
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

function record(targetBytes: number): auditContracts.AuditRecord {
  return { id: 'call', seq: 1, at: 1, facts: { ...sampleFacts, target: 'x'.repeat(targetBytes) }, outcome: sampleOutcome, edge: 'edge' };
}

describe('the bytes of a page', () => {
  it('holds what fits, to the byte', () => {
    const frame = bytesOf(record(0)) + 1;
    const half = record(MAX_PAGE_BYTES / 2 - frame);
    expect(fitting([half, half])).toHaveLength(2);
    expect(fitting([half, record(MAX_PAGE_BYTES / 2 - frame + 1)])).toHaveLength(1);
  });

  it('holds one item however large, and none of none', () => {
    const huge = record(MAX_PAGE_BYTES * 2);
    expect(fitting([huge, record(1)])).toEqual([huge]);
    expect(fitting([record(1), huge])).toEqual([record(1)]);
    expect(fitting([])).toEqual([]);
  });
});

describe('a thousand records, half of them long', () => {
  let world: AuditWorld;
  const ids = Array.from({ length: COUNT }, (_, at) => `wordy ${at}`);

  beforeAll(async () => {
    world = await AuditWorld.start();
    const edge = new SampleEdge();
    for (let at = 0; at < COUNT; at += PER_SHIPMENT) {
      // Equal times: the cursor has to go on between two of them.
      const target = at < COUNT / 2 ? LONG_TARGET : 'short';
      const intents = ids.slice(at, at + PER_SHIPMENT).map((id) => edge.intent(id, { caller, target }, 1_000));
      await world.gateway().request(appendEntries, edge.shipment(...intents));
    }
    await world.gateway().request(appendEntries, edge.shipment(edge.single('another caller')));
  }, 60_000);

  afterAll(() => world.stop(), 30_000);

  async function walk(follow: boolean, limit: number): Promise<Page[]> {
    const pages: Page[] = [];
    for (let cursor: string | null = null; ; ) {
      const page: Page = await world.gateway(pages.length % 2).request(queryRecords, { filter: { caller: 'wordy', since: 0 }, follow, cursor, limit });
      pages.push(page);
      cursor = page.nextCursor;
      if (cursor === null || page.items.length === 0) return pages;
    }
  }

  it.each<[string, boolean, number]>([
    ['newest first', false, COUNT],
    ['newest first, some pages full', false, MIXED_LIMIT],
    ['in commit order', true, COUNT],
    ['in commit order, some pages full', true, MIXED_LIMIT],
  ])('come each exactly once, %s', async (_order, follow, limit) => {
    const pages = await walk(follow, limit);
    const seen = pages.flatMap(({ items }) => items.map(({ id }) => id));
    expect(seen).toHaveLength(COUNT);
    expect(new Set(seen)).toEqual(new Set(ids));
    if (follow) expect(seen).toEqual(ids);
    for (const page of pages) expect(bytesOf(page)).toBeLessThan(BUS_BYTES);
    // The last page of either order is short anyway.
    const isEarly = pages.slice(0, -2).map(({ items }) => items.length < limit);
    expect(isEarly).toContain(true);
    if (limit === MIXED_LIMIT) expect(isEarly).toContain(false);
  }, 30_000);

  it('fill a page that ends early nearly to its bytes', async () => {
    const page = await world.gateway().request(queryRecords, { filter: { caller: 'wordy' }, limit: COUNT });
    expect(page.items.length).toBeLessThan(COUNT);
    expect(page.nextCursor).not.toBeNull();
    expect(bytesOf(page.items)).toBeGreaterThan(MAX_PAGE_BYTES - Math.max(...page.items.map(bytesOf)) - 100);
    expect(bytesOf(page.items)).toBeLessThanOrEqual(MAX_PAGE_BYTES + 1);
  });
});
