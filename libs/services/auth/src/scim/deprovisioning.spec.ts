import type { JsonObject } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Connecting, refreshTokenOf } from '../authorization-server/connecting.conformance.js';
import { authContracts } from '@gatehouse/contracts';
import { ScimStage } from './scim-stage.conformance.js';

let stage: ScimStage;
let connecting: Connecting;

beforeAll(async () => {
  stage = await ScimStage.start();
  connecting = new Connecting(stage.auth);
}, 60_000);
afterAll(() => stage.close(), 30_000);

const status = async (id: string): Promise<unknown> => (await stage.auth.db.query<{ status: string }>('SELECT status FROM people WHERE id = $1', [id]))[0]?.status;
const active = (value: boolean): JsonObject => ({ op: 'replace', path: 'active', value });

async function disabledByAdministrator(personId: string): Promise<void> {
  await stage.auth.gateway.request(authContracts.disablePerson, { actor: await stage.auth.administrator(), personId });
}

describe('a directory that takes somebody out', () => {
  it.each([
    ['active=false', (id: string) => stage.patch(`/Users/${id}`, active(false))],
    ['PUT without access', (id: string) => stage.ask('PUT', `/Users/${id}`, stage.userBody({ active: false }))],
    ['DELETE', (id: string) => stage.ask('DELETE', `/Users/${id}`)],
  ])('ends tokens, grants and sign-ins with %s, within two seconds, for good', async (_name, takeOut) => {
    const id = await stage.user();
    await stage.newToken(id, { scopes: ['mcp:access'] });
    const { client, tokens, gid } = await connecting.connected(id);
    await stage.auth.db.query('UPDATE directory_state SET version = version + 1');
    expect((await stage.auth.directory()).tokens.some(({ callerId }) => callerId === id)).toBe(true);

    const began = performance.now();
    expect((await takeOut(id)).status).toBeLessThan(300);
    const { callers, tokens: pats, denied } = await stage.auth.directory();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect([callers.some((caller) => caller.id === id), pats.some(({ callerId }) => callerId === id), denied.map((one) => one.id)]).toEqual([false, false, expect.arrayContaining([gid])]);
    expect(await client.refresh(refreshTokenOf(tokens))).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(await stage.auth.db.query('SELECT 1 AS found FROM login_sessions WHERE person_id = $1 AND ended_at IS NULL', [id])).toEqual([]);
    expect(await stage.auth.db.query('SELECT 1 AS found FROM artefacts WHERE account_id = $1', [id])).toEqual([]);

    if ((await stage.ask('GET', `/Users/${id}`)).status === 404) return;
    await stage.patch(`/Users/${id}`, active(true));
    const after = await stage.auth.directory();
    expect([after.callers.some((caller) => caller.id === id), after.tokens.some(({ callerId }) => callerId === id)]).toEqual([true, false]);
    expect((await client.refresh(refreshTokenOf(tokens))).status).toBe(400);
  });

  it('does not take out the last administrator, by user or by group', async () => {
    const [boss, other] = [await stage.user(), await stage.user()];
    const group = await stage.group('Bosses', [boss]);
    await stage.team('bosses', 'Bosses', ['administrator']);
    await stage.auth.db.query(`UPDATE people SET status = 'disabled' WHERE built_in`);
    const refused = { status: 409, json: { detail: expect.stringContaining('without an administrator') }, record: { kind: 'scim', code: 'conflict' } };
    expect(await stage.patch(`/Users/${boss}`, active(false))).toMatchObject(refused);
    expect(await stage.ask('DELETE', `/Users/${boss}`)).toMatchObject(refused);
    expect(await stage.patch(`/Groups/${group}`, { op: 'remove', path: `members[value eq "${boss}"]` })).toMatchObject(refused);
    expect(await stage.patch(`/Groups/${group}`, { op: 'replace', path: 'displayName', value: 'Nobodies' })).toMatchObject(refused);
    expect(await stage.ask('PUT', `/Groups/${group}`, { displayName: 'Bosses' })).toMatchObject(refused);
    expect(await stage.ask('DELETE', `/Groups/${group}`)).toMatchObject(refused);
    expect((await stage.patch(`/Groups/${group}`, { op: 'replace', path: 'members', value: [{ value: other }] })).status).toBe(204);
    expect(await stage.caller(other)).toMatchObject({ roles: ['administrator', 'member'] });
    await stage.auth.db.query(`UPDATE people SET status = 'active' WHERE built_in`);
  });

  it('does not let in again whom an administrator disabled, by repeating itself', async () => {
    const body = stage.userBody();
    const id = await stage.user(body);
    await disabledByAdministrator(id);
    expect((await stage.ask('GET', `/Users/${id}`)).json['active']).toBe(false);
    expect((await stage.ask('PUT', `/Users/${id}`, body)).json['active']).toBe(false);
    expect((await stage.patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'Dr' })).json['active']).toBe(false);
    await stage.patch(`/Users/${id}`, active(true));
    expect(await status(id)).toBe('disabled');
    await stage.ask('DELETE', `/Users/${id}`);
    expect((await stage.ask('POST', '/Users', body)).json).toMatchObject({ id, active: false });
    await stage.patch(`/Users/${id}`, active(false));
    await stage.patch(`/Users/${id}`, active(true));
    expect(await status(id)).toBe('active');
  });

  it('finds the same person when somebody comes back, without what they had', async () => {
    const body = stage.userBody();
    const id = await stage.user(body);
    const group = await stage.group('Returners', [id]);
    await stage.newToken(id, { scopes: ['mcp:access'] });
    await stage.ask('DELETE', `/Users/${id}`);
    expect((await stage.ask('GET', `/Groups/${group}`)).json['members']).toEqual([]);
    const { status: answered, json } = await stage.ask('POST', '/Users', body);
    expect([answered, json]).toEqual([201, expect.objectContaining({ id, active: true, groups: [] })]);
    expect((await stage.auth.directory()).tokens.some(({ callerId }) => callerId === id)).toBe(false);
  });
});

