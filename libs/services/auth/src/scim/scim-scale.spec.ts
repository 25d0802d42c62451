import { newId, type JsonObject } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScimStage } from './scim-stage.conformance.js';

const MEMBERS = 10_000;
let stage: ScimStage;
const users = Array.from({ length: MEMBERS }, () => newId('person'));

beforeAll(async () => {
  stage = await ScimStage.start();
  await stage.auth.db.query(
    `INSERT INTO people (id, name, email, roles, teams, status, source, created_at)
       SELECT id, 'Person ' || n, 'p' || n || '@corp.example', '{member}', '{}', 'active', 'scim', n FROM unnest($1::text[]) WITH ORDINALITY AS u (id, n)`,
    [users],
  );
  await stage.auth.db.query(
    `INSERT INTO scim_users (person_id, user_name, external_id, said_active, attributes, created_at, updated_at)
       SELECT id, 'p' || n || '@corp.example', 'x' || n, true, jsonb_build_object('emails', jsonb_build_array(jsonb_build_object('value', 'p' || n || '@corp.example', 'type', 'work'))), n, n
         FROM unnest($1::text[]) WITH ORDINALITY AS u (id, n)`,
    [users],
  );
  await stage.auth.db.query('ANALYZE');
}, 90_000);
afterAll(() => stage.close(), 30_000);

const took = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};
const members = (ids: readonly string[]): JsonObject[] => ids.map((value) => ({ value }));

describe('a company of ten thousand', () => {
  it('fills, reads, changes and empties a group of five and of ten thousand', async () => {
    await stage.team('everybody', 'Everybody', ['operator']);
    const group = await stage.group('Everybody');
    const path = `/Groups/${group}`;
    const half = await took(async () => expect((await stage.patch(path, { op: 'add', path: 'members', value: members(users.slice(0, 5_000)) })).status).toBe(204));
    const whole = await took(async () => expect((await stage.ask('PUT', path, { displayName: 'Everybody', members: members(users) })).status).toBe(200));
    const read = await took(async () => expect((await stage.ask('GET', path)).json['members']).toHaveLength(MEMBERS));
    const one = { op: 'remove', path: `members[value eq "${users[7]}"]` };
    const rename = await took(async () => expect((await stage.patch(path, { op: 'replace', path: 'displayName', value: 'All' })).status).toBe(204));
    await stage.patch(path, { op: 'replace', path: 'displayName', value: 'Everybody' });
    const removed = await took(async () => expect((await stage.patch(path, one)).status).toBe(204));
    const added = await took(async () => expect((await stage.patch(path, { op: 'add', path: 'members', value: members([users[7]!]) })).status).toBe(204));
    expect(await stage.auth.db.query(`SELECT count(*)::integer AS count FROM person_groups WHERE provider = 'scim' AND group_name = 'Everybody'`)).toEqual([{ count: MEMBERS }]);
    expect(Object.entries({ half, whole, read, rename }).filter(([, ms]) => ms > 15_000)).toEqual([]);
    expect(Object.entries({ removed, added }).filter(([, ms]) => ms > 2_000)).toEqual([]);
    expect((await stage.ask('DELETE', path)).status).toBe(204);
    expect(await stage.auth.db.query('SELECT 1 AS found FROM person_groups LIMIT 1')).toEqual([]);
  }, 90_000);

  it('adds one member by touching one row, however large the group', async () => {
    const group = await stage.group('Large', users.slice(0, 5_000));
    const rows = async (): Promise<unknown[]> => stage.auth.db.query('SELECT xmin::text AS x FROM scim_members WHERE group_id = $1 GROUP BY xmin', [group]);
    const before = await rows();
    await stage.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: members([users[9_000]!]) });
    expect(await rows()).toHaveLength(before.length + 1);
  });

  it('finds and lists without reading everybody twice', async () => {
    const times = await Promise.all(
      ['userName eq "P9999@corp.example"', 'externalId eq "x9999"', `id eq "${users[9_998]}"`, 'emails[type eq "work"].value eq "p9999@corp.example"'].map((filter) =>
        took(async () => expect((await stage.find('/Users', filter)).json['totalResults']).toBe(1)),
      ),
    );
    const page = await took(async () => expect((await stage.ask('GET', '/Users?startIndex=9801&count=500')).json).toMatchObject({ totalResults: MEMBERS, itemsPerPage: 200 }));
    expect([...times, page].filter((ms) => ms > 3_000)).toEqual([]);
    const plan = await stage.auth.db.query<{ 'QUERY PLAN': string }>(`EXPLAIN SELECT 1 FROM scim_users u WHERE u.deleted_at IS NULL AND lower(u.user_name) = lower('P9999@corp.example'::text)`);
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('scim_users_user_name');
  });
});
