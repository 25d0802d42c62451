import { describe, expect, it } from '@jest/globals';
import { Secret } from '@gatehouse/kernel';
import { LeasedCredential } from './leased-credential.js';

const lease = (...values: string[]): LeasedCredential =>
  new LeasedCredential(values.map((value, at) => [`x-${at}`, Secret.of(Buffer.from(value, 'latin1'))] as const), { expiresAt: 1_000, refreshAt: 750, version: 1, renewAt: Number.POSITIVE_INFINITY, endsAt: Number.POSITIVE_INFINITY });

const SECRET = 's3cr"et\\token/+1234';

describe('LeasedCredential', () => {
  it.each([
    ['raw', SECRET],
    ['inside a JSON text', JSON.stringify({ echoed: SECRET })],
    ['in hex', Buffer.from(SECRET).toString('hex')],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64 without padding', Buffer.from(SECRET).toString('base64').replace(/=+$/, '')],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
  ])('sees its secret %s (E-39)', (_how, text) => {
    const around = Buffer.from(`{"text":"... ${text} ..."}`);
    expect(lease('other-secret', SECRET).isGivenAwayIn(around)).toBe(true);
    expect(lease(`Bearer ${SECRET}`).isGivenAwayIn(around)).toBe(true);
  });

  it('sees bytes beyond ASCII', () => {
    expect(lease('p\u00e4ssw\u00f6rd-of-ada').isGivenAwayIn(Buffer.from('x p\u00e4ssw\u00f6rd-of-ada x', 'latin1'))).toBe(true);
  });

  it('is not alarmed by parts of it, by the scheme word, or by short values', () => {
    expect(lease(`Bearer ${SECRET}`).isGivenAwayIn(Buffer.from(`Bearer ${SECRET.slice(0, -1)}`))).toBe(false);
    expect(lease('short').isGivenAwayIn(Buffer.from('short'))).toBe(false);
    expect(lease('').isGivenAwayIn(Buffer.from('anything'))).toBe(false);
  });

  it('tells how much of a stream to keep', () => {
    expect(lease('12345678').longestNeedle).toBe(16);
    expect(lease('short').longestNeedle).toBe(0);
  });

  it('holds nothing after it is wiped', () => {
    const own = lease(SECRET);
    own.wipe();
    expect(own.isGivenAwayIn(Buffer.from(SECRET))).toBe(false);
    expect(() => own.lines[0]![1].use(String)).toThrow('wiped');
  });
});
