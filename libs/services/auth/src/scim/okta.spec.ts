import type { JsonObject } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScimStage } from './scim-stage.conformance.js';

let stage: ScimStage;

beforeAll(async () => {
  stage = await ScimStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const SCHEMAS = ['urn:ietf:params:scim:schemas:core:2.0:User'];

const profile = (userName: string, over: JsonObject = {}): JsonObject => ({
  schemas: SCHEMAS,
  userName,
  name: { givenName: 'Test', familyName: 'User' },
  emails: [{ primary: true, value: userName, type: 'work' }],
  displayName: 'Test User',
  locale: 'en-US',
  externalId: '00ujl29u0le5T6Aj10h7',
  groups: [],
  password: '1mz050nq',
  active: true,
  ...over,
});

const created = async (userName: string): Promise<string> => String((await stage.ask('POST', '/Users', profile(userName))).json['id']);

describe('what Okta asks', () => {
  it('looks for the user page-wise, creates them, and never keeps the password', async () => {
    const query = `/Users?filter=userName%20eq%20%22first.user%40okta.local%22&startIndex=1&count=100`;
    expect((await stage.ask('GET', query)).json).toMatchObject({ totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] });
    const { status, json } = await stage.ask('POST', '/Users', profile('first.user@okta.local'), { 'content-type': 'application/scim+json; charset=utf-8' });
    const { password, ...shown } = profile('first.user@okta.local');
    expect([status, json]).toEqual([201, expect.objectContaining(shown)]);
    expect((await stage.ask('GET', query)).json).toMatchObject({ totalResults: 1, itemsPerPage: 1, Resources: [json] });
    const kept = await stage.auth.db.query('SELECT row_to_json(u)::text AS text FROM scim_users u');
    expect(JSON.stringify([kept, json, stage.auth.logLines])).not.toContain(password);
  });

  it('refuses a user that is there already with 409', async () => {
    await created('twice.user@okta.local');
    const { status, json } = await stage.ask('POST', '/Users', profile('Twice.User@okta.local'));
    expect([status, json]).toEqual([409, { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '409', scimType: 'uniqueness', detail: expect.any(String) }]);
  });

  it('updates by PUT of what it read, with what it changed', async () => {
    const id = await created('put.user@okta.local');
    const { json } = await stage.ask('GET', `/Users/${id}`);
    const { locale: _locale, ...rest } = json;
    const updated = await stage.ask('PUT', `/Users/${id}`, { ...rest, displayName: 'Another User', name: { givenName: 'Another', middleName: 'Excited', familyName: 'User' } });
    expect([updated.status, updated.json]).toEqual([200, expect.objectContaining({ id, displayName: 'Another User', name: { givenName: 'Another', middleName: 'Excited', familyName: 'User' } })]);
    expect(updated.json).not.toHaveProperty('locale');
    expect((await stage.caller(id))?.name).toBe('Another User');
  });

  it('deactivates by PATCH and by PUT, and activates again', async () => {
    const id = await created('off.user@okta.local');
    for (const active of [false, true]) {
      const patched = await stage.patch(`/Users/${id}`, { op: 'replace', value: { active } });
      expect([patched.status, patched.json['active']]).toEqual([200, active]);
      expect((await stage.caller(id)) !== undefined).toBe(active);
    }
    const put = await stage.ask('PUT', `/Users/${id}`, profile('off.user@okta.local', { id, active: false }));
    expect([put.status, put.json['active'], await stage.caller(id)]).toEqual([200, false, undefined]);
  });

  it('imports everybody in pages of one order', async () => {
    const page = async (startIndex: number): Promise<string[]> => {
      const { json } = await stage.ask('GET', `/Users?startIndex=${startIndex}&count=2`);
      return (json['Resources'] as JsonObject[]).map(({ id }) => String(id));
    };
    const { totalResults } = (await stage.ask('GET', '/Users?startIndex=1&count=0')).json as { totalResults: number };
    const pages = await Promise.all(Array.from({ length: Math.ceil(totalResults / 2) }, (_, index) => page(1 + 2 * index)));
    expect(new Set(pages.flat()).size).toBe(totalResults);
    expect(await page(totalResults + 1)).toEqual([]);
  });

  it('pushes a group: name with its id, members one by one and all at once, PUT, unlink', async () => {
    const [ada, bob, eve] = await Promise.all(['ada', 'bob', 'eve'].map((name) => created(`${name}@okta.local`)));
    const { json } = await stage.ask('POST', '/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'Test SCIMv2', members: [] });
    const path = `/Groups/${String(json['id'])}`;
    await stage.team('okta', 'Test SCIMv2.0', ['security']);
    const members = async (): Promise<string[]> => ((await stage.ask('GET', path)).json['members'] as JsonObject[]).map(({ value }) => String(value)).sort();

    expect((await stage.patch(path, { op: 'replace', value: { id: json['id']!, displayName: 'Test SCIMv2.0' } })).status).toBe(204);
    await stage.patch(path, { op: 'add', path: 'members', value: [{ value: ada!, display: 'ada@okta.local' }] });
    await stage.patch(path, { op: 'remove', path: `members[value eq "${ada}"]` }, { op: 'add', path: 'members', value: [{ value: bob!, display: 'bob@okta.local' }] });
    expect(await members()).toEqual([bob]);
    expect(await stage.caller(bob!)).toMatchObject({ teams: ['okta'], roles: ['member', 'security'] });

    await stage.patch(path, { op: 'replace', path: 'members', value: [{ value: ada! }, { value: eve! }] });
    expect(await members()).toEqual([ada, eve].sort());
    expect((await stage.caller(bob!))?.teams).toEqual([]);
    const put = await stage.ask('PUT', path, { displayName: 'Renamed', members: [{ value: ada! }] });
    expect([put.status, put.json['displayName'], (put.json['members'] as JsonObject[]).length]).toEqual([200, 'Renamed', 1]);
    expect((await stage.caller(ada!))?.teams).toEqual([]);
    expect((await stage.ask('GET', `/Users/${ada}`)).json['groups']).toEqual([{ value: json['id'], $ref: expect.stringContaining(path), display: 'Renamed' }]);
    expect((await stage.ask('DELETE', path)).status).toBe(204);
    expect((await stage.ask('GET', `/Users/${ada}`)).json['groups']).toEqual([]);
  });
});
