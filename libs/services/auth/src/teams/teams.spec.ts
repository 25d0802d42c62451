import { accessContracts, authContracts } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthWorld } from '../auth-world.conformance.js';

let world: AuthWorld;

beforeAll(async () => {
  world = await AuthWorld.start();
}, 60_000);
afterAll(() => world.close(), 30_000);

const refused = (code: string, details: object = {}): object => expect.objectContaining({ code, details: expect.objectContaining(details) });
const listed = async (name: string): Promise<accessContracts.Team | undefined> =>
  (await world.gateway.request(accessContracts.listTeams, {})).items.find((team) => team.name === name);
const remove = async (name: string, by?: { callerId: string; tokenId: null }): Promise<{ directory: { version: number } }> =>
  world.gateway.request(accessContracts.deleteTeam, { actor: by ?? (await world.admin()), name });
const corp = (group: string): { provider: string; group: string } => ({ provider: 'corp', group });

describe('a team', () => {
  it('is there as soon as somebody is put into it, without roles', async () => {
    await world.person({ teams: ['fresh'] });
    expect(await listed('fresh')).toEqual({ name: 'fresh', roles: [], groups: [], members: 1 });
  });

  it('counts its active members by name and by group, each once', async () => {
    await world.team('counted', { groups: [corp('a'), corp('b')] });
    const [one, two] = [await world.person({ teams: ['counted'] }), await world.person()];
    const gone = await world.person({ teams: ['counted'] });
    await world.gateway.request(authContracts.disablePerson, { actor: await world.admin(), personId: gone.id });
    await world.groups(one.id, ['a']);
    await world.groups(two.id, ['a', 'b']);
    expect(await listed('counted')).toMatchObject({ members: 2 });
  });

  it('gives its roles to all in it, from the directory that the reply names (A-14)', async () => {
    const { id } = await world.person();
    await world.groups(id, ['ops']);
    const asked = { actor: await world.admin(), name: 'operators', roles: ['operator', 'operator'], groups: [corp('ops'), corp('ops')] };
    const { team, directory } = await world.gateway.request(accessContracts.putTeam, asked);
    expect(team).toEqual({ name: 'operators', roles: ['operator'], groups: [corp('ops')], members: 1 });
    expect((await world.directory()).version).toBe(directory.version);
    expect((await world.caller(id))?.capabilities).toContain('servers.manage');
    expect((await world.gateway.request(accessContracts.putTeam, asked)).directory).toEqual(directory);
    await world.team('operators', { groups: [corp('ops')] });
    expect(await world.caller(id)).toMatchObject({ roles: ['member'], teams: ['operators'], capabilities: [] });
  });

  it('once deleted gives nothing more, and comes back empty', async () => {
    await world.team('short-lived', { roles: ['operator'], groups: [corp('x')] });
    const { id } = await world.person({ teams: ['short-lived', 'other'] });
    const { directory } = await remove('short-lived');
    expect((await world.directory()).version).toBe(directory.version);
    expect(await world.caller(id)).toMatchObject({ teams: ['other'], capabilities: [] });
    await expect(remove('short-lived')).rejects.toEqual(refused('not_found'));
    await world.person({ teams: ['short-lived'] });
    expect(await listed('short-lived')).toEqual({ name: 'short-lived', roles: [], groups: [], members: 1 });
  });

  it('cannot have a role that nobody defined', async () => {
    await expect(world.team('odd', { roles: ['toString'.toLowerCase()] })).rejects.toEqual(refused('bad_request', { role: 'tostring' }));
    expect(await listed('odd')).toBeUndefined();
  });

  it('cannot be given, taken or mapped what the actor lacks', async () => {
    await world.role('team-manager', ['people.manage', 'roles.manage']);
    const by = await world.actor(['team-manager']);
    await world.team('strong', { roles: ['operator'] });
    await expect(world.team('mine', { roles: ['operator'], by })).rejects.toEqual(refused('capability_missing', { capability: 'servers.manage' }));
    await expect(world.team('strong', { roles: ['operator'], groups: [corp('mine')], by })).rejects.toEqual(refused('capability_missing'));
    await expect(world.team('strong', { by })).rejects.toEqual(refused('capability_missing'));
    await expect(remove('strong', { callerId: by.callerId, tokenId: null })).rejects.toEqual(refused('capability_missing'));
    expect(await world.team('mine', { roles: ['team-manager'], groups: [corp('mine')], by })).toMatchObject({ roles: ['team-manager'] });
  });
});

describe('a team by which the last administrator is one', () => {
  it('can neither lose the role, nor its members, nor be deleted', async () => {
    const { callerId: first } = await world.admin();
    const actor = await world.actor(['member'], ['rulers']);
    await world.team('rulers', { roles: ['administrator'] });
    await world.gateway.request(authContracts.disablePerson, { actor, personId: first });
    const last = refused('conflict', { reason: 'last_administrator' });
    await expect(world.team('rulers', { by: actor })).rejects.toEqual(last);
    await expect(world.gateway.request(accessContracts.deleteTeam, { actor, name: 'rulers' })).rejects.toEqual(last);
    await expect(world.gateway.request(authContracts.updatePerson, { actor, personId: actor.callerId, teams: [] })).rejects.toEqual(last);
    await expect(world.gateway.request(authContracts.disablePerson, { actor, personId: actor.callerId })).rejects.toEqual(last);
    await world.gateway.request(authContracts.enablePerson, { actor, personId: first });
    expect(await world.gateway.request(accessContracts.deleteTeam, { actor, name: 'rulers' })).toMatchObject({ directory: {} });
  });
});
