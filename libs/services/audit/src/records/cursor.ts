import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { auditContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';

/** Where a list goes on: newest first after a time and a call, or in commit order after a number of the log. */
export type Place = { readonly order: 'time'; readonly at: number; readonly id: string } | { readonly order: 'commit'; readonly seq: number };

const MAC_BYTES = 16;

/** Makes and reads cursors: opaque, and good only for the filter and the order they were given for. */
export class Cursors {
  /** The key is the same on all replicas. */
  constructor(private readonly key: Buffer) {}

  /** The cursor of a place. */
  write(place: Place, filter: auditContracts.RecordFilter): string {
    return this.signed(JSON.stringify(place.order === 'time' ? ['t', place.at, place.id] : ['c', place.seq]), filter);
  }

  /** The place of a cursor; Refusal `invalid_cursor` when it was not made here for this filter and order. */
  read(cursor: string, filter: auditContracts.RecordFilter, order: Place['order']): Place {
    const text = Buffer.from(cursor.split('.')[0] ?? '', 'base64url').toString();
    if (!equal(Buffer.from(cursor), Buffer.from(this.signed(text, filter)))) throw new Refusal('invalid_cursor');
    const place = placeOf(JSON.parse(text) as unknown[]);
    if (place.order !== order) throw new Refusal('invalid_cursor');
    return place;
  }

  private signed(text: string, filter: auditContracts.RecordFilter): string {
    const mac = createHmac('sha256', this.key).update(filterHash(filter)).update(text).digest().subarray(0, MAC_BYTES);
    return `${Buffer.from(text).toString('base64url')}.${mac.toString('base64url')}`;
  }
}

function placeOf([order, first, second]: unknown[]): Place {
  return order === 't' ? { order: 'time', at: Number(first), id: String(second) } : { order: 'commit', seq: Number(first) };
}

function filterHash(filter: auditContracts.RecordFilter): Buffer {
  const members = Object.entries(filter).filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(members)).digest();
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
