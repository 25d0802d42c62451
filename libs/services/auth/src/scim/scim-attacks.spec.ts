import type { JsonObject, JsonValue } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScimStage } from './scim-stage.conformance.js';

let stage: ScimStage;

beforeAll(async () => {
  stage = await ScimStage.start();
}, 60_000);
afterAll(() => stage.close(), 30_000);

const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const deep = (levels: number): string => `{"userName":"x","a":${'['.repeat(levels)}${']'.repeat(levels)}}`;

describe('who may not provision', () => {
  it.each([
    ['nobody', async () => ''],
    ['a token nobody knows', async () => 'Bearer ghp_gatehouse_nothing'],
    ['a token without the scope', async () => `Bearer ${await stage.newToken(stage.serviceAccount, { scopes: ['mcp:access', 'admin', 'clients:register'] })}`],
    ['an expired token', async () => `Bearer ${await stage.newToken(stage.serviceAccount, { expiresAt: stage.auth.clock.now() })}`],
    ['basic authentication', async () => `Basic ${stage.token}`],
    ['a token twice', async () => `Bearer ${stage.token}, Bearer ${stage.token}`],
    ['a token that is far too long', async () => `Bearer ${stage.token.repeat(40)}`],
    [
      'a revoked token',
      async () => {
        const token = await stage.newToken(await stage.newServiceAccount());
        await stage.auth.db.query('UPDATE tokens SET revoked_at = 1 WHERE id = (SELECT max(id) FROM tokens)');
        return `Bearer ${token}`;
      },
    ],
    [
      'a token of somebody disabled',
      async () => {
        const id = await stage.newServiceAccount();
        const token = await stage.newToken(id);
        await stage.auth.db.query(`UPDATE people SET status = 'disabled' WHERE id = $1`, [id]);
        return `Bearer ${token}`;
      },
    ],
  ])('%s: the same 401 everywhere, before the body is read', async (_name, authorization) => {
    const headers = { authorization: await authorization() };
    for (const path of ['/Users', '/Groups', '/Users/x', '/ServiceProviderConfig', '/Schemas', '/ResourceTypes', '/nowhere']) {
      const answer = await stage.ask('GET', path, undefined, headers);
      expect(answer).toMatchObject({ status: 401, json: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '401' }, record: { kind: 'scim', code: 'unauthenticated', callerId: null } });
      expect([answer.headers.get('www-authenticate'), answer.headers.get('content-type')]).toEqual(['Bearer', expect.stringContaining('application/scim+json')]);
    }
    expect((await stage.ask('POST', '/Users', '{"userName":', headers)).status).toBe(401);
  });

  it('a token is braked after a thousand requests at once', async () => {
    const id = await stage.newServiceAccount();
    const headers = { authorization: `Bearer ${await stage.newToken(id)}` };
    const statuses: number[] = [];
    for (let round = 0; round < 11; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => stage.ask('GET', '/ResourceTypes', undefined, headers)));
      statuses.push(...answers.map(({ status }) => status));
    }
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect((await stage.ask('GET', '/ResourceTypes')).status).toBe(200);
  }, 30_000);
});

