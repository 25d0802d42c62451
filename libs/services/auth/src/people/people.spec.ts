import { authContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthWorld, knows } from '../auth-world.conformance.js';

let world: AuthWorld;

beforeAll(async () => {
  world = await AuthWorld.start();
}, 60_000);
afterAll(() => world.close(), 30_000);

const refused = (code: string, details: object = {}): object => expect.objectContaining({ code, details: expect.objectContaining(details) });

describe('a person', () => {
  it('is listed and in the directory with team and capabilities of the roles', async () => {
    const person = await world.person({ roles: ['operator', 'operator'], teams: ['compilers', 'compilers'] });
    expect(person).toMatchObject({ status: 'active', source: 'local', lastSignInAt: null, roles: ['operator'], teams: ['compilers'] });
    expect(person.effective).toEqual({ roles: ['operator'], teams: ['compilers'], capabilities: [...authContracts.CAPABILITIES].filter((c) => (authContracts.ROLES.operator as readonly string[]).includes(c)) });
    expect((await world.gateway.request(authContracts.listPeople, {})).items).toContainEqual(person);
    expect(await world.caller(person.id)).toEqual({ id: person.id, kind: 'person', name: 'Ada', email: null, ...person.effective });
  });

  it('cannot have the address of another, at first or later', async () => {
    await world.person({ email: 'ada@example.com' });
    await expect(world.person({ email: 'Ada@Example.com' })).rejects.toEqual(refused('conflict'));
    const { id } = await world.person();
    const asked = { actor: await world.admin(), personId: id, email: 'ADA@example.com' };
    await expect(world.gateway.request(authContracts.updatePerson, asked)).rejects.toEqual(refused('conflict'));
  });

  it('cannot have a role that nobody defined', async () => {
    await expect(world.person({ roles: ['constructor'] })).rejects.toEqual(refused('bad_request', { role: 'constructor' }));
    const { id } = await world.person();
    const asked = { actor: await world.admin(), personId: id, roles: ['member', 'nobody-knows'] };
    await expect(world.gateway.request(authContracts.updatePerson, asked)).rejects.toEqual(refused('bad_request', { role: 'nobody-knows' }));
  });

  it('keeps what an update leaves out, and a change that changes nothing is none', async () => {
    const person = await world.person({ email: 'grace@example.com', teams: ['navy'] });
    const actor = await world.admin();
    const first = await world.gateway.request(authContracts.updatePerson, { actor, personId: person.id, roles: ['security'], teams: ['navy', 'cobol'] });
    expect(first.person).toMatchObject({ name: 'Ada', email: 'grace@example.com', roles: ['security'], teams: ['navy', 'cobol'] });
    expect(await world.caller(person.id)).toMatchObject({ roles: ['security'], teams: ['cobol', 'navy'] });
    expect(await world.gateway.request(authContracts.updatePerson, { actor, personId: person.id, roles: ['security'] })).toEqual(first);
    const last = await world.gateway.request(authContracts.updatePerson, { actor, personId: person.id, email: null });
    expect(last.person.email).toBeNull();
    expect(last.directory.version).toBe(first.directory.version + 1);
  });

  it('who is unknown cannot be changed', async () => {
    const asked = { actor: await world.admin(), personId: newId('person') };
    for (const contract of [authContracts.disablePerson, authContracts.enablePerson, authContracts.updatePerson]) {
      await expect(world.gateway.request(contract, asked)).rejects.toEqual(refused('not_found'));
    }
  });
});

describe('a person who is disabled', () => {
  it('is out of the directory with every token, grant, code and sign-in, for good (A-17)', async () => {
    const person = await world.person();
    const { token, text } = await world.token(person.id);
    await liveAccess(person.id);
    expect(knows(await world.directory(), text)).toBe(true);
    const asked = { actor: await world.admin(), personId: person.id };
    const reply = await world.gateway.request(authContracts.disablePerson, asked);
    expect(reply.person).toMatchObject({ id: person.id, status: 'disabled' });
    const directory = await world.directory();
    expect(directory.version).toBe(reply.directory.version);
    expect(knows(directory, text)).toBe(false);
    expect(directory.callers.some(({ id }) => id === person.id)).toBe(false);
    expect(directory.denied.map(({ id }) => id)).toEqual(expect.arrayContaining([`grant-of-${person.id}`]));
    expect((await world.gateway.request(authContracts.listTokens, { callerId: person.id })).items).toEqual([{ ...token, revokedAt: world.clock.now() }]);
    expect(await world.db.query('SELECT 1 FROM artefacts WHERE account_id = $1', [person.id])).toEqual([]);
    expect(await world.db.query('SELECT 1 FROM login_sessions WHERE person_id = $1', [person.id])).toEqual([]);
    await expect(world.token(person.id)).rejects.toEqual(refused('bad_request'));
    expect(await world.gateway.request(authContracts.disablePerson, asked)).toEqual(reply);
  });

  it('once enabled again may enter, but nothing that was ended comes back', async () => {
    const person = await world.person({ roles: ['operator'] });
    const { text } = await world.token(person.id);
    const asked = { actor: await world.admin(), personId: person.id };
    await world.gateway.request(authContracts.disablePerson, asked);
    const reply = await world.gateway.request(authContracts.enablePerson, asked);
    expect(reply.person).toEqual(person);
    expect(await world.caller(person.id)).toMatchObject({ roles: ['operator'] });
    expect(knows(await world.directory(), text)).toBe(false);
    expect(await world.gateway.request(authContracts.enablePerson, asked)).toEqual(reply);
    const anew = await world.token(person.id);
    expect(knows(await world.directory(), anew.text)).toBe(true);
  });
});

