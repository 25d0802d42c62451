import { isJsonObject, type JsonObject } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScimStage } from './scim-stage.conformance.js';

let stage: ScimStage;

beforeAll(async () => {
  stage = await ScimStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

const newUser = (name: string): JsonObject => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE],
  externalId: `0a21f0f2-${name}`,
  userName: `${name}@contoso.example`,
  active: true,
  emails: [{ primary: true, type: 'work', value: `${name}@contoso.example` }],
  meta: { resourceType: 'User' },
  name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
  roles: [],
});

const created = async (name: string): Promise<string> => String((await stage.ask('POST', '/Users', newUser(name))).json['id']);

describe('what Microsoft Entra ID asks', () => {
  it('tests the connection with a user that is not there', async () => {
    const { status, json, headers } = await stage.find('/Users', 'userName eq "0f6cbb1a-8c3b-4f5c-9f5b-0a2b7c1d2e3f"');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/scim+json; charset=utf-8']);
    expect(json).toEqual({ schemas: [LIST], totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] });
  });

  it('creates a user, who comes back as sent and stands in the directory', async () => {
    const { status, json, headers, record } = await stage.ask('POST', '/Users', newUser('one'));
    const id = String(json['id']);
    expect([status, headers.get('location')]).toEqual([201, `${stage.auth.origin}/scim/v2/Users/${id}`]);
    const { meta: _meta, schemas: _schemas, ...sent } = newUser('one');
    expect(json).toMatchObject({ ...sent, groups: [], meta: { resourceType: 'User', version: headers.get('etag') } });
    expect(await stage.caller(id)).toMatchObject({ kind: 'person', name: 'givenName familyName', email: 'one@contoso.example', roles: ['member'] });
    expect(record).toEqual({ kind: 'scim', code: null, callerId: stage.serviceAccount, callerName: 'Directory sync', target: `Users/${id}` });
    expect((await stage.ask('GET', `/Users/${id}`)).json).toEqual(json);
  });

  it('finds a user by name in any case, by external id and by work address', async () => {
    const id = await created('two');
    for (const filter of ['userName eq "TWO@contoso.example"', 'externalId eq "0a21f0f2-two"', 'emails[type eq "work"].value eq "two@contoso.example"']) {
      const { json } = await stage.find('/Users', filter);
      const ids = (json['Resources'] as JsonObject[]).map((user) => user['id']);
      expect([filter, ids]).toEqual([filter, expect.arrayContaining([id])]);
    }
  });

  it('updates values by filter and sub-attribute, with a capital letter', async () => {
    const id = await created('three');
    const { status, json } = await stage.patch(
      `/Users/${id}`,
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updated@contoso.example' },
      { op: 'Replace', path: 'name.familyName', value: 'updatedFamilyName' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+49 1234' },
      { op: 'Add', path: 'nickName', value: 'Babs' },
      { op: 'Add', path: `${ENTERPRISE}:employeeNumber`, value: '701984' },
      { op: 'Add', path: `${ENTERPRISE}:manager`, value: '26118915-6090-4610-87e4-49d8ca9f808d' },
    );
    expect(status).toBe(200);
    expect(json).toMatchObject({
      emails: [{ primary: true, type: 'work', value: 'updated@contoso.example' }],
      name: { formatted: 'givenName familyName', familyName: 'updatedFamilyName', givenName: 'givenName' },
      phoneNumbers: [{ type: 'mobile', value: '+49 1234' }],
      nickName: 'Babs',
      [ENTERPRISE]: { employeeNumber: '701984', manager: '26118915-6090-4610-87e4-49d8ca9f808d' },
    });
    expect(json['schemas']).toContain(ENTERPRISE);
    expect((await stage.caller(id))?.email).toBe('updated@contoso.example');
    const managed = await stage.find('/Users', `id eq "${id}" and manager eq "26118915-6090-4610-87e4-49d8ca9f808d"`, '&attributes=id');
    expect(managed.json['Resources']).toEqual([{ id, schemas: expect.any(Array) }]);
  });

  it('replaces an address that was not there, spelled as Entra does; the RFC\'s spelling keeps to the RFC', async () => {
    const { json } = await stage.ask('POST', '/Users', { ...newUser('bare'), emails: [] });
    const path = `/Users/${String(json['id'])}`;
    const target = { path: 'emails[type eq "work"].value', value: 'bare@contoso.example' };
    expect(await stage.patch(path, { op: 'replace', ...target })).toMatchObject({ status: 400, json: { scimType: 'noTarget' } });
    expect(await stage.patch(path, { op: 'Replace', ...target })).toMatchObject({ status: 200, json: { emails: [{ type: 'work', value: 'bare@contoso.example' }] } });
    expect((await stage.caller(String(json['id'])))?.email).toBe('bare@contoso.example');
  });

  it('replaces several attributes without a path, dotted and with a schema', async () => {
    const id = await created('four');
    const value = { displayName: 'Bjfe', 'name.givenName': 'Kkom', [`${ENTERPRISE}:department`]: 'Aklq' };
    const { json } = await stage.patch(`/Users/${id}`, { op: 'replace', value });
    expect(json).toMatchObject({ displayName: 'Bjfe', name: { givenName: 'Kkom', familyName: 'familyName' }, [ENTERPRISE]: { department: 'Aklq' } });
    expect((await stage.caller(id))?.name).toBe('Bjfe');
  });

  it('disables with the text "False", finds the user still, and restores them', async () => {
    const id = await created('five');
    expect((await stage.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' })).json['active']).toBe(false);
    expect(await stage.caller(id)).toBeUndefined();
    expect((await stage.find('/Users', 'userName eq "five@contoso.example"')).json).toMatchObject({ totalResults: 1, Resources: [{ active: false }] });
    expect((await stage.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'True' })).json['active']).toBe(true);
    expect(await stage.caller(id)).toBeDefined();
  });

  it('deletes for good: gone here, kept disabled for the records, the name free', async () => {
    const id = await created('six');
    expect((await stage.ask('DELETE', `/Users/${id}`)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await stage.ask(method, `/Users/${id}`)).status).toBe(404);
    expect(await stage.auth.db.query('SELECT status FROM people WHERE id = $1', [id])).toEqual([{ status: 'disabled' }]);
    const again = await stage.ask('POST', '/Users', { ...newUser('six'), emails: [] });
    expect([again.status, again.json['id'] === id]).toEqual([201, false]);
  });

  it('keeps groups: created empty, found without members, renamed, filled, emptied, deleted', async () => {
    const [ada, bob] = [await created('ada'), await created('bob')];
    const group = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group', 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'], externalId: '8aa1a0c0', displayName: 'Engineers', meta: { resourceType: 'Group' } };
    const { status, json } = await stage.ask('POST', '/Groups', group);
    const id = String(json['id']);
    expect([status, json['members'], json['externalId']]).toEqual([201, [], '8aa1a0c0']);
    await stage.team('builders', 'Builders', ['operator']);

    const found = await stage.find('/Groups', 'displayName eq "engineers"', '&excludedAttributes=members');
    expect(found.json['totalResults']).toBe(1);
    expect((found.json['Resources'] as JsonObject[])[0]).not.toHaveProperty('members');
    const add = (value: string): JsonObject => ({ op: 'Add', path: 'members', value: [{ $ref: null, value }] });
    expect((await stage.patch(`/Groups/${id}`, add(ada))).status).toBe(204);
    expect((await stage.patch(`/Groups/${id}`, add(bob))).status).toBe(204);
    expect((await stage.caller(ada))?.teams).toEqual([]);
    expect((await stage.patch(`/Groups/${id}`, { op: 'Replace', path: 'displayName', value: 'Builders' })).status).toBe(204);
    expect(await stage.caller(ada)).toMatchObject({ teams: ['builders'], roles: ['member', 'operator'] });

    const asked = await stage.find('/Groups', `id eq "${id}" and members eq "${ada}"`, '&attributes=id');
    expect(asked.json['totalResults']).toBe(1);
    expect((await stage.patch(`/Groups/${id}`, { op: 'Remove', path: 'members', value: [{ $ref: null, value: ada }] })).status).toBe(204);
    expect((await stage.patch(`/Groups/${id}`, { op: 'remove', path: `members[value eq "${bob}"]` })).status).toBe(204);
    expect((await stage.ask('GET', `/Groups/${id}`)).json).toMatchObject({ displayName: 'Builders', members: [] });
    expect((await stage.caller(ada))?.teams).toEqual([]);

    await stage.patch(`/Groups/${id}`, add(ada));
    expect((await stage.ask('DELETE', `/Groups/${id}`)).status).toBe(204);
    expect((await stage.ask('GET', `/Groups/${id}?excludedAttributes=members`)).status).toBe(404);
    expect((await stage.caller(ada))?.teams).toEqual([]);
  });

  it('shows what it can do', async () => {
    expect((await stage.ask('GET', '/ServiceProviderConfig')).json).toMatchObject({ patch: { supported: true }, bulk: { supported: false }, filter: { supported: true, maxResults: 200 }, etag: { supported: true } });
    const types = (await stage.ask('GET', '/ResourceTypes')).json['Resources'] as JsonObject[];
    expect(types.map((type) => type['endpoint'])).toEqual(['/Users', '/Groups']);
    const schemas = (await stage.ask('GET', '/Schemas')).json['Resources'] as JsonObject[];
    expect(schemas.filter(isJsonObject).map((schema) => schema['id'])).toContain(ENTERPRISE);
    expect((await stage.ask('GET', `/Schemas/${ENTERPRISE}`)).json['name']).toBe('EnterpriseUser');
    expect((await stage.ask('GET', '/Bulk')).status).toBe(404);
  });
});