describe('a person who was there before', () => {
  const invited = async (email: string): Promise<string> => {
    const id = await stage.auth.person('Invited', ['operator']);
    await stage.auth.db.query('UPDATE people SET email = $2 WHERE id = $1', [id, email]);
    return id;
  };

  it('is joined by the same address, whatever its case, and keeps their roles', async () => {
    const id = await invited('Old.Hand@corp.example');
    const { status: answered, json } = await stage.ask('POST', '/Users', stage.userBody({ userName: 'old.hand', displayName: 'Old Hand', emails: [{ value: 'old.hand@corp.example' }] }));
    expect([answered, json['id']]).toEqual([201, id]);
    expect(await stage.caller(id)).toMatchObject({ name: 'Old Hand', roles: ['operator'] });
    expect(await stage.auth.db.query('SELECT source FROM people WHERE id = $1', [id])).toEqual([{ source: 'scim' }]);
  });

  it('stays disabled when an administrator disabled them', async () => {
    const id = await invited('gone@corp.example');
    await disabledByAdministrator(id);
    expect((await stage.ask('POST', '/Users', stage.userBody({ emails: [{ value: 'gone@corp.example' }] }))).json).toMatchObject({ id, active: false });
  });

  it('is not taken over by a change of address', async () => {
    await invited('victim@corp.example');
    const id = await stage.user();
    const taken = { status: 409, json: { scimType: 'uniqueness' } };
    expect(await stage.patch(`/Users/${id}`, { op: 'replace', path: 'emails', value: [{ value: 'VICTIM@corp.example' }] })).toMatchObject(taken);
    const other = stage.userBody();
    await stage.user(other);
    expect(await stage.ask('POST', '/Users', stage.userBody({ emails: other['emails']! }))).toMatchObject(taken);
  });

  it('is never the built-in administrator, nor a service account, nor somebody no directory sent', async () => {
    const { callerId } = await stage.auth.administrator();
    await stage.auth.db.query(`UPDATE people SET email = 'root@corp.example' WHERE id = $1`, [callerId]);
    expect(await stage.ask('POST', '/Users', stage.userBody({ emails: [{ value: 'root@corp.example' }] }))).toMatchObject({ status: 409, json: { scimType: 'uniqueness' } });
    const local = await stage.auth.person('Local');
    for (const id of [callerId, stage.serviceAccount, local]) {
      for (const method of ['GET', 'DELETE']) expect((await stage.ask(method, `/Users/${id}`)).status).toBe(404);
      expect((await stage.patch(`/Users/${id}`, active(false))).status).toBe(404);
      expect((await stage.ask('PUT', `/Users/${id}`, stage.userBody())).status).toBe(404);
      expect(await stage.ask('POST', '/Groups', { displayName: `Of ${id}`, members: [{ value: id }] })).toMatchObject({ status: 400, json: { scimType: 'invalidValue' } });
      expect((await stage.find('/Users', `id eq "${id}"`)).json['totalResults']).toBe(0);
      expect(await status(id)).toBe('active');
    }
  });
});

describe('edges', () => {
  it('hear nothing of what they do not see', async () => {
    const body = stage.userBody();
    const id = await stage.user(body);
    const group = await stage.group('Unmapped');
    const off = await stage.user({ active: false });
    await stage.team('quiet', 'Quiet', ['operator']);
    const quiet = await stage.group('Quiet');
    const before = await stage.version();
    await stage.ask('PUT', `/Users/${id}`, { ...body, title: 'Dr', userName: 'renamed.quietly' });
    await stage.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: [{ value: id }] });
    await stage.patch(`/Groups/${group}`, { op: 'replace', path: 'displayName', value: 'Still unmapped' });
    await stage.patch(`/Groups/${quiet}`, { op: 'add', path: 'members', value: [{ value: off }] });
    await stage.patch(`/Users/${off}`, { op: 'replace', path: 'displayName', value: 'Nobody sees' });
    await stage.user({ active: false });
    await stage.ask('DELETE', `/Users/${off}`);
    await stage.ask('DELETE', `/Groups/${group}`);
    expect(await stage.version()).toBe(before);
    await stage.patch(`/Groups/${quiet}`, { op: 'add', path: 'members', value: [{ value: id }] });
    await stage.patch(`/Groups/${quiet}`, { op: 'add', path: 'members', value: [{ value: id }] });
    expect(await stage.version()).toBe(before + 1);
  });
});
