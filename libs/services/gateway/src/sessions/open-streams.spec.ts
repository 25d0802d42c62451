import { describe, expect, it } from '@jest/globals';
import type { Refusal } from '@gatehouse/kernel';
import { LIMITS } from '../limits.js';
import { OpenStreams, type OpenStream } from './open-streams.js';

function stream(callerId: string, allowed: () => boolean = () => true, endless = false): OpenStream & { cuts: string[] } {
  const cuts: string[] = [];
  return { callerId, endless, stillAllowed: allowed, cut: (refusal: Refusal) => void cuts.push(refusal.code), cuts };
}

describe('OpenStreams', () => {
  it('caps the streams of one person and leaves the others theirs (E-23)', () => {
    const streams = new OpenStreams();
    const own = Array.from({ length: LIMITS.streamsPerCaller }, () => stream('ada'));
    for (const each of own) streams.open(each);
    expect(() => streams.open(stream('ada'))).toThrow('Too many open streams');
    streams.open(stream('ben'));
    expect(streams.size).toBe(LIMITS.streamsPerCaller + 1);
    streams.closed(own[0]!);
    streams.open(stream('ada'));
    expect(() => streams.open(stream('ada'))).toThrow('Too many open streams');
  });

  it('counts a stream out once, however often it ends', () => {
    const streams = new OpenStreams();
    const [first, second] = [stream('ada'), stream('ada')];
    streams.open(first);
    streams.open(second);
    for (let time = 0; time < 5; time++) streams.closed(first);
    expect(streams.size).toBe(1);
    for (let more = 1; more < LIMITS.streamsPerCaller; more++) streams.open(stream('ada'));
    expect(() => streams.open(stream('ada'))).toThrow('Too many open streams');
  });

  it('cuts what would not be opened now, and nothing else', () => {
    const streams = new OpenStreams();
    let allowed = true;
    const [revoked, other] = [stream('ada', () => allowed), stream('ben')];
    streams.open(revoked);
    streams.open(other);
    streams.review();
    allowed = false;
    streams.review();
    expect([revoked.cuts, other.cuts]).toEqual([['unauthenticated'], []]);
  });

  it('cuts what would never end when the instance goes, and the calls in flight when their time is over', () => {
    const streams = new OpenStreams();
    const all = [stream('ada', undefined, true), stream('ben')];
    all.forEach((each) => streams.open(each));
    streams.drain();
    expect(all.map(({ cuts }) => cuts)).toEqual([['draining'], []]);
    streams.cutAll();
    expect(all[1]!.cuts).toEqual(['draining']);
  });
});
