import type { auditContracts } from '@gatehouse/contracts';

/** JSON bytes of the items of one page: well below the bus's 1 MiB, beyond which the whole answer would be refused with `too_large`. */
export const MAX_PAGE_BYTES = 700_000;

/**
 * The first items whose JSON stays within `MAX_PAGE_BYTES`, and always at least one: a record is made of two
 * spool entries of at most 64,000 characters, so one alone fits the bus.
 */
export function fitting(items: readonly auditContracts.AuditRecord[]): auditContracts.AuditRecord[] {
  let bytes = 0;
  const past = items.findIndex((item, index) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > MAX_PAGE_BYTES && index > 0;
  });
  return items.slice(0, past === -1 ? items.length : past);
}
