import { describe, expect, it } from '@jest/globals';
import { DecisionMemory } from './decision-memory.js';
import type { Decision } from './question.js';

const decision: Decision = { effect: 'allow', reason: 'permitted', policies: [], snapshot: 'e.1' };

describe('the memory for decisions', () => {
  it('holds at most 50,000 and keeps what is asked for', () => {
    const memory = new DecisionMemory();
    memory.put('asked', decision);
    for (let at = 0; at < 200_000; at += 1) {
      memory.put(`k${at}`, decision);
      if (at % 10_000 === 0) expect(memory.get('asked')).toBe(decision);
    }
    expect(memory.size).toBeLessThanOrEqual(50_000);
    expect(memory.get('k0')).toBeUndefined();
  });

  it('does not keep long keys, which callers choose', () => {
    const memory = new DecisionMemory();
    memory.put('x'.repeat(769), decision);
    expect(memory.size).toBe(0);
  });
});
