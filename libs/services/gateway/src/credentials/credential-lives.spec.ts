import { describe, expect, it } from '@jest/globals';
import { CredentialLives } from './credential-lives.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('CredentialLives', () => {
  it.each([
    ['an hour: a tenth before its end', HOUR, 54 * MINUTE],
    ['ten hours', 10 * HOUR, 9 * HOUR],
    ['five minutes: a minute before', 5 * MINUTE, 4 * MINUTE],
    ['a minute: at half of it', MINUTE, MINUTE / 2],
    ['ten seconds', 10_000, 5_000],
  ])('has a credential renewed that lives for %s', (_life, lifeMs, expected) => {
    expect(new CredentialLives().untilRenewal('one', 1, lifeMs)).toBe(expected);
  });

  it('measures by the life it saw first, and anew for a new version', () => {
    const lives = new CredentialLives();
    lives.untilRenewal('one', 1, HOUR);
    expect(lives.untilRenewal('one', 1, 10 * MINUTE)).toBe(4 * MINUTE);
    expect(lives.untilRenewal('one', 1, 5 * MINUTE)).toBeLessThan(0);
    expect(lives.untilRenewal('one', 2, 10 * MINUTE)).toBe(9 * MINUTE);
    expect([lives.versionOf('one'), lives.versionOf('two')]).toEqual([2, 0]);
  });

  it('leaves alone what has no known end', () => {
    expect(new CredentialLives().untilRenewal('one', 1, null)).toBe(Number.POSITIVE_INFINITY);
  });
});
