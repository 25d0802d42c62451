import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { directoryContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { eventually } from '../edge-stage.conformance.js';
import { ORIGIN, RESOURCE, TokenDesk, USE } from './token-desk.conformance.js';
import { headerFor, hmacSigned, listed, newMintKey, signed, type Members, type MintKey } from './token-mint.conformance.js';

const ISSUER = 'https://login.company.example/realm';
const AUDIENCE = 'api://gatehouse';
const KEYS = (['ES256', 'RS256', 'PS256', 'EdDSA'] as const).map((alg) => newMintKey(`key_${alg}`, alg));
const key = KEYS[0]!;
const own = newMintKey('key_at');

describe('access tokens of other issuers', () => {
  let desk: TokenDesk;
  let ada: string;
  let entry: directoryContracts.Directory['issuers'][number];

  beforeEach(async () => {
    desk = new TokenDesk();
    await desk.neighbours.serve(['auth']);
    ada = desk.neighbours.addCaller('ada');
    entry = {
      ...{ name: 'company', issuer: ISSUER, audience: AUDIENCE, claims: { name: 'name', email: 'email', groups: 'realm_access.roles' }, provisioning: 'first-use' },
      ...{ keys: KEYS.map(listed), logins: [{ subject: 'subject-1', callerId: ada }] },
    };
    desk.neighbours.issuers.push(entry);
    desk.neighbours.keys.push(listed(own));
    desk.publish();
  });

  afterEach(() => desk.neighbours.close());

  const claims = (more: Members = {}): Members => {
    const now = Math.floor(desk.clock.now() / 1_000);
    return { iss: ISSUER, aud: RESOURCE, sub: 'subject-1', azp: 'editor', scope: 'openid mcp:access', iat: now, exp: now + 600, ...more };
  };
  const minted = (more: Members = {}, header: Members = {}, by: MintKey = key): string => signed({ ...headerFor(by), ...header }, claims(more), by);

  it.each(KEYS.map((each) => [each.alg, each] as const))('are accepted when signed with %s by a key of the issuer', async (_alg, by) => {
    expect(await desk.name(minted({}, {}, by))).toBe('ada');
  });

  it.each<[string, Members, Members]>([
    ['the configured audience', { aud: AUDIENCE }, {}],
    ['several audiences, ours among them', { aud: ['account', AUDIENCE] }, {}],
    ['the type of a plain JWT', {}, { typ: 'JWT' }],
    ['no type', {}, { typ: undefined }],
    ['a thumbprint of a certificate', {}, { x5t: 'abc' }],
    ['its scopes in an array', { scope: undefined, scp: ['x', 'mcp:access'] }, {}],
    ['its scopes in scp as text', { scope: undefined, scp: 'x mcp:access' }, {}],
    ['its client as client_id', { azp: undefined, client_id: 'editor' }, {}],
    ['no moment of issue', { iat: undefined }, {}],
  ])('are accepted with %s', async (_what, more, header) => {
    expect(await desk.ask(minted(more, header))).toMatchObject({ account: { name: 'ada' }, clientId: 'editor' });
  });

  it('name no client where the issuer names none', async () => {
    expect(await desk.ask(minted({ azp: undefined }))).toMatchObject({ clientId: null });
  });

  it('bind a session to issuer, subject and client: another client is another session', async () => {
    const ids = new Set<unknown>();
    for (const more of [{}, { jti: 'refreshed' }, { azp: 'other' }]) {
      const caller = await desk.ask(minted(more));
      if (typeof caller !== 'string') ids.add(caller.tokenId);
    }
    expect([ids.size, [...ids].every((id) => /^ext_company_[\w-]{32}$/.test(String(id)))]).toEqual([2, true]);
  });

  it('never bring the scope of administration', async () => {
    const token = minted({ aud: [AUDIENCE, `${ORIGIN}/api/v1`], scope: 'admin mcp:access scim' });
    const caller = await desk.ask(token, { resource: `${ORIGIN}/api/v1`, method: 'GET', address: `${ORIGIN}/api/v1/whoami` });
    if (typeof caller === 'string') throw new Error(caller);
    expect([...caller.scopes]).toEqual(['mcp:access']);
    const without = await desk.ask(minted({ scope: 'admin' }));
    expect(typeof without === 'string' ? without : [...without.scopes]).toEqual([]);
  });

  it.each<[string, () => string]>([
    ['are for somebody else', () => minted({ aud: 'account' })],
    ['are for another endpoint', () => minted({ aud: `${ORIGIN}/mcp/other` })],
    ['are for nobody', () => minted({ aud: undefined })],
    ['are for an empty list', () => minted({ aud: [] })],
    ['come from an issuer that is not listed', () => minted({ iss: `${ISSUER}/` })],
    ['say that they are ours', () => minted({ iss: ORIGIN })],
    ['are signed by our key', () => minted({}, {}, own)],
    ['are over', () => minted({ exp: Math.floor(desk.clock.now() / 1_000) - 61 })],
    ['are of no end', () => minted({ exp: undefined })],
    ['are not valid yet', () => minted({ nbf: Math.floor(desk.clock.now() / 1_000) + 120 })],
    ['are of nobody', () => minted({ sub: undefined })],
    ['are identity tokens by their type', () => minted({}, { typ: 'id+jwt' })],
    ['are logout tokens', () => minted({}, { typ: 'logout+jwt' })],
    ['bring their key', () => minted({}, { jwk: key.publicKey.export({ format: 'jwk' }) })],
    ['point to their key', () => minted({}, { jku: 'http://127.0.0.1/keys' })],
    ['are critical of something', () => minted({}, { crit: ['exp'] })],
    ['name no key', () => minted({}, { kid: undefined })],
    ['use a key with the algorithm of another', () => minted({}, { alg: 'RS256' })],
    ['are unsigned', () => minted({}, { alg: 'none' })],
    ['are an HMAC under the public key', () => hmacSigned({ ...headerFor(key), alg: 'HS256' }, claims(), key.publicKey.export({ format: 'pem', type: 'spki' }))],
    ['are bound by a certificate', () => minted({ cnf: { 'x5t#S256': 'A'.repeat(43) } })],
  ])('are refused when they %s', async (_what, make) => {
    expect(await desk.name(make())).toBe('unauthenticated');
    expect(desk.neighbours.links).toEqual([]);
  });

  it.each<[string, () => void]>([
    ['the issuer is trusted no more', () => void (desk.neighbours.issuers = [])],
    ['its key is gone', () => void (entry.keys = entry.keys.slice(1))],
    ['another audience is configured', () => void (entry.audience = 'api://other')],
    ['the login was taken away, and auth does not give it back', () => void (entry.logins = [])],
    ['the account is gone', () => void (desk.neighbours.callers = [])],
  ])('are refused, seen before or not, once %s', async (_what, change) => {
    const token = minted({ aud: AUDIENCE });
    expect(await desk.name(token)).toBe('ada');
    change();
    desk.publish();
    expect([await desk.name(token), await desk.name(minted({ aud: AUDIENCE, x: 1 }))]).toEqual(['unauthenticated', 'unauthenticated']);
  });

  describe('whose subject is new', () => {
    const newcomer = (more: Members = {}): string => minted({ sub: 'subject-2', ...more });
    const letIn = (): void => {
      desk.neighbours.link = ({ subject }) => entry.logins.push({ subject, callerId: ada });
    };

    it('are linked by auth, once for all that come at the same time, and then known', async () => {
      letIn();
      const tokens = Array.from({ length: 20 }, (_, at) => newcomer({ jti: `jti-${at}` }));
      expect(await Promise.all(tokens.map((token) => desk.name(token)))).toEqual(tokens.map(() => 'ada'));
      expect(await desk.name(newcomer())).toBe('ada');
      expect(desk.neighbours.links).toEqual([{ issuer: 'company', subject: 'subject-2', clientId: 'editor', name: null, email: null, groups: [] }]);
    });

    it('tell auth name, verified address and groups, as far as they can be taken over', async () => {
      letIn();
      await desk.name(newcomer({ name: 'Ada L.', email: 'ada@company.example', email_verified: true, realm_access: { roles: ['a', 7, 'b', 'bad\u0000'] } }));
      await desk.name(newcomer({ sub: 'subject-3', name: 'x\u202e', email: 'ada@company.example', email_verified: 'true', realm_access: 'x' }));
      await desk.name(newcomer({ sub: 'subject-4', email: 'no address', email_verified: true, realm_access: { roles: Array.from({ length: 600 }, () => 'g') } }));
      expect(desk.neighbours.links.map(({ name, email, groups }) => [name, email, groups.length])).toEqual([['Ada L.', 'ada@company.example', 2], [null, null, 0], [null, null, 500]]);
    });

    it('are refused when auth does not let them in, and auth is not asked again for half a minute', async () => {
      for (let time = 0; time < 5; time++) expect(await desk.name(newcomer())).toBe('unauthenticated');
      expect(desk.neighbours.links).toHaveLength(1);
      desk.clock.advance(30_000);
      letIn();
      expect(await desk.name(newcomer())).toBe('ada');
      expect(desk.neighbours.links).toHaveLength(2);
    });

    it('are refused as trouble of ours while auth is away', async () => {
      desk.neighbours.link = () => {
        throw new Refusal('service_unavailable');
      };
      expect([await desk.name(newcomer()), await desk.name(newcomer())]).toEqual(['service_unavailable', 'service_unavailable']);
    });
  });

  it('lead to one request for new keys in half a minute, however many unknown ones are named (A-15)', async () => {
    const unknown = minted({}, { kid: 'key_0' });
    const answers = new Set<string>();
    for (let at = 0; at < 10_000; at++) answers.add(await desk.name(withKid(unknown, `key_${at}_unknown`)));
    expect([...answers]).toEqual(['unauthenticated']);
    await eventually(() => desk.neighbours.refreshed.length > 0);
    expect(desk.neighbours.refreshed).toEqual(['company']);
    desk.clock.advance(30_000);
    await desk.name(withKid(unknown, 'key_x'));
    await eventually(() => desk.neighbours.refreshed.length === 2);
  }, 30_000);

  it('of a key that nobody knows of ours lead to no request at all', async () => {
    await desk.name(signed({ alg: 'ES256', typ: 'at+jwt', kid: 'unknown' }, claims({ iss: ORIGIN }), own), USE);
    expect([desk.neighbours.refreshed, desk.neighbours.links]).toEqual([[], []]);
  });
});

// The signature is not looked at when there is no key to check it with.
function withKid(token: string, kid: string): string {
  const [, payload, signature] = token.split('.') as [string, string, string];
  return `${Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid })).toString('base64url')}.${payload}.${signature}`;
}
