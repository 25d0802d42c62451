import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '../limits.js';
import { isUnused, OpenConnections, type Kept } from './open-connections.js';

function kept(key: string, callerId: string, serverId: string): Kept {
  return { use: { key, callerId, serverId, grounds: '' }, openedAt: 0, usedAt: 0, session: undefined, isStillGood: () => true, digest: undefined };
}

describe('OpenConnections', () => {
  it('caps those of one caller, and leaves the others theirs', () => {
    const connections = new OpenConnections();
    const own = Array.from({ length: LIMITS.sseSessionsPerCaller }, (_, at) => kept(`a${at}`, 'ada', `server-${at}`));
    own.forEach((each) => connections.add(each));
    expect(() => connections.add(kept('one-more', 'ada', 'server'))).toThrow(expect.objectContaining({ code: 'too_many_streams' }));
    connections.add(kept('b', 'ben', 'server'));
    connections.remove(own[0]!);
    connections.add(kept('one-more', 'ada', 'server'));
  });

  it('caps those to one server, and all of them', () => {
    const connections = new OpenConnections();
    const fill = (from: number, to: number, server: (at: number) => string): void => {
      for (let at = from; at < to; at++) connections.add(kept(String(at), `caller-${at}`, server(at)));
    };
    fill(0, LIMITS.sseSessionsPerServer, () => 'one');
    expect(() => connections.add(kept('x', 'ada', 'one'))).toThrow(expect.objectContaining({ code: 'overloaded' }));
    fill(LIMITS.sseSessionsPerServer, LIMITS.sseSessions, (at) => `server-${at % 100}`);
    expect(() => connections.add(kept('x', 'ada', 'two'))).toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(connections.size).toBe(LIMITS.sseSessions);
  });

  it('does not forget the one that took the place of another', () => {
    const connections = new OpenConnections();
    const [first, second] = [kept('k', 'ada', 's'), kept('k', 'ada', 's')];
    connections.add(first);
    connections.add(second);
    connections.remove(first);
    expect(connections.get('k')).toBe(second);
  });
});

describe('isUnused', () => {
  const idle = { isIdle: true };

  it.each([
    ['opened, and nobody came', { openedAt: 0, usedAt: 0, session: idle }, LIMITS.sseUnusedMs + 1, true],
    ['opened just now', { openedAt: 0, usedAt: 0, session: idle }, LIMITS.sseUnusedMs, false],
    ['used, and then not for long', { openedAt: 0, usedAt: 1, session: idle }, LIMITS.sseIdleMs + 2, true],
    ['used a while ago', { openedAt: 0, usedAt: 1, session: idle }, LIMITS.sseUnusedMs + 2, false],
    ['waited on for hours', { openedAt: 0, usedAt: 1, session: { isIdle: false } }, LIMITS.sessionMs, false],
    ['still being opened', { openedAt: 0, usedAt: 0, session: undefined }, LIMITS.sessionMs, false],
  ])('%s: at %#', (_how, connection, now, unused) => {
    expect(isUnused(connection, now)).toBe(unused);
  });
});
