import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcessBus, InProcessBroker, Serves } from '@gatehouse/bus';
import { authContracts, directoryContracts, vaultContracts, type Actor, type SnapshotReply, type SnapshotVersion } from '@gatehouse/contracts';
import { memoryEphemeral } from '@gatehouse/ephemeral';
import { newId, newSealingKeyPair, openSealed, sealTo } from '@gatehouse/kernel';
import { Database, startEmbeddedPostgres, type EmbeddedPostgres } from '@gatehouse/persistence';
import { createLogger, Metrics } from '@gatehouse/telemetry';
import { TestClock } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { startAuthService, type RunningService } from './start-auth-service.js';
import { isTokenText } from './tokens/token-text.js';

const signing = generateKeyPairSync('ed25519');
const signingKeyId = newId('key');

/** The other end of the bus: leases one signing key. */
@Controller()
class SigningKeyController {
  @Serves(vaultContracts.leaseDirectorySigningKey)
  lease({ instanceKey }: { instanceKey: string }): { keys: { id: string; sealed: string }[] } {
    const der = signing.privateKey.export({ format: 'der', type: 'pkcs8' });
    return { keys: [{ id: signingKeyId, sealed: sealTo(instanceKey, der, vaultContracts.keyContext('directory-signing', signingKeyId)) }] };
  }
}

@Module({ controllers: [SigningKeyController] })
class SigningKeyModule {}

let folder: string;
let postgres: EmbeddedPostgres;
let db: Database;
let vault: INestMicroservice;
let replicas: RunningService[];
const logLines: string[] = [];
const published: SnapshotVersion[] = [];
const clock = new TestClock();
const broker = new InProcessBroker();
const gateway = inProcessBus(broker, 'gateway');
const vaultBus = inProcessBus(broker, 'vault');
const edge = newSealingKeyPair();
const ephemeral = memoryEphemeral();
const adminTokenFile = (): string => join(folder, 'admin.token');

const start = (): Promise<RunningService> =>
  startAuthService({
    bus: inProcessBus(broker, 'auth'),
    log: createLogger({ service: 'auth', level: 'debug', destination: { write: (line: string) => void logLines.push(line) } }),
    metrics: new Metrics(),
    ephemeral,
    clock,
    database: postgres.url,
    config: {},
    adminTokenFile: adminTokenFile(),
  });

async function startSigningKeys(): Promise<INestMicroservice> {
  const app = await NestFactory.createMicroservice(SigningKeyModule, { strategy: vaultBus.strategy(), logger: false });
  await app.listen();
  return app;
}

