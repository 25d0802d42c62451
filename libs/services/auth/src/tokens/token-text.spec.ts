import { createHash } from 'node:crypto';
import { authContracts } from '@gatehouse/contracts';
import { describe, expect, it } from '@jest/globals';
import { isTokenText, newTokenText, tokenDigest } from './token-text.js';

describe('token text', () => {
  it('carries the prefix, 32 random bytes and a checksum', () => {
    const text = newTokenText().toString();
    expect(text).toMatch(/^ghp_gatehouse_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$/);
    expect(isTokenText(text)).toBe(true);
  });

  it('has a checksum that other tools can compute: CRC-32 in base 62', () => {
    const body = `${authContracts.TOKEN_PREFIX}${'A'.repeat(43)}`;
    expect(isTokenText(`${body}0Ygdfr`)).toBe(true);
  });

  it('never comes twice', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => newTokenText().toString())).size).toBe(1_000);
  });

  it('tells a mistyped token by its checksum at every place', () => {
    const text = newTokenText().toString();
    for (let at = 0; at < text.length; at++) {
      const typo = text.slice(0, at) + (text[at] === 'x' ? 'y' : 'x') + text.slice(at + 1);
      expect(isTokenText(typo)).toBe(false);
    }
    expect(isTokenText(`${text} `)).toBe(false);
    expect(isTokenText('')).toBe(false);
  });

  it('is kept as the SHA-256 of the whole text', () => {
    const text = newTokenText();
    expect(tokenDigest(text)).toBe(createHash('sha256').update(text.toString()).digest('base64url'));
  });
});
