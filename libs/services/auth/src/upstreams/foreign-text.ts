const MAX_CHARS = 200;

/**
 * What another side wrote, as people and logs may read it: one line of printable characters, short,
 * without anything that looks like a token. Undefined when nothing is left of it.
 */
export function foreignText(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const line = text.normalize('NFKC').replace(/[\p{C}\p{Zl}\p{Zp}<>]+/gu, ' ').replace(/[A-Za-z0-9_.~+/=-]{33,}/g, '…').trim();
  const short = [...line].slice(0, MAX_CHARS).join('');
  return short === '' ? undefined : short;
}

/** An error code of RFC 6749 (sections 4.1.2.1 and 5.2) or one like it; undefined for anything else. */
export function errorCode(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9_.:-]{1,64}$/.test(value) ? value : undefined;
}
