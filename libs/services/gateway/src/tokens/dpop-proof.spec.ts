import { hash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memoryEphemeral, type Ephemeral } from '@gatehouse/ephemeral';
import { calculateJwkThumbprint } from 'jose';
import { ORIGIN, RESOURCE, TokenDesk, USE } from './token-desk.conformance.js';
import { b64, claimsFor, headerFor, listed, newMintKey, proofParts, signed, type Members, type MintKey } from './token-mint.conformance.js';

const key = newMintKey('key_at');
const holder = newMintKey('holder');
const okpHolder = newMintKey('holder', 'EdDSA');
const rsaHolder = newMintKey('holder', 'RS256');
const thief = newMintKey('thief');

describe('proofs of possession (RFC 9449)', () => {
  let ephemeral: Ephemeral;
  let desk: TokenDesk;
  let ada: string;
  let bound: string;

  beforeEach(async () => {
    ephemeral = memoryEphemeral();
    desk = new TokenDesk({ ephemeral });
    ada = desk.neighbours.addCaller('ada');
    desk.neighbours.keys.push(listed(key));
    desk.publish();
    bound = await boundTo(holder);
  });

  afterEach(() => desk.neighbours.close());

  const boundTo = async (owner: MintKey, more: Members = {}): Promise<string> => {
    const jkt = await calculateJwkThumbprint(owner.publicKey.export({ format: 'jwk' }) as never);
    return signed(headerFor(key), claimsFor(ada, RESOURCE, { cnf: { jkt }, ...more }), key);
  };
  const proofFor = (token: string, { by = holder, header = {}, claims = {}, use = {} }: { by?: MintKey; header?: Members; claims?: Members; use?: Partial<{ htm: string; htu: string }> } = {}): string => {
    const parts = proofParts(token, by, { htu: RESOURCE, ...use });
    return signed({ ...parts.header, ...header }, { ...parts.claims, ...claims }, by);
  };
  const shown = (proof: string | undefined, token = bound): Promise<string> => desk.name(token, USE, { scheme: 'dpop', proof });

  it('let a bound token pass, a new proof for every request', async () => {
    expect([await shown(proofFor(bound)), await shown(proofFor(bound)), await shown(proofFor(bound))]).toEqual(['ada', 'ada', 'ada']);
  });

  it('may be made with Ed25519, and name the address with a query or another spelling of it', async () => {
    const token = await boundTo(okpHolder);
    expect(await shown(proofFor(token, { by: okpHolder }), token)).toBe('ada');
    for (const htu of [`${RESOURCE}?x=1`, `${RESOURCE}#x`, 'HTTP://GATEHOUSE.test:80/mcp/tracker', `${ORIGIN}/mcp/x/../tracker`]) expect([htu, await shown(proofFor(bound, { use: { htu } }))]).toEqual([htu, 'ada']);
  });

  it('count once, here and at another edge, for as long as they could be used again', async () => {
    const proof = proofFor(bound);
    expect([await shown(proof), await shown(proof)]).toEqual(['ada', 'unauthenticated']);
    const other = new TokenDesk({ ephemeral });
    other.state = desk.state;
    expect(await other.name(bound, USE, { scheme: 'dpop', proof })).toBe('unauthenticated');
    await other.neighbours.close();
    expect(await shown(proofFor(bound, { claims: { jti: 'chosen' } }))).toBe('ada');
    expect(await shown(proofFor(bound, { claims: { jti: 'chosen', iat: Math.floor(Date.now() / 1_000) - 1 } }))).toBe('unauthenticated');
  });

  it('are raced by many, and one wins', async () => {
    const proof = proofFor(bound);
    const answers = await Promise.all(Array.from({ length: 20 }, () => shown(proof)));
    expect(answers.filter((answer) => answer === 'ada')).toHaveLength(1);
  });

  it('cannot be used up while the store is away: then the call is refused as trouble of ours', async () => {
    await ephemeral.close();
    expect(await shown(proofFor(bound))).toBe('service_unavailable');
  });

  it('are asked for where the token is bound, and the scheme must say so', async () => {
    expect([await desk.name(bound), await desk.name(bound, USE, { proof: proofFor(bound) }), await shown(undefined)]).toEqual(['unauthenticated', 'unauthenticated', 'unauthenticated']);
    const unbound = signed(headerFor(key), claimsFor(ada, RESOURCE), key);
    expect([await desk.name(unbound), await shown(proofFor(unbound), unbound)]).toEqual(['ada', 'unauthenticated']);
  });

  it('are checked before a refusal could tell whether the token itself is known', async () => {
    desk.neighbours.denied.push({ id: `grant-of-${ada.slice(-8)}`, until: Date.now() + 1_000 });
    desk.publish();
    expect(await shown(proofFor(bound))).toBe('unauthenticated');
  });

  const secret = holder.privateKey.export({ format: 'jwk' });
  const jwk = holder.publicKey.export({ format: 'jwk' });
  const now = Math.floor(Date.now() / 1_000);

  it.each<[string, (token: string) => string]>([
    ['was signed by another key', (token) => proofFor(token, { by: thief })],
    ['names the right key and was signed by another', (token) => signed({ typ: 'dpop+jwt', alg: 'ES256', jwk }, proofParts(token, holder, { htu: RESOURCE }).claims, thief)],
    ['carries the private key', (token) => proofFor(token, { header: { jwk: secret } })],
    ['carries no key', (token) => proofFor(token, { header: { jwk: undefined } })],
    ['carries a symmetric key', (token) => proofFor(token, { header: { jwk: { kty: 'oct', k: 'AAAA' } } })],
    ['carries a key and points to another', (token) => proofFor(token, { header: { jku: 'http://127.0.0.1/' } })],
    ['is critical of something', (token) => proofFor(token, { header: { crit: ['exp'] } })],
    ['has the type of a token', (token) => proofFor(token, { header: { typ: 'at+jwt' } })],
    ['has no type', (token) => proofFor(token, { header: { typ: undefined } })],
    ['has no algorithm', (token) => `${b64({ typ: 'dpop+jwt', alg: 'none', jwk })}.${b64(proofParts(token, holder, { htu: RESOURCE }).claims)}.`],
    ['has an algorithm that is not offered', (token) => proofFor(token, { by: rsaHolder })],
    ['has the algorithm of another key', (token) => proofFor(token, { header: { alg: 'EdDSA' } })],
    ['is for another method', (token) => proofFor(token, { use: { htm: 'GET' } })],
    ['is for the method in lower case', (token) => proofFor(token, { use: { htm: 'post' } })],
    ['is for another endpoint', (token) => proofFor(token, { use: { htu: `${ORIGIN}/mcp/other` } })],
    ['is for the same path elsewhere', (token) => proofFor(token, { use: { htu: 'http://evil.example/mcp/tracker' } })],
    ['is for a path with a slash more', (token) => proofFor(token, { use: { htu: `${RESOURCE}/` } })],
    ['is for an address with a user', (token) => proofFor(token, { use: { htu: 'http://x@gatehouse.test/mcp/tracker' } })],
    ['is for no address', (token) => proofFor(token, { use: { htu: '/mcp/tracker' } })],
    ['is of long ago', (token) => proofFor(token, { claims: { iat: now - 62 } })],
    ['is of tomorrow', (token) => proofFor(token, { claims: { iat: now + 65 } })],
    ['is of no time', (token) => proofFor(token, { claims: { iat: undefined } })],
    ['is of a time in words', (token) => proofFor(token, { claims: { iat: String(now) } })],
    ['has no id', (token) => proofFor(token, { claims: { jti: undefined } })],
    ['has an id without end', (token) => proofFor(token, { claims: { jti: 'x'.repeat(600) } })],
    ['is for another token', (token) => proofFor(token, { claims: { ath: hash('sha256', 'other', 'base64url') } })],
    ['is for no token', (token) => proofFor(token, { claims: { ath: undefined } })],
    ['is for the token in hex', (token) => proofFor(token, { claims: { ath: hash('sha256', token) } })],
    ['is the token', (token) => token],
    ['is two', (token) => `${proofFor(token)}, ${proofFor(token)}`],
    ['is nothing', () => ''],
    ['is longer than any', (token) => proofFor(token, { claims: { x: 'x'.repeat(9_000) } })],
  ])('are refused when one %s', async (_what, make) => {
    expect(await shown(make(bound))).toBe('unauthenticated');
    expect(await shown(proofFor(bound))).toBe('ada');
  });
});
