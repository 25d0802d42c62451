import { authContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthWorld, knows } from '../auth-world.conformance.js';
import { until } from '../auth-stage.conformance.js';
import { isTokenText } from './token-text.js';

let world: AuthWorld;

beforeAll(async () => {
  world = await AuthWorld.start();
}, 60_000);
afterAll(() => world.close(), 30_000);

describe('a token', () => {
  it('reaches the asking edge sealed and is kept as a digest only (V-08)', async () => {
    const { token, text } = await world.token((await world.person()).id);
    expect(isTokenText(text)).toBe(true);
    expect(knows(await world.directory(), text)).toBe(true);
    const { items } = await world.gateway.request(authContracts.listTokens, { callerId: null });
    expect(items).toContainEqual(token);
    const rows = await Promise.all(['people', 'tokens', 'directory_state', 'outbox'].map((table) => world.db.query(`SELECT t.* FROM ${table} t`)));
    const secret = text.slice(authContracts.TOKEN_PREFIX.length, -6);
    expect(JSON.stringify([rows, items, world.published])).not.toContain(secret);
    expect(world.logLines.join('')).not.toContain(secret);
    expect(world.logLines.join('')).toContain(token.id);
  });

  it('is refused for nobody, with a past expiry, or for an edge key that is none', async () => {
    const person = await world.person();
    await expect(world.token(newId('person'))).rejects.toMatchObject({ code: 'not_found' });
    await expect(world.token(person.id, { expiresAt: world.clock.now() })).rejects.toMatchObject({ code: 'bad_request' });
    const asked = { actor: await world.admin(), callerId: person.id, name: 'x', scopes: ['admin' as const], expiresAt: null, edgeKey: 'short' };
    await expect(world.gateway.request(authContracts.createToken, asked)).rejects.toMatchObject({ code: 'bad_request' });
    expect((await world.gateway.request(authContracts.listTokens, { callerId: person.id })).items).toEqual([]);
  });

  it('leaves the directory by itself when it expires', async () => {
    const { text } = await world.token((await world.person()).id, { expiresAt: world.clock.now() + 60_000 });
    expect(knows(await world.directory(), text)).toBe(true);
    world.clock.advance(65_000);
    expect(knows(await world.directory(), text)).toBe(false);
  });

  it('once revoked is gone at every replica at once, whichever made the change', async () => {
    const { token, text } = await world.token((await world.person()).id);
    for (let fetch = 0; fetch < 4; fetch++) expect(knows(await world.directory(), text)).toBe(true);
    const reply = await world.gateway.request(authContracts.revokeToken, { actor: await world.admin(), tokenId: token.id, ownedBy: null });
    expect(reply.token.revokedAt).toBe(world.clock.now());
    for (let fetch = 0; fetch < 4; fetch++) {
      const directory = await world.directory();
      expect(knows(directory, text)).toBe(false);
      expect(directory.version).toBe(reply.directory.version);
    }
    await until('edges hear of it', () => world.published.some(({ version }) => version === reply.directory.version), 1_000);
  });

  it('may be revoked twice, by its owner, and by nobody else: another’s looks like none (A-18)', async () => {
    const { token } = await world.token((await world.person()).id);
    const asked = { actor: await world.admin(), tokenId: token.id, ownedBy: null };
    const refusals = await Promise.allSettled([
      world.gateway.request(authContracts.revokeToken, { ...asked, ownedBy: newId('person') }),
      world.gateway.request(authContracts.revokeToken, { ...asked, tokenId: newId('token') }),
    ]);
    for (const refusal of refusals) expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'not_found', details: {} } });
    const own = { actor: { callerId: token.callerId, tokenId: token.id }, tokenId: token.id, ownedBy: token.callerId };
    const first = await world.gateway.request(authContracts.revokeToken, own);
    world.clock.advance(1);
    expect(await world.gateway.request(authContracts.revokeToken, asked)).toEqual(first);
  });
});

describe('a token for somebody else', () => {
  const missing = (capability: string): object => expect.objectContaining({ code: 'capability_missing', details: { capability } });

  it('with the scope admin needs all that they hold; one’s own needs nothing more', async () => {
    await world.role('token-manager', ['tokens.manage']);
    const by = await world.actor(['token-manager']);
    const operator = await world.person({ roles: ['operator'] });
    await expect(world.token(operator.id, { scopes: ['mcp:access', 'admin'], by })).rejects.toEqual(missing('servers.manage'));
    expect((await world.token(operator.id, { by })).token.scopes).toEqual(['mcp:access']);
    expect((await world.token((await world.person()).id, { scopes: ['admin'], by })).token.scopes).toEqual(['admin']);
    expect((await world.token(by.callerId, { scopes: ['admin', 'admin'], by })).token.scopes).toEqual(['admin']);
  });

  it('who holds more cannot be revoked', async () => {
    await world.role('token-manager', ['tokens.manage']);
    const by = await world.actor(['token-manager']);
    const { token } = await world.token((await world.person({ roles: ['operator'] })).id);
    const asked = { actor: by, tokenId: token.id, ownedBy: null };
    await expect(world.gateway.request(authContracts.revokeToken, asked)).rejects.toEqual(missing('servers.manage'));
    const weak = await world.token((await world.person()).id);
    expect((await world.gateway.request(authContracts.revokeToken, { ...asked, tokenId: weak.token.id })).token.revokedAt).toBe(world.clock.now());
  });

  it('may carry scim and clients:register only from who may manage those', async () => {
    await world.role('sso', ['sso.manage']);
    const sso = await world.actor(['sso']);
    const security = await world.actor(['security']);
    const { id } = await world.person();
    await expect(world.token(id, { scopes: ['scim'], by: security })).rejects.toEqual(missing('sso.manage'));
    await expect(world.token(id, { scopes: ['clients:register'], by: sso })).rejects.toEqual(missing('clients.manage'));
    expect((await world.token(id, { scopes: ['clients:register'], by: security })).token.scopes).toEqual(['clients:register']);
    expect((await world.token(id, { scopes: ['scim'], by: sso })).token.scopes).toEqual(['scim']);
    await world.team('provisioned', { roles: ['operator'], groups: [{ provider: 'scim', group: 'ops' }] });
    await expect(world.token(id, { scopes: ['scim'], by: sso })).rejects.toEqual(missing('servers.manage'));
  });
});
