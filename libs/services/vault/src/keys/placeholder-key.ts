// Of 32 random bytes about 30 differ; fewer than 16 comes up once in 10^15 keys.
const FEWEST_DIFFERENT = 16;

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;

function isCounting(key: Buffer): boolean {
  const step = (key[1]! - key[0]! + 256) % 256;
  return key.every((byte, at) => at === 0 || (byte - key[at - 1]! + 256) % 256 === step);
}

/**
 * Why these 32 bytes are no key but a stand-in someone meant to replace (all zeros, a repeated
 * byte, text, a counted-up row), or undefined. Random bytes are refused about once in 10^13.
 */
export function placeholderReason(key: Buffer): string | undefined {
  if (key.every((byte) => byte === 0)) return 'all zeros';
  if (new Set(key).size < FEWEST_DIFFERENT) return 'repeated bytes';
  if (key.every(isPrintable)) return 'text instead of random bytes';
  if (isCounting(key)) return 'counted-up bytes';
  return undefined;
}
