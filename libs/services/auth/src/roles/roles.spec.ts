import { accessContracts, authContracts } from '@gatehouse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthWorld } from '../auth-world.conformance.js';

let world: AuthWorld;

beforeAll(async () => {
  world = await AuthWorld.start();
}, 60_000);
afterAll(() => world.close(), 30_000);

const refused = (code: string, details: object = {}): object => expect.objectContaining({ code, details: expect.objectContaining(details) });
const remove = async (name: string, by?: { callerId: string; tokenId: null }): Promise<unknown> =>
  world.gateway.request(accessContracts.deleteRole, { actor: by ?? (await world.admin()), name });

describe('a role', () => {
  it('is listed after the built-in ones, with its capabilities in order, each once', async () => {
    const made = await world.role('auditor', ['servers.read', 'audit.read', 'audit.read']);
    expect(made).toMatchObject({ name: 'auditor', capabilities: ['servers.read', 'audit.read'], builtIn: false });
    const { items } = await world.gateway.request(accessContracts.listRoles, {});
    expect(items.slice(0, 4).map(({ name, builtIn }) => [name, builtIn])).toEqual(Object.keys(authContracts.ROLES).map((name) => [name, true]));
    expect(items.slice(4)).toEqual([made]);
  });

  it('that is built in cannot be replaced or deleted, nor its name be taken', async () => {
    for (const name of Object.keys(authContracts.ROLES)) {
      await expect(world.role(name, [])).rejects.toEqual(refused('conflict', { reason: 'built_in' }));
      await expect(remove(name)).rejects.toEqual(refused('conflict', { reason: 'built_in' }));
    }
  });

  it('is refused with a capability that is none', async () => {
    await expect(world.role('astronaut', ['audit.read', 'moon.land'])).rejects.toEqual(refused('bad_request', { capability: 'moon.land' }));
    await expect(remove('astronaut')).rejects.toEqual(refused('not_found'));
  });

  it('once replaced gives everybody who has it the new capabilities, and no others (A-14)', async () => {
    await world.role('shifting', ['audit.read', 'servers.read']);
    const { id } = await world.person({ roles: ['shifting'] });
    expect((await world.caller(id))?.capabilities).toEqual(['servers.read', 'audit.read']);
    const actor = await world.admin();
    const { directory } = await world.gateway.request(accessContracts.putRole, { actor, name: 'shifting', description: '', capabilities: ['people.read'] });
    const now = await world.directory();
    expect(now.version).toBe(directory.version);
    expect(now.callers.find((caller) => caller.id === id)?.capabilities).toEqual(['people.read']);
    const again = await world.gateway.request(accessContracts.putRole, { actor, name: 'shifting', description: 'New words', capabilities: ['people.read'] });
    expect(again.directory.version).toBe(directory.version);
  });

  it('cannot be deleted while a person, a team or a service account has it', async () => {
    const actor = await world.admin();
    await world.role('held', ['audit.read']);
    const { id } = await world.person({ roles: ['held'] });
    await expect(remove('held')).rejects.toEqual(refused('conflict', { reason: 'in_use' }));
    await world.gateway.request(authContracts.updatePerson, { actor, personId: id, roles: ['member'] });
    await world.team('holders', { roles: ['held'] });
    await expect(remove('held')).rejects.toEqual(refused('conflict', { reason: 'in_use' }));
    await world.gateway.request(accessContracts.deleteTeam, { actor, name: 'holders' });
    const asked = { actor, name: 'holder', roles: ['held'], teams: [], auth: { method: 'none' as const }, edgeKey: world.edge.publicKey };
    const { serviceAccount } = await world.gateway.request(accessContracts.createServiceAccount, asked);
    await expect(remove('held')).rejects.toEqual(refused('conflict', { reason: 'in_use' }));
    await world.gateway.request(accessContracts.disableServiceAccount, { actor, id: serviceAccount.id });
    expect(await remove('held')).toEqual({ deleted: true });
  });

  it('that is deleted while it is being given is either gone or given, never both', async () => {
    for (let round = 0; round < 10; round++) {
      await world.role('fleeting', ['audit.read']);
      const [given, deleted] = await Promise.allSettled([world.person({ roles: ['fleeting'] }), remove('fleeting')]);
      expect([given.status, deleted.status].sort()).toEqual(['fulfilled', 'rejected']);
      if (given.status === 'rejected') expect(given.reason).toEqual(refused('bad_request', { role: 'fleeting' }));
      else {
        expect(deleted).toMatchObject({ reason: { code: 'conflict' } });
        await world.gateway.request(authContracts.updatePerson, { actor: await world.admin(), personId: given.value.id, roles: ['member'] });
        await remove('fleeting');
      }
    }
  });

  it('cannot be made, changed or deleted beyond what the actor holds', async () => {
    await world.role('role-manager', ['roles.manage', 'audit.read']);
    await world.role('strong', ['servers.manage']);
    const by = await world.actor(['role-manager']);
    await expect(world.role('mine', ['audit.read', 'vault.rotate'], by)).rejects.toEqual(refused('capability_missing', { capability: 'vault.rotate' }));
    await expect(world.role('role-manager', ['roles.manage', 'sso.manage'], by)).rejects.toEqual(refused('capability_missing', { capability: 'sso.manage' }));
    await expect(world.role('strong', [], by)).rejects.toEqual(refused('capability_missing', { capability: 'servers.manage' }));
    await expect(world.gateway.request(accessContracts.deleteRole, { actor: by, name: 'strong' })).rejects.toEqual(refused('capability_missing'));
    expect((await world.role('mine', ['audit.read'], by)).capabilities).toEqual(['audit.read']);
  });
});
