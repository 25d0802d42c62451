import { describe, expect, it } from '@jest/globals';
import { CallLoad } from './call-load.js';
import { LIMITS } from './limits.js';

describe('CallLoad', () => {
  it('caps the calls of one person in flight and leaves the others theirs', () => {
    const load = new CallLoad();
    const leaves = Array.from({ length: LIMITS.callsPerCaller }, () => load.enter('ada'));
    expect(() => load.enter('ada')).toThrow('Too many requests');
    load.enter('ben')();
    leaves[0]!();
    load.enter('ada');
    expect(() => load.enter('ada')).toThrow('Too many requests');
  });

  it('starts from nothing when everybody has left', () => {
    const load = new CallLoad();
    for (let round = 0; round < 3 * LIMITS.callsPerCaller; round++) load.enter('ada')();
    for (let call = 0; call < LIMITS.callsPerCaller; call++) load.enter('ada');
    expect(() => load.enter('ada')).toThrow('Too many requests');
  });
});
