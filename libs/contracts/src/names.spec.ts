import { describe, expect, it } from '@jest/globals';
import { newId } from '@gatehouse/kernel';
import { displayText, personId, policyName, serverName, tokenId } from './names.js';

describe('serverName', () => {
  it.each(['a', 'tools', 'a-b', '0', 'x'.repeat(63)])('may be %p', (name) => {
    expect(serverName.safeParse(name).success).toBe(true);
  });

  it.each(['', '-a', 'a-', 'A', 'a_b', 'a.b', 'a/b', '..', 'a b', 'a\n', '\u0430', 'x'.repeat(64), '__proto__', 7])('may not be %p (E-10)', (name) => {
    expect(serverName.safeParse(name).success).toBe(false);
  });
});

describe('policyName', () => {
  it.each(['a', 'team.writes', 'Team_Writes-2', 'x'.repeat(128)])('may be %p', (name) => {
    expect(policyName.safeParse(name).success).toBe(true);
  });

  it.each(['', '.a', 'a.', '_a', 'a/b', 'a b', '..', '__proto__', 'x'.repeat(129)])('may not be %p', (name) => {
    expect(policyName.safeParse(name).success).toBe(false);
  });
});

describe('displayText', () => {
  it.each(['Ada', 'Ada Lovelace', '\u00c5sa \u738b', "O'Neil <admin>", '=cmd()', 'x'.repeat(10)])('may be %p', (text) => {
    expect(displayText(20).safeParse(text).success).toBe(true);
  });

  it.each(['', 'a\nb', 'a\u001b[2J', 'a\u0000', 'a\u007f', 'a\u2028b', 'a\u202eb', 'a\u2066b', 'x'.repeat(21)])('may not be %p: terminals, logs and eyes (U-07)', (text) => {
    expect(displayText(20).safeParse(text).success).toBe(false);
  });
});

describe('ids', () => {
  it('are of one kind', () => {
    expect(personId.safeParse(newId('person')).success).toBe(true);
    expect(personId.safeParse(newId('token')).success).toBe(false);
    expect(tokenId.safeParse(`${newId('token')}x`).success).toBe(false);
  });
});
