import { describe, expect, it } from '@jest/globals';
import { InProcessBroker } from './in-process-broker.js';
import { checkSubject, matches } from './subjects.js';

describe('subjects', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.c', false],
    ['a.b', 'a', false],
    ['a', 'a.b', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['*.b', 'a.b', true],
    ['a.>', 'a.b', true],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['*.*.>', 'a.b', false],
  ])('pattern %s and subject %s match: %s', (pattern, subject, expected) => {
    expect(matches(pattern, subject)).toBe(expected);
  });

  it.each(['', 'a..b', '.a', 'a.', 'a b', 'a.*', 'a.>', 'a\tb'])('refuses %j as a subject', (subject) => {
    expect(() => checkSubject(subject, 'subject')).toThrow('not a subject');
  });

  it.each(['a.>.b', 'a*', 'a.b>', ''])('refuses %j as a pattern', (pattern) => {
    expect(() => checkSubject(pattern, 'pattern')).toThrow('not a pattern');
  });
});

describe('the broker', () => {
  it('sends to every listener outside a group and to one of each group, and tells to how many', async () => {
    const broker = new InProcessBroker();
    const heard: string[] = [];
    broker.subscribe('a.*', () => void heard.push('wild'));
    broker.subscribe('a.b', () => void heard.push('plain'));
    broker.subscribe('a.b', () => void heard.push('group'), 'g');
    const stop = broker.subscribe('a.b', () => void heard.push('group'), 'g');
    expect(broker.send('a.b', '1')).toBe(3);
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard.sort()).toEqual(['group', 'plain', 'wild']);
    stop();
    expect(broker.send('a.b', '1')).toBe(3);
    expect(broker.send('b', '1')).toBe(0);
  });
});
