import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { presentedToken } from './presented-token.js';

const presented = (authorization?: string, dpop?: string) =>
  presentedToken({ headers: { ...(authorization === undefined ? {} : { authorization }), ...(dpop === undefined ? {} : { dpop }) } } as unknown as IncomingMessage);

describe('presentedToken', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['Bearer   abc==', 'abc=='],
    ['Bearer ghp_gatehouse_A-b_9', 'ghp_gatehouse_A-b_9'],
    ['Bearer a.b.c', 'a.b.c'],
  ])('reads %p', (header, text) => {
    expect(presented(header)).toEqual({ scheme: 'bearer', text, proof: undefined });
  });

  it('reads a bound token with its proof, and without one', () => {
    expect(presented('DPoP a.b.c', 'p.r.f')).toEqual({ scheme: 'dpop', text: 'a.b.c', proof: 'p.r.f' });
    expect(presented('dpop a.b.c')).toEqual({ scheme: 'dpop', text: 'a.b.c', proof: undefined });
  });

  it.each([undefined, '', 'Bearer', 'Bearer ', 'Basic abc', 'abc', 'Bearer a b', 'Bearer a,b', 'Bearer a, Bearer b', 'Bearer "abc"', 'Bearer =abc', 'Bearer\tabc', 'Token Bearer abc', 'DPoP', 'DPoP a b'])(
    'reads no token from %p',
    (header) => {
      expect(presented(header)).toBeUndefined();
    },
  );
});
