import { readFile, stat } from 'node:fs/promises';
import { authContracts, directoryContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthWorld, digestOf, knows, type Piece } from '../auth-world.conformance.js';
import { until } from '../auth-stage.conformance.js';
import { isTokenText } from '../tokens/token-text.js';

let world: AuthWorld;

beforeAll(async () => {
  world = await AuthWorld.start(async ({ gateway }, replica) => {
    expect(await replica.ready()).toBe('directory signing key from the vault');
    await expect(gateway.request(directoryContracts.getDirectory, {})).rejects.toMatchObject({ code: 'service_unavailable' });
  });
}, 60_000);
afterAll(() => world.close(), 30_000);

const get = (question: { have?: { epoch: string; version: number }; part?: number }): Promise<unknown> =>
  world.gateway.request(directoryContracts.getDirectory, question);

describe('the first start', () => {
  it('leaves an administrator whose token lies in a private file and works', async () => {
    const text = (await readFile(world.adminTokenFile, 'utf8')).trim();
    expect(isTokenText(text)).toBe(true);
    expect((await stat(world.adminTokenFile)).mode & 0o777).toBe(0o600);
    const directory = await world.directory();
    const token = directory.tokens.find(({ digest }) => digest === digestOf(text));
    expect(token).toMatchObject({ scopes: ['mcp:access', 'admin'], expiresAt: null });
    expect(await world.caller(token!.callerId)).toMatchObject({
      kind: 'person',
      name: 'Administrator',
      roles: ['administrator'],
      capabilities: [...authContracts.CAPABILITIES],
    });
  });
});

describe('the directory', () => {
  it('is not sent again to an edge that holds it, and is to one with another epoch', async () => {
    const { epoch, version } = await world.directory();
    expect(await get({ have: { epoch, version } })).toEqual({ unchanged: true, epoch, version });
    expect(await get({ have: { epoch: 'another', version } })).toMatchObject({ unchanged: false, epoch, version });
    await world.person();
    expect(await get({ have: { epoch, version } })).toMatchObject({ unchanged: false, version: version + 1 });
  });

  it('counts every one of many changes at once', async () => {
    const { version } = await world.directory();
    const ids = (await Promise.all(Array.from({ length: 12 }, () => world.person()))).map(({ id }) => id);
    const after = await world.directory();
    expect(after.version).toBe(version + 12);
    expect(after.callers.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  });

  it('travels in pieces when it is large, which any replica may send', async () => {
    const name = `${'Zoë 🦊 '.repeat(30)}`;
    const ids = Array.from({ length: 2_000 }, () => newId('person'));
    await world.db.query(
      `INSERT INTO people (id, name, roles, teams, status, created_at) SELECT id, $2, '{member}', '{}', 'active', 0 FROM unnest($1::text[]) AS id`,
      [ids, name],
    );
    await world.person();
    const first = (await get({})) as Piece;
    expect(first.parts).toBeGreaterThan(2);
    expect((await world.directory()).callers.filter((caller) => caller.name === name)).toHaveLength(2_000);
    await expect(get({ part: first.parts })).rejects.toMatchObject({ code: 'bad_params' });
    await world.db.query('DELETE FROM people WHERE id = ANY ($1)', [ids]);
    await world.person();
  });

  it('is mirrored within a second of a change, whole and signed', async () => {
    const { token, text } = await world.token((await world.person()).id);
    const present = async (): Promise<boolean> => knows((await world.mirrored()) ?? (await world.directory()), text);
    await until('the new token is mirrored', present, 1_000);
    await world.gateway.request(authContracts.revokeToken, { actor: await world.admin(), tokenId: token.id, ownedBy: null });
    await until('the revocation is mirrored', async () => !(await present()), 1_000);
  });

  it('is mirrored anew every five seconds, so that its age tells how old the news is', async () => {
    world.clock.advance(5_000);
    const issuedAt = world.clock.now() - (world.clock.now() % 5_000);
    await until('a fresh issue time', async () => (await world.mirrored())?.issuedAt === issuedAt, 8_000);
  });
});

describe('what the directory tells of keys and grants', () => {
  const jwk = { kty: 'EC', crv: 'P-256', x: 'a'.repeat(43), y: 'b'.repeat(43) };

  it('are the public keys of every state, by id, the same from every replica', async () => {
    await world.db.query(`INSERT INTO signing_keys (id, state, public_jwk) VALUES ('key-b', 'active', $1), ('key-a', 'next', $1), ('key-c', 'retired', $1)`, [{ ...jwk, use: 'sig' }]);
    await world.person();
    const { keys, issuers } = await world.directory();
    expect(keys).toEqual(['key-a', 'key-b', 'key-c'].map((id) => ({ id, jwk })));
    expect(issuers).toEqual([]);
    const texts = await Promise.all(Array.from({ length: 6 }, async () => ((await get({})) as Piece).chunk));
    expect(new Set(texts).size).toBe(1);
  });

  it('are denied grants until no token of theirs can live, then they are forgotten', async () => {
    const now = world.clock.now();
    await world.db.query('INSERT INTO denied (id, until) VALUES ($1, $2), ($3, $4)', ['grant-short', now + 20_000, 'grant-long', now + 600_000]);
    await world.person();
    const told = async (): Promise<string[]> => (await world.directory()).denied.map(({ id }) => id);
    expect(await told()).toEqual(['grant-long', 'grant-short']);
    world.clock.advance(30_000);
    expect(await told()).toEqual(['grant-long']);
  });
});