describe('bodies meant to harm', () => {
  it.each<[string, string, number, string | undefined]>([
    ['no JSON', '{"userName":', 400, 'invalidSyntax'],
    ['a list', '[]', 400, 'invalidSyntax'],
    ['a text', '"x"', 400, 'invalidSyntax'],
    ['null', 'null', 400, 'invalidSyntax'],
    ['a name twice', '{"userName":"a","userName":"b"}', 400, 'invalidSyntax'],
    ['a name twice, spelled differently', '{"userName":"a","USERNAME":"b"}', 400, 'invalidSyntax'],
    ['a prototype', '{"userName":"a","__proto__":{"isAdmin":true}}', 400, 'invalidSyntax'],
    ['a prototype deep inside', '{"userName":"a","name":{"__proto__":{"x":1}}}', 400, 'invalidSyntax'],
    ['too deep', deep(40), 400, 'invalidSyntax'],
    ['far too deep', deep(100_000), 400, 'invalidSyntax'],
    ['too many values', `{"userName":"x","a":[${'1,'.repeat(100_000)}1]}`, 400, 'invalidSyntax'],
    ['more than a mebibyte', `{"userName":"${'x'.repeat(1_048_576)}"}`, 413, undefined],
    ['more than is kept', `{"userName":"x","a":"${'y'.repeat(70_000)}"}`, 400, 'invalidValue'],
    ['NUL in a value', '{"userName":"x","title":"a\\u0000b"}', 400, 'invalidValue'],
    ['NUL in a name', '{"userName":"x","a\\u0000b":1}', 400, 'invalidValue'],
    ['half a surrogate', '{"userName":"\\ud800"}', 400, 'invalidSyntax'],
    ['no userName', '{}', 400, 'invalidValue'],
    ['a blank userName', '{"userName":"  "}', 400, 'invalidValue'],
    ['a number as userName', '{"userName":1}', 400, 'invalidValue'],
    ['control characters in userName', '{"userName":"a\\u001b[31m"}', 400, 'invalidValue'],
    ['a long userName', `{"userName":"${'x'.repeat(513)}"}`, 400, 'invalidValue'],
    ['a name that is a text', '{"userName":"x","name":"Ada"}', 400, 'invalidValue'],
    ['addresses that are no list', '{"userName":"x","emails":{"value":"a@b.example"}}', 400, 'invalidValue'],
    ['an address that is none', '{"userName":"x","emails":[{"value":"nobody"}]}', 400, 'invalidValue'],
    ['an address that is a number', '{"userName":"x","emails":[{"value":7}]}', 400, 'invalidValue'],
    ['active as a number', '{"userName":"x","active":0}', 400, 'invalidValue'],
    ['a title that is an object', '{"userName":"x","title":{"constructor":{}}}', 400, 'invalidValue'],
  ])('%s', async (_name, body, status, scimType) => {
    const answer = await stage.ask('POST', '/Users', body);
    expect([answer.status, answer.json['scimType'], answer.record?.['callerId']]).toEqual([status, scimType, stage.serviceAccount]);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each<[string, JsonValue, string]>([
    ['no operations', [], 'invalidSyntax'],
    ['ten thousand operations', Array.from({ length: 10_000 }, () => ({ op: 'add', path: 'title', value: 'x' })), 'tooMany'],
    ['ten thousand attributes', [{ op: 'add', value: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`a${index}`, 1])) }], 'tooMany'],
    ['an unknown operation', [{ op: 'move', path: 'title', value: 'x' }], 'invalidSyntax'],
    ['an operation that is a text', ['add'], 'invalidSyntax'],
    ['a path that is a number', [{ op: 'add', path: 7, value: 'x' }], 'invalidPath'],
    ['a prototype path', [{ op: 'add', path: '__proto__.isAdmin', value: true }], 'invalidPath'],
    ['a path with a script', [{ op: 'add', path: 'name[0].x', value: true }], 'invalidPath'],
    ['a path with too many filters', [{ op: 'add', path: `emails[${Array.from({ length: 30 }, () => 'value pr').join(' or ')}]`, value: 1 }], 'invalidPath'],
    ['a remove of everything', [{ op: 'remove' }], 'noTarget'],
    ['a value that nothing fits', [{ op: 'replace', path: 'emails[type eq "fax"].value', value: 'x' }], 'noTarget'],
    ['another id', [{ op: 'replace', path: 'id', value: 'x' }], 'mutability'],
    ['groups', [{ op: 'add', path: 'groups', value: [{ value: 'x' }] }], 'mutability'],
    ['no userName left', [{ op: 'remove', path: 'userName' }], 'mutability'],
    ['an empty userName', [{ op: 'replace', path: 'userName', value: '' }], 'invalidValue'],
    ['more values than one attribute has', [{ op: 'add', path: 'phoneNumbers', value: Array.from({ length: 201 }, (_, value) => ({ value: `${value}` })) }], 'invalidValue'],
  ])('a PATCH with %s changes nothing', async (_name, Operations, scimType) => {
    const id = await stage.user();
    const { json } = await stage.ask('GET', `/Users/${id}`);
    expect(await stage.ask('PATCH', `/Users/${id}`, { schemas: [PATCH], Operations })).toMatchObject({ status: 400, json: { scimType } });
    expect((await stage.ask('GET', `/Users/${id}`)).json).toEqual(json);
  });

  it('own members called like built-in ones are data', async () => {
    const id = await stage.user({ constructor: { name: 'x' }, toString: 'y' } as unknown as JsonObject);
    const { status, json } = await stage.patch(`/Users/${id}`, { op: 'add', path: 'constructor.prototype', value: 'z' }, { op: 'add', path: 'hasOwnProperty', value: 'w' }, { op: 'add', path: 'valueOf.call', value: 'v' });
    expect([status, json]).toEqual([200, expect.objectContaining({ constructor: { name: 'x', prototype: 'z' }, toString: 'y', hasOwnProperty: 'w', valueOf: { call: 'v' } })]);
    expect(typeof {}.hasOwnProperty).toBe('function');
  });

  it('text that looks like SQL, script or markup comes back as it was', async () => {
    const hostile = `'; DROP TABLE people; -- $1 <script>alert(1)</script> \u202e {{x}} %s`;
    const id = await stage.user({ displayName: hostile, title: hostile, externalId: `'; DROP TABLE scim_users; --` });
    expect((await stage.ask('GET', `/Users/${id}`)).json).toMatchObject({ displayName: hostile, title: hostile });
    expect((await stage.caller(id))?.name).toBe(hostile.replace('\u202e', ''));
  });

  it('hostile groups are refused', async () => {
    const inner = await stage.group('Inner');
    const cases: [JsonObject, string][] = [
      [{ displayName: 'Outer', members: [{ value: inner }] }, 'Groups inside groups'],
      [{ displayName: 'Outer', members: [{ value: inner, type: 'Group' }] }, 'Groups inside groups'],
      [{ displayName: 'Outer', members: [{ value: 'x', $ref: 'https://x/scim/v2/Groups/x' }] }, 'Groups inside groups'],
      [{ displayName: 'Outer', members: [{ value: `x' OR '1'='1` }] }, 'no user with the id'],
      [{ displayName: 'Outer', members: [{}] }, 'A member needs'],
      [{ displayName: 'Outer', members: [{ value: { $ne: 1 } }] }, 'must be a text'],
      [{ members: [] }, 'A group needs'],
      [{ displayName: 'x'.repeat(201) }, 'A group needs'],
      [{ displayName: 'a\u0007b' }, 'A group needs'],
    ];
    for (const [body, detail] of cases) expect(await stage.ask('POST', '/Groups', body)).toMatchObject({ status: 400, json: { scimType: 'invalidValue', detail: expect.stringContaining(detail) } });
    expect(await stage.ask('POST', '/Groups', { displayName: 'INNER' })).toMatchObject({ status: 409, json: { scimType: 'uniqueness' } });
    expect(await stage.patch(`/Groups/${inner}`, { op: 'add', path: 'members[value eq "x"].display', value: 'y' })).toMatchObject({ status: 400, json: { scimType: 'mutability' } });
    expect(await stage.patch(`/Groups/${inner}`, { op: 'remove', path: 'members[display co "a"]' })).toMatchObject({ status: 400, json: { scimType: 'invalidPath' } });
  });

  it('other media types and methods are refused', async () => {
    expect((await stage.ask('POST', '/Users', 'userName=x', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    expect((await stage.ask('POST', '/Users', '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await stage.ask('POST', '/Users', stage.userBody(), { 'content-type': 'application/json' })).status).toBe(201);
    expect((await stage.ask('PUT', '/Users', {})).status).toBe(404);
    expect((await stage.ask('GET', `/Users/${'x'.repeat(300)}`)).status).toBe(414);
    expect((await stage.ask('GET', '/Users/%00')).status).toBe(404);
    expect((await stage.ask('GET', '/Users/..%2fGroups')).status).toBe(404);
  });
});

describe('two at once', () => {
  it('the same userName is created once', async () => {
    const body = stage.userBody();
    const answers = await Promise.all(Array.from({ length: 8 }, () => stage.ask('POST', '/Users', body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
    expect(answers.filter(({ status }) => status === 409).every(({ json }) => json['scimType'] === 'uniqueness')).toBe(true);
  });

  it('additions to one group do not lose one another', async () => {
    const users = await Promise.all(Array.from({ length: 12 }, () => stage.user()));
    const group = await stage.group('Busy');
    await Promise.all(users.map((value) => stage.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: [{ value }] })));
    expect(((await stage.ask('GET', `/Groups/${group}`)).json['members'] as JsonObject[]).map(({ value }) => value).sort()).toEqual([...users].sort());
  });

  it('a version that has passed is refused, one that is held is not sent again', async () => {
    const id = await stage.user();
    const read = await stage.ask('GET', `/Users/${id}`);
    const version = read.headers.get('etag')!;
    expect((await stage.ask('GET', `/Users/${id}`, undefined, { 'if-none-match': version })).status).toBe(304);
    const changes = await Promise.all(['a', 'b', 'c'].map((title) => stage.ask('PUT', `/Users/${id}`, { ...read.json, title }, { 'if-match': version })));
    expect(changes.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
    expect((await stage.ask('DELETE', `/Users/${id}`, undefined, { 'if-match': version })).status).toBe(412);
    expect((await stage.ask('DELETE', `/Users/${id}`, undefined, { 'if-match': '*' })).status).toBe(204);
  });
});
