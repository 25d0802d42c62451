import { describe, expect, it } from '@jest/globals';
import { isJsonObject } from './json.js';

describe('isJsonObject', () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [JSON.parse('{"__proto__":1}'), true],
    [[], false],
    [null, false],
    [undefined, false],
    ['{}', false],
    [7, false],
    [true, false],
  ])('of %p is %p', (value, is) => {
    expect(isJsonObject(value)).toBe(is);
  });
});
