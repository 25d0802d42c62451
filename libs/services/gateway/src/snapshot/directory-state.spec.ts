import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { directoryContracts } from '@gatehouse/contracts';
import { Neighbours } from '../neighbours.conformance.js';
import { DirectoryState } from './directory-state.js';

const digestOf = (token: string): string => hash('sha256', token, 'base64url');
const NOW = Date.UTC(2026, 0, 1);

function stateOf(neighbours: Neighbours): DirectoryState {
  return new DirectoryState(directoryContracts.directory.parse(JSON.parse(neighbours.directoryText())));
}

describe('DirectoryState', () => {
  it('knows who a token belongs to, with its scopes and the capabilities of its person', () => {
    const neighbours = new Neighbours();
    const token = neighbours.addToken('ada', { scopes: ['mcp:access', 'admin'], capabilities: ['servers.read'] });
    const caller = stateOf(neighbours).callerOf(digestOf(token), NOW)!;
    expect(caller.account.name).toBe('ada');
    expect([[...caller.scopes], [...caller.capabilities]]).toEqual([['mcp:access', 'admin'], ['servers.read']]);
  });

  it('knows nobody by anything that is not exactly a token (A-18)', () => {
    const neighbours = new Neighbours();
    const token = neighbours.addToken('ada');
    const state = stateOf(neighbours);
    const digest = neighbours.tokens[0]!.digest;
    for (const guess of ['', token.slice(0, -1), `${token} `, token.toUpperCase(), digest, neighbours.tokens[0]!.id, '__proto__', 'constructor']) {
      expect([guess, state.callerOf(digestOf(guess), NOW)]).toEqual([guess, undefined]);
    }
  });

  it('knows a token until the millisecond it ends, for new calls and for streams', () => {
    const neighbours = new Neighbours();
    const token = neighbours.addToken('ada', { expiresAt: NOW });
    const state = stateOf(neighbours);
    const { id } = neighbours.tokens[0]!;
    expect([state.callerOf(digestOf(token), NOW - 1)?.tokenId, state.callerOfTokenId(id, NOW - 1)?.tokenId]).toEqual([id, id]);
    expect([state.callerOf(digestOf(token), NOW), state.callerOfTokenId(id, NOW)]).toEqual([undefined, undefined]);
  });

  it('forgets a revoked token with the next directory, and its person with them', () => {
    const neighbours = new Neighbours();
    const [kept, revoked] = [neighbours.addToken('ada'), neighbours.addToken('ada')];
    const { id } = neighbours.tokens[1]!;
    neighbours.revoke(revoked);
    const state = stateOf(neighbours);
    expect([state.callerOf(digestOf(kept), NOW) === undefined, state.callerOf(digestOf(revoked), NOW), state.callerOfTokenId(id, NOW)]).toEqual([false, undefined, undefined]);
    neighbours.callers = [];
    expect(stateOf(neighbours).callerOf(digestOf(kept), NOW)).toBeUndefined();
  });
});
