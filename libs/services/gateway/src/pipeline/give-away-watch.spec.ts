import { describe, expect, it } from '@jest/globals';
import { Secret } from '@gatehouse/kernel';
import { LeasedCredential } from '../credentials/leased-credential.js';
import { GiveAwayWatch } from './give-away-watch.js';

const SECRET = 'canary-secret-0123456789';
const lease = new LeasedCredential([['x-api-key', Secret.of(Buffer.from(SECRET))]], { expiresAt: 1_000, refreshAt: 750, version: 1, renewAt: Number.POSITIVE_INFINITY, endsAt: Number.POSITIVE_INFINITY });

const piecesOf = (text: string, size: number): Buffer[] => {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
};

describe('GiveAwayWatch', () => {
  it.each([1, 2, 3, 7, 23, 24, 25, 1_000])('finds the secret in pieces of %i bytes', (size) => {
    const watch = new GiveAwayWatch(lease);
    const pieces = piecesOf(`${'.'.repeat(100)}${SECRET}${'.'.repeat(100)}`, size);
    expect(() => pieces.forEach((piece) => watch.push(piece))).toThrow('withheld');
  });

  it('finds it at every place where two pieces can meet, before the piece that completes it goes out', () => {
    for (let cut = 1; cut < SECRET.length; cut++) {
      const watch = new GiveAwayWatch(lease);
      watch.push(Buffer.from(`{"a":"${SECRET.slice(0, cut)}`));
      expect(() => watch.push(Buffer.from(`${SECRET.slice(cut)}"}`))).toThrow('withheld');
    }
  });

  it('finds it encoded across pieces', () => {
    for (const encoding of ['hex', 'base64url'] as const) {
      const watch = new GiveAwayWatch(lease);
      const pieces = piecesOf(`..${Buffer.from(SECRET).toString(encoding)}..`, 5);
      expect(() => pieces.forEach((piece) => watch.push(piece))).toThrow('withheld');
    }
  });

  it('lets everything else pass, and everything when there is no credential', () => {
    const watch = new GiveAwayWatch(lease);
    for (const piece of piecesOf(`${SECRET.slice(0, -1)} ${SECRET.slice(1)} `.repeat(20), 9)) watch.push(piece);
    new GiveAwayWatch(undefined).push(Buffer.from(SECRET));
  });
});
