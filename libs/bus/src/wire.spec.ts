import { Refusal } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';
import { encode, MAX_PAYLOAD_BYTES } from './wire.js';

const QUOTES = 2;

/** Whether a text of so many of a character is taken. */
function isTaken(character: string, count: number): boolean {
  try {
    encode(character.repeat(count));
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'too_large') return false;
    throw error;
  }
}

describe('what goes over the bus', () => {
  it.each(['a', 'é', '€', '😀'])('is limited by its bytes, whatever is written in it: %s', (character) => {
    const most = Math.floor((MAX_PAYLOAD_BYTES - QUOTES) / Buffer.byteLength(character));
    expect([isTaken(character, most), isTaken(character, most + 1)]).toEqual([true, false]);
  });
});
