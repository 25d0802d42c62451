import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RESOURCE, TokenDesk, USE } from './token-desk.conformance.js';
import { claimsFor, headerFor, listed, newMintKey, signed, type Members } from './token-mint.conformance.js';
import { VerifiedTokens } from './verified-tokens.js';

const key = newMintKey('key_at');
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

describe('TokenCheck', () => {
  let desk: TokenDesk;
  let ada: string;

  beforeEach(() => {
    desk = new TokenDesk();
    ada = desk.neighbours.addCaller('ada');
    desk.neighbours.keys.push(listed(key));
    desk.publish();
  });

  afterEach(() => desk.neighbours.close());

  const minted = (more: Members = {}): string => signed(headerFor(key), claimsFor(ada, RESOURCE, more), key);
  const isAtOnce = (text: string): boolean => !(desk.check.callerOf({ scheme: 'bearer', proof: undefined, text }, USE) instanceof Promise);

  it('knows who a token stands for: account, grant, client, scopes, capabilities', async () => {
    desk.neighbours.callers[0]!.capabilities = ['servers.read'];
    desk.publish();
    const caller = await desk.ask(minted({ gid: 'grant-1', client_id: 'https://client.example/meta', scope: 'mcp:access other' }));
    expect(caller).toMatchObject({ account: { id: ada, name: 'ada' }, tokenId: 'grant-1', clientId: 'https://client.example/meta' });
    if (typeof caller === 'string') throw new Error(caller);
    expect([[...caller.scopes], [...caller.capabilities]]).toEqual([['mcp:access', 'other'], ['servers.read']]);
  });

  it('knows a service account as what it is', async () => {
    const id = desk.neighbours.addCaller('robot', 'svc_0190c0de-0000-7000-8000-000000000001');
    desk.publish();
    expect(await desk.ask(signed(headerFor(key), claimsFor(id, RESOURCE), key))).toMatchObject({ account: { kind: 'service_account', name: 'robot' } });
  });

  it('answers at once for what it has seen, with another directory in force too', async () => {
    const token = minted();
    expect(isAtOnce(token)).toBe(false);
    await desk.ask(token);
    expect(isAtOnce(token)).toBe(true);
    desk.publish();
    expect(isAtOnce(token)).toBe(true);
  });

  it.each<[string, (desk: TokenDesk) => void]>([
    ['its grant is denied', ({ neighbours }) => neighbours.denied.push({ id: 'grant-1', until: Date.now() + 1_000 })],
    ['its jti is denied', ({ neighbours }) => neighbours.denied.push({ id: 'jti-1', until: Date.now() + 1_000 })],
    ['its caller is gone', ({ neighbours }) => void (neighbours.callers = [])],
    ['its key is gone', ({ neighbours }) => void (neighbours.keys = [])],
    ['another key took the place of its key', ({ neighbours }) => void (neighbours.keys = [listed(newMintKey('key_at'))])],
  ])('refuses a token that it has seen, and one it has not, once %s', async (_what, change) => {
    const [seen, unseen] = [minted({ gid: 'grant-1', jti: 'jti-1' }), minted({ gid: 'grant-1', jti: 'jti-1', extra: 1 })];
    const caller = await desk.ask(seen);
    if (typeof caller === 'string') throw new Error(caller);
    expect(desk.check.current(caller)?.account.name).toBe('ada');
    change(desk);
    desk.publish();
    expect([await desk.name(seen), await desk.name(unseen), desk.check.current(caller)]).toEqual(['unauthenticated', 'unauthenticated', undefined]);
  });

  it('refuses what was seen before its time and from the millisecond it is over on', async () => {
    const now = Math.floor(desk.clock.now() / 1_000);
    desk.clock.setWall(now * 1_000);
    const token = minted({ iat: now, exp: now + 100 });
    const caller = await desk.ask(token);
    if (typeof caller === 'string') throw new Error(caller);
    desk.clock.setWall((now - 60) * 1_000 - 1);
    expect(await desk.name(token)).toBe('unauthenticated');
    desk.clock.setWall((now + 160) * 1_000 - 1);
    expect([await desk.name(token), desk.check.current(caller)?.account.name]).toEqual(['ada', 'ada']);
    desk.clock.setWall((now + 160) * 1_000);
    expect([await desk.name(token), desk.check.current(caller)]).toEqual(['unauthenticated', undefined]);
  });

  it('is refused as long as no directory is in force', async () => {
    const token = minted();
    await desk.ask(token);
    desk.state = undefined;
    expect(await desk.name(token)).toBe('directory_stale');
  });

  it('takes a revoked personal access token from what outlives its request', async () => {
    const token = desk.neighbours.addToken('ben');
    desk.publish();
    const caller = await desk.ask(token);
    if (typeof caller === 'string') throw new Error(caller);
    expect([isAtOnce(token), desk.check.current(caller)?.account.name]).toEqual([true, 'ben']);
    desk.neighbours.revoke(token);
    desk.publish();
    expect([await desk.name(token), desk.check.current(caller)]).toEqual(['unauthenticated', undefined]);
  });

  it('refuses a personal access token under the scheme of bound ones', async () => {
    const token = desk.neighbours.addToken('ben');
    desk.publish();
    expect(await desk.name(token, USE, { scheme: 'dpop', proof: 'a.b.c' })).toBe('unauthenticated');
  });

  it('goes on with the other keys when one in the directory is none', async () => {
    desk.neighbours.keys.unshift({ id: 'key_broken', jwk: { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' } });
    desk.publish();
    expect(await desk.name(minted())).toBe('ada');
  });

  it('verifies ours with ES256 only, whatever keys the directory lists', async () => {
    const rsa = newMintKey('key_rsa', 'RS256');
    const okp = newMintKey('key_okp', 'EdDSA');
    desk.neighbours.keys.push(listed(rsa), listed(okp));
    desk.publish();
    for (const other of [rsa, okp]) expect(await desk.name(signed(headerFor(other), claimsFor(ada, RESOURCE), other))).toBe('unauthenticated');
  });

  it('remembers a bounded number of tokens, the oldest making room', () => {
    const tokens = new VerifiedTokens(3);
    for (const digest of ['a', 'b', 'c', 'd']) tokens.add(digest, {} as never);
    expect([tokens.size, tokens.get('a'), tokens.get('d') === undefined]).toEqual([3, undefined, false]);
  });

  // The bounds are those of a machine with much else to do; what is printed is what counts.
  it('is quick: microseconds for what was seen, well under a millisecond for what is new', async () => {
    const tokens = Array.from({ length: 400 }, () => minted());
    const fresh: number[] = [];
    for (const token of tokens) {
      const started = performance.now();
      await desk.ask(token);
      fresh.push(performance.now() - started);
    }
    const rounds: number[] = [];
    for (let round = 0; round < 40; round++) {
      const started = performance.now();
      for (const token of tokens) void desk.check.callerOf({ scheme: 'bearer', proof: undefined, text: token }, USE);
      rounds.push((performance.now() - started) / tokens.length);
    }
    const [newUs, seenUs] = [median(fresh.slice(100)) * 1_000, median(rounds) * 1_000];
    process.stdout.write(`access tokens: ${newUs.toFixed(0)} us new, ${seenUs.toFixed(2)} us seen\n`);
    expect(seenUs).toBeLessThan(150);
    expect(newUs).toBeLessThan(20_000);
  });
});
