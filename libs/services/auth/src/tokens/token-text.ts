import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { authContracts } from '@gatehouse/contracts';

const SECRET_BYTES = 32;
const CHECKSUM_CHARS = 6;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SHAPE = new RegExp(`^${authContracts.TOKEN_PREFIX}[A-Za-z0-9_-]{43}[0-9A-Za-z]{${CHECKSUM_CHARS}}$`);

/** Every client secret that we make starts so. */
export const CLIENT_SECRET_PREFIX = 'ghs_gatehouse_';

/** A new personal access token; see `newSecretText`. */
export function newTokenText(): Buffer {
  return newSecretText(authContracts.TOKEN_PREFIX);
}

/**
 * A new secret as ASCII bytes: prefix, 32 random bytes in base64url, and a checksum by which a
 * scanner tells a leaked one from look-alike text without asking us. The caller wipes it.
 */
export function newSecretText(prefix: typeof authContracts.TOKEN_PREFIX | typeof CLIENT_SECRET_PREFIX): Buffer {
  const body = `${prefix}${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return Buffer.from(`${body}${checksum(body)}`, 'ascii');
}

/** True for text of our shape whose checksum fits; says nothing about whether the token is known. */
export function isTokenText(text: string): boolean {
  return SHAPE.test(text) && checksum(text.slice(0, -CHECKSUM_CHARS)) === text.slice(-CHECKSUM_CHARS);
}

/** What is kept of a token: SHA-256 of the whole text, base64url. Enough for 256 random bits; no salt needed. */
export function tokenDigest(text: Buffer): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** CRC-32 in six base-62 digits, as other personal access tokens carry it. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let place = 0; place < CHECKSUM_CHARS; place++) {
    digits = BASE62[rest % 62]! + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