async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`did not happen in ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-auth-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data') });
  await gateway.events.follow(directoryContracts.directoryPublished, (version) => void published.push(version));
  const first = await start();
  expect(await first.ready()).toBe('directory signing key from the vault');
  await expect(gateway.request(directoryContracts.getDirectory, {})).rejects.toMatchObject({ code: 'service_unavailable' });
  vault = await startSigningKeys();
  await until('the signing key is leased once the vault is there', async () => (await first.ready()) === true);
  replicas = [first, await start()];
  await until('the second replica is ready', async () => (await replicas[1]!.ready()) === true);
  db = await Database.open({ url: postgres.url, schema: 'auth', migrations: [] });
}, 60_000);

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.close()));
  await vault.close();
  await gateway.close();
  await db.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

const isGenuine = (text: string, signature: string): boolean =>
  verify(null, Buffer.from(text), createPublicKey(signing.publicKey.export({ format: 'pem', type: 'spki' })), Buffer.from(signature, 'base64url'));

type Piece = Extract<SnapshotReply, { unchanged: false }>;

async function fetchDirectory(): Promise<directoryContracts.Directory> {
  const first = (await gateway.request(directoryContracts.getDirectory, {})) as Piece;
  const pieces = [first];
  for (let part = 1; part < first.parts; part++) pieces.push((await gateway.request(directoryContracts.getDirectory, { part })) as Piece);
  const text = pieces.map(({ chunk }) => chunk).join('');
  expect(isGenuine(text, first.signature)).toBe(true);
  expect(pieces.every(({ keyId, signature }) => keyId === signingKeyId && signature === first.signature)).toBe(true);
  return directoryContracts.directory.parse(JSON.parse(text));
}

let administrator: Actor;
const by = async (): Promise<Actor> => (administrator ??= { personId: (await fetchDirectory()).people[0]!.id, tokenId: null });

async function newPerson(roles: authContracts.RoleName[] = ['member']): Promise<authContracts.Person> {
  return gateway.request(authContracts.createPerson, { actor: await by(), name: 'Ada', email: null, roles, teams: ['compilers', 'compilers'] });
}

async function newToken(personId: string, expiresAt: number | null = null): Promise<{ token: authContracts.TokenSummary; text: string }> {
  const asked = { actor: await by(), personId, name: 'laptop', scopes: ['mcp:access' as const], expiresAt, edgeKey: edge.publicKey };
  const { token, sealed } = await gateway.request(authContracts.createToken, asked);
  return { token, text: openSealed(edge, sealed, authContracts.tokenContext(token.id)).toString() };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const knows = (directory: directoryContracts.Directory, text: string): boolean => directory.tokens.some(({ digest }) => digest === digestOf(text));

describe('the first start', () => {
  it('leaves an administrator whose token lies in a private file and works', async () => {
    const text = (await readFile(adminTokenFile(), 'utf8')).trim();
    expect(isTokenText(text)).toBe(true);
    expect((await stat(adminTokenFile())).mode & 0o777).toBe(0o600);
    const directory = await fetchDirectory();
    const token = directory.tokens.find(({ digest }) => digest === digestOf(text));
    expect(token).toMatchObject({ scopes: ['mcp:access', 'admin'], expiresAt: null });
    const person = directory.people.find(({ id }) => id === token!.personId);
    expect(person).toMatchObject({ name: 'Administrator', roles: ['administrator'], capabilities: [...authContracts.CAPABILITIES] });
  });
});

describe('a person', () => {
  it('is listed and in the directory with team and capabilities of the roles', async () => {
    const person = await newPerson();
    expect(person).toMatchObject({ status: 'active', teams: ['compilers'] });
    expect((await gateway.request(authContracts.listPeople, {})).items).toContainEqual(person);
    expect((await fetchDirectory()).people).toContainEqual(expect.objectContaining({ id: person.id, capabilities: [], teams: ['compilers'] }));
  });

  it('cannot have the address of another', async () => {
    const asked = { actor: await by(), name: 'Ada', roles: ['member' as const], teams: [] };
    await gateway.request(authContracts.createPerson, { ...asked, email: 'ada@example.com' });
    await expect(gateway.request(authContracts.createPerson, { ...asked, email: 'Ada@Example.com' })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('once disabled is out of the directory with every token, for good (A-17)', async () => {
    const person = await newPerson();
    const { token, text } = await newToken(person.id);
    expect(knows(await fetchDirectory(), text)).toBe(true);
    expect(await gateway.request(authContracts.disablePerson, { actor: await by(), personId: person.id })).toMatchObject({ status: 'disabled' });
    const directory = await fetchDirectory();
    expect(knows(directory, text)).toBe(false);
    expect(directory.people.some(({ id }) => id === person.id)).toBe(false);
    const { items } = await gateway.request(authContracts.listTokens, { personId: person.id });
    expect(items).toEqual([{ ...token, revokedAt: clock.now() }]);
    await expect(newToken(person.id)).rejects.toMatchObject({ code: 'bad_request' });
    expect(await gateway.request(authContracts.disablePerson, { actor: await by(), personId: person.id })).toMatchObject({ status: 'disabled' });
  });

  it('who is unknown cannot be disabled', async () => {
    const asked = { actor: await by(), personId: newId('person') };
    await expect(gateway.request(authContracts.disablePerson, asked)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('who is the last administrator cannot be disabled, not even when two are at once', async () => {
    const actor = await by();
    await expect(gateway.request(authContracts.disablePerson, { actor, personId: actor.personId })).rejects.toMatchObject({ code: 'conflict' });
    const second = await newPerson(['administrator']);
    const both = [actor.personId, second.id].map((personId) => gateway.request(authContracts.disablePerson, { actor, personId }));
    const results = await Promise.allSettled(both);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await db.query(`UPDATE people SET status = 'active' WHERE id = $1`, [actor.personId]);
    await db.query('UPDATE tokens SET revoked_at = NULL WHERE person_id = $1', [actor.personId]);
  });
});

describe('a token', () => {
  it('reaches the asking edge sealed and is kept as a digest only (V-08)', async () => {
    const { token, text } = await newToken((await newPerson()).id);
    expect(isTokenText(text)).toBe(true);
    expect(knows(await fetchDirectory(), text)).toBe(true);
    const { items } = await gateway.request(authContracts.listTokens, { personId: null });
    expect(items).toContainEqual(token);
    const rows = await Promise.all(['people', 'tokens', 'directory_state', 'outbox'].map((table) => db.query(`SELECT t.* FROM ${table} t`)));
    const secret = text.slice(authContracts.TOKEN_PREFIX.length, -6);
    expect(JSON.stringify([rows, items, published])).not.toContain(secret);
    expect(logLines.join('')).not.toContain(secret);
    expect(logLines.join('')).toContain(token.id);
  });

  it('is refused for nobody, with a past expiry, or for an edge key that is none', async () => {
    const person = await newPerson();
    await expect(newToken(newId('person'))).rejects.toMatchObject({ code: 'not_found' });
    await expect(newToken(person.id, clock.now())).rejects.toMatchObject({ code: 'bad_request' });
    const asked = { actor: await by(), personId: person.id, name: 'x', scopes: ['admin' as const], expiresAt: null, edgeKey: 'short' };
    await expect(gateway.request(authContracts.createToken, asked)).rejects.toMatchObject({ code: 'bad_request' });
    expect((await gateway.request(authContracts.listTokens, { personId: person.id })).items).toEqual([]);
  });

  it('leaves the directory by itself when it expires', async () => {
    const { text } = await newToken((await newPerson()).id, clock.now() + 60_000);
    expect(knows(await fetchDirectory(), text)).toBe(true);
    clock.advance(65_000);
    expect(knows(await fetchDirectory(), text)).toBe(false);
  });

  it('once revoked is gone at every replica at once, whichever made the change', async () => {
    const { token, text } = await newToken((await newPerson()).id);
    for (let fetch = 0; fetch < 4; fetch++) expect(knows(await fetchDirectory(), text)).toBe(true);
    const reply = await gateway.request(authContracts.revokeToken, { actor: await by(), tokenId: token.id, ownedBy: null });
    expect(reply.token.revokedAt).toBe(clock.now());
    for (let fetch = 0; fetch < 4; fetch++) {
      const directory = await fetchDirectory();
      expect(knows(directory, text)).toBe(false);
      expect(directory.version).toBe(reply.directory.version);
    }
    await until('edges hear of it', () => published.some(({ version }) => version === reply.directory.version), 1_000);
  });

  it('may be revoked twice, by its owner, and by nobody else: another’s looks like none (A-18)', async () => {
    const { token } = await newToken((await newPerson()).id);
    const asked = { actor: await by(), tokenId: token.id, ownedBy: null };
    const refusals = await Promise.allSettled([
      gateway.request(authContracts.revokeToken, { ...asked, ownedBy: newId('person') }),
      gateway.request(authContracts.revokeToken, { ...asked, tokenId: newId('token') }),
    ]);
    for (const refusal of refusals) expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'not_found', details: {} } });
    const first = await gateway.request(authContracts.revokeToken, { ...asked, ownedBy: token.personId });
    clock.advance(1);
    expect(await gateway.request(authContracts.revokeToken, asked)).toEqual(first);
  });
});

describe('the directory', () => {
  it('is not sent again to an edge that holds it, and is to one with another epoch', async () => {
    const { epoch, version } = await fetchDirectory();
    expect(await gateway.request(directoryContracts.getDirectory, { have: { epoch, version } })).toEqual({ unchanged: true, epoch, version });
    const stale = await gateway.request(directoryContracts.getDirectory, { have: { epoch: 'another', version } });
    expect(stale).toMatchObject({ unchanged: false, epoch, version });
    await newPerson();
    expect(await gateway.request(directoryContracts.getDirectory, { have: { epoch, version } })).toMatchObject({ unchanged: false, version: version + 1 });
  });

  it('counts every one of many changes at once', async () => {
    const { version } = await fetchDirectory();
    const ids = (await Promise.all(Array.from({ length: 12 }, () => newPerson()))).map(({ id }) => id);
    const after = await fetchDirectory();
    expect(after.version).toBe(version + 12);
    expect(after.people.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  });

  it('travels in pieces when it is large, which any replica may send', async () => {
    const name = `${'Zoë 🦊 '.repeat(30)}`;
    const ids = Array.from({ length: 2_000 }, () => newId('person'));
    await db.query(
      `INSERT INTO people (id, name, roles, teams, status, created_at) SELECT id, $2, '{member}', '{}', 'active', 0 FROM unnest($1::text[]) AS id`,
      [ids, name],
    );
    await newPerson();
    const first = (await gateway.request(directoryContracts.getDirectory, {})) as Piece;
    expect(first.parts).toBeGreaterThan(2);
    expect((await fetchDirectory()).people.filter((person) => person.name === name)).toHaveLength(2_000);
    await expect(gateway.request(directoryContracts.getDirectory, { part: first.parts })).rejects.toMatchObject({ code: 'bad_params' });
    await db.query('DELETE FROM people WHERE id = ANY ($1)', [ids]);
    await newPerson();
  });

  const mirrored = async (): Promise<directoryContracts.Directory | undefined> => {
    const stored = await ephemeral.get(directoryContracts.DIRECTORY_MIRROR_KEY);
    if (stored === undefined) return undefined;
    const { text, keyId, signature } = directoryContracts.directoryMirror.parse(JSON.parse(stored));
    expect(keyId).toBe(signingKeyId);
    expect(isGenuine(text, signature)).toBe(true);
    return directoryContracts.directory.parse(JSON.parse(text));
  };

  it('is mirrored within a second of a change, whole and signed', async () => {
    const { token, text } = await newToken((await newPerson()).id);
    const present = async (): Promise<boolean> => knows((await mirrored()) ?? (await fetchDirectory()), text);
    await until('the new token is mirrored', present, 1_000);
    await gateway.request(authContracts.revokeToken, { actor: await by(), tokenId: token.id, ownedBy: null });
    await until('the revocation is mirrored', async () => !(await present()), 1_000);
  });

  it('is mirrored anew every five seconds, so that its age tells how old the news is', async () => {
    clock.advance(5_000);
    const issuedAt = clock.now() - (clock.now() % 5_000);
    await until('a fresh issue time', async () => (await mirrored())?.issuedAt === issuedAt, 8_000);
  });
});