describe('the last administrator', () => {
  const disable = async (by: string, personId: string): Promise<unknown> =>
    world.gateway.request(authContracts.disablePerson, { actor: { callerId: by, tokenId: null }, personId });

  it('cannot be disabled or lose the role', async () => {
    const { callerId } = await world.admin();
    await expect(disable(callerId, callerId)).rejects.toEqual(refused('conflict', { reason: 'last_administrator' }));
    const asked = { actor: await world.admin(), personId: callerId, roles: ['member'] };
    await expect(world.gateway.request(authContracts.updatePerson, asked)).rejects.toEqual(refused('conflict', { reason: 'last_administrator' }));
  });

  it('is left when two disable themselves, or each other, at once', async () => {
    const { callerId: first } = await world.admin();
    for (const crossed of [true, false]) {
      const second = (await world.person({ roles: ['administrator'] })).id;
      const results = await Promise.allSettled(crossed ? [disable(first, second), disable(second, first)] : [disable(first, first), disable(second, second)]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const left = (await world.directory()).callers.filter(({ roles }) => roles.includes('administrator'));
      expect(left).toHaveLength(1);
      if (left[0]!.id !== first) await world.gateway.request(authContracts.enablePerson, { actor: { callerId: second, tokenId: null }, personId: first });
      if (left[0]!.id !== first) await disable(first, second);
    }
  });
});

describe('somebody with fewer capabilities', () => {
  it('cannot add, change, disable or enable anybody who holds more', async () => {
    await world.role('people-manager', ['people.manage', 'people.read']);
    const by = await world.actor(['people-manager']);
    await expect(world.person({ by, roles: ['administrator'] })).rejects.toEqual(refused('capability_missing', { capability: 'servers.manage' }));
    await world.team('bosses', { roles: ['administrator'] });
    await expect(world.person({ by, teams: ['bosses'] })).rejects.toEqual(refused('capability_missing', { capability: 'servers.manage' }));
    const operator = await world.person({ roles: ['operator'] });
    const asked = { actor: by, personId: operator.id };
    await expect(world.gateway.request(authContracts.disablePerson, asked)).rejects.toEqual(refused('capability_missing'));
    await expect(world.gateway.request(authContracts.updatePerson, { ...asked, email: 'mine@example.com' })).rejects.toEqual(refused('capability_missing'));
    await world.gateway.request(authContracts.disablePerson, { ...asked, actor: await world.admin() });
    await expect(world.gateway.request(authContracts.enablePerson, asked)).rejects.toEqual(refused('capability_missing'));
    const { id } = await world.person({ by, roles: ['member', 'people-manager'] });
    const raise = { actor: by, personId: id, roles: ['operator'] };
    await expect(world.gateway.request(authContracts.updatePerson, raise)).rejects.toEqual(refused('capability_missing', { capability: 'servers.manage' }));
    expect((await world.gateway.request(authContracts.disablePerson, { actor: by, personId: id })).person.status).toBe('disabled');
  });

  it('who was disabled a moment ago may change nothing, nor may nobody', async () => {
    const by = await world.actor(['administrator']);
    await world.gateway.request(authContracts.disablePerson, { actor: await world.admin(), personId: by.callerId });
    await expect(world.person({ by })).rejects.toEqual(refused('capability_missing', { reason: 'actor_disabled' }));
    await expect(world.person({ by: { callerId: newId('person'), tokenId: null } })).rejects.toEqual(refused('capability_missing'));
  });
});

async function liveAccess(personId: string): Promise<void> {
  const grant = `grant-of-${personId}`;
  await world.db.query(
    `INSERT INTO artefacts (model, id_hash, payload, grant_id, account_id, created_at)
     VALUES ('Grant', $1, '{}', $1, $2, 0), ('RefreshToken', $1, '{}', $1, $2, 0), ('Session', $1, '{}', NULL, $2, 0)`,
    [grant, personId],
  );
  await world.db.query(
    `INSERT INTO login_sessions (id_hash, person_id, provider, subject, auth_at, created_at, expires_at) VALUES ($1, $2, 'corp', 's', 0, 0, 9e15)`,
    [grant, personId],
  );
}
