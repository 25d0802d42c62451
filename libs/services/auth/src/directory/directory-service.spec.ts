import { readFile, stat } from 'node:fs/promises';
import { authContracts, directoryContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthWorld, digestOf, knows, type Piece } from '../auth-world.conformance.js';
import { until } from '../auth-stage.conformance.js';
import { sweepDenied } from './denied-sweep.js';
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
  it('are the public keys of every state, by id, the same from every replica', async () => {
    const ids = world.neighbours.tokenKeys.map(({ id }) => id).sort();
    await until('auth knows its keys', async () => (await world.db.query('SELECT 1 FROM signing_keys')).length === ids.length);
    await world.person();
    const { keys, issuers } = await world.directory();
    expect(keys.map(({ id }) => id)).toEqual(ids);
    expect(keys.map(({ jwk }) => Object.keys(jwk).sort())).toEqual(ids.map(() => ['crv', 'kty', 'x', 'y']));
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
    await sweepDenied(world.db, world.clock.now());
    expect(await world.db.query('SELECT id FROM denied')).toEqual([{ id: 'grant-long' }]);
  });

  it('are forgotten a thousand at a time', async () => {
    await world.db.query(`INSERT INTO denied (id, until) SELECT 'old-' || n, 1 FROM generate_series(1, 1500) AS n`);
    const left = async (): Promise<number> => (await world.db.query(`SELECT 1 FROM denied WHERE id LIKE 'old-%'`)).length;
    await sweepDenied(world.db, world.clock.now());
    expect(await left()).toBe(500);
    await sweepDenied(world.db, world.clock.now());
    expect(await left()).toBe(0);
  });
});

describe('a caller in the directory', () => {
  it('has what teams and groups give, of the same provider only', async () => {
    await world.role('auditor', ['audit.read']);
    await world.team('watch', { roles: ['auditor'], groups: [{ provider: 'corp', group: 'night' }] });
    const byGroup = (await world.person()).id;
    const elsewhere = (await world.person()).id;
    const byName = (await world.person({ teams: ['watch'] })).id;
    await world.groups(byGroup, ['night', 'other']);
    await world.groups(elsewhere, ['night'], 'partner');
    expect(await world.caller(byGroup)).toMatchObject({ roles: ['auditor', 'member'], teams: ['watch'], capabilities: ['audit.read'] });
    expect(await world.caller(byName)).toMatchObject({ roles: ['auditor', 'member'], teams: ['watch'], capabilities: ['audit.read'] });
    expect(await world.caller(elsewhere)).toMatchObject({ roles: ['member'], teams: [], capabilities: [] });
    const { items } = await world.gateway.request(authContracts.listPeople, {});
    expect(items.find(({ id }) => id === byGroup)).toMatchObject({ roles: ['member'], teams: [], effective: { teams: ['watch'], capabilities: ['audit.read'] } });
  });

  it('gets nothing from roles and capabilities of a newer release', async () => {
    const { id } = await world.person();
    await world.db.query(`INSERT INTO roles (name, description, capabilities, created_at) VALUES ('newer', '', '{moon.land,servers.read}', 0)`);
    await world.db.query(`UPDATE people SET roles = '{newer,unheard-of}' WHERE id = $1`, [id]);
    await world.person();
    expect(await world.caller(id)).toMatchObject({ roles: ['newer', 'unheard-of'], capabilities: ['servers.read'] });
  });

  it('stands at the version of its rows, whoever changes what meanwhile', async () => {
    const { id } = await world.person();
    const actor = await world.admin();
    const versions = new Map<number, string>();
    const change = async (n: number): Promise<void> => {
      const { person, directory } = await world.gateway.request(authContracts.updatePerson, { actor, personId: id, name: `Name ${n}` });
      versions.set(directory.version, person.name);
    };
    const seen = await Promise.all(Array.from({ length: 20 }, async (_, n) => (n % 2 === 0 ? void (await change(n)) : world.directory().catch(() => undefined))));
    const comparable = seen.filter((directory) => directory !== undefined && versions.has(directory.version));
    for (const directory of comparable) expect(directory!.callers.find((caller) => caller.id === id)?.name).toBe(versions.get(directory!.version));
    const last = await world.directory();
    expect(last.callers.find((caller) => caller.id === id)?.name).toBe(versions.get(last.version));
  });
});
