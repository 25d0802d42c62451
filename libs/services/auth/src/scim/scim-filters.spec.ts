import type { JsonObject } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FILTER_LIMITS, parseFilter } from './filter/parse-filter.js';
import { LONGEST_FILTER } from './filter/filter-tokens.js';
import { ScimStage } from './scim-stage.conformance.js';

let stage: ScimStage;
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User';

beforeAll(async () => {
  stage = await ScimStage.start();
  const email = (value: string, type: string): JsonObject => ({ value, type });
  await stage.user({ userName: 'ada', externalId: 'X1', displayName: 'Ada', title: 'Dr', emails: [email('ada@work.example', 'work'), email('ada@home.example', 'home')], [ENTERPRISE]: { department: 'R&D' } });
  await stage.user({ userName: 'bob', externalId: 'x1', displayName: "Bob O'Neil \"Q\" \\ %_", emails: [email('bob@home.example', 'home')], active: false });
  await stage.user({ userName: 'eve', displayName: 'Ève', title: 'Mx', name: { givenName: 'Eve', familyName: 'Zed' }, emails: [{ ...email('eve@work.example', 'work'), primary: 'True' }], phoneNumbers: [email('+49', 'mobile')] });
}, 60_000);
afterAll(() => stage.close(), 30_000);

const found = async (filter: string): Promise<string> => {
  const { status, json } = await stage.find('/Users', filter, '&sortBy=userName');
  return status === 200 ? (json['Resources'] as JsonObject[]).map(({ userName }) => userName).join(' ') : `${status} ${String(json['scimType'])}`;
};

describe('filters on users', () => {
  it.each([
    ['userName eq "ADA"', 'ada'],
    ['USERNAME EQ "ada"', 'ada'],
    [`${CORE}:userName eq "ada"`, 'ada'],
    ['userName ne "ada"', 'bob eve'],
    ['userName sw "a" or userName sw "E"', 'ada eve'],
    ['userName ew "B"', 'bob'],
    ['userName gt "ada" and userName le "eve"', 'bob eve'],
    ['userName lt "bob"', 'ada'],
    ['userName ge "eve"', 'eve'],
    ['externalId eq "x1"', 'bob'],
    ['externalId pr', 'ada bob'],
    ['not (externalId pr)', 'eve'],
    ['externalId eq null', 'eve'],
    ['externalId ne null', 'ada bob'],
    ['title eq null', 'bob'],
    ['title ne "dr"', 'bob eve'],
    ['not (title eq "dr")', 'bob eve'],
    ['not (not (title eq "dr"))', 'ada'],
    ['not(title eq "dr")and(active eq true)', 'eve'],
    ['active eq false', 'bob'],
    ['active eq "False"', 'bob'],
    ['active ne true', 'bob'],
    ['displayName co "O\'NEIL \\"q\\" \\\\"', 'bob'],
    ['displayName co "%"', 'bob'],
    ['displayName ew "%_"', 'bob'],
    ['displayName co "_"', 'bob'],
    ['displayName eq "ÈvE"', 'eve'],
    ['displayName eq "\\u00c8ve"', 'eve'],
    ['name.familyName eq "zed"', 'eve'],
    ['emails eq "ada@home.example"', 'ada'],
    ['emails.value co "home"', 'ada bob'],
    ['emails[type eq "work"]', 'ada eve'],
    ['emails[type eq "work" and value co "home"]', ''],
    ['emails[type eq "home"].value sw "BOB"', 'bob'],
    ['emails[primary eq true]', 'eve'],
    ['emails[not (type eq "work")]', 'ada bob'],
    ['phoneNumbers pr', 'eve'],
    [`${ENTERPRISE}:department eq "r&d"`, 'ada'],
    ['userName eq "ada" or userName eq "bob" and active eq true', 'ada'],
    ['(userName eq "ada" or userName eq "bob") and active eq false', 'bob'],
    ['meta.created gt "2020-01-01T00:00:00Z"', 'ada bob eve'],
    ['meta.lastModified lt "2020-01-01T00:00:00Z"', ''],
    ['userName eq "\' OR 1=1 --"', ''],
    ['userName eq "$1\'; DROP TABLE people; --"', ''],
    ['userName eq ""', ''],
  ])('%s', async (filter, users) => {
    expect(await found(filter)).toBe(users);
  });

  it.each([
    'userName',
    'userName eq',
    'userName eq ada',
    "userName eq 'ada'",
    'userName eq "ada',
    'userName eq "a\\q"',
    'userName eq "\\u0000"',
    'userName is "ada"',
    'eq "ada"',
    '(userName eq "ada"',
    'userName eq "ada")',
    'userName eq "ada" and',
    'userName eq "ada" userName eq "bob"',
    'emails[type eq "work"',
    'emails[]',
    'emails[emails[type eq "work"]]',
    'emails[type eq "work"].value',
    'userName[value eq "x"]',
    'password pr',
    'nothing eq "x"',
    '__proto__ eq "x"',
    'constructor pr',
    'userName) OR (1=1 eq "x"',
    'userName eq 1',
    'userName gt true',
    'active gt true',
    'active eq "maybe"',
    'active co "t"',
    'userName sw null',
    'meta.created eq "yesterday"',
    'name.first.second eq "x"',
    'not userName eq "x"',
    ';',
    '()',
    'urn:x:y eq "x"',
    `${'('.repeat(20)}userName pr${')'.repeat(20)}`,
    Array.from({ length: FILTER_LIMITS.terms + 1 }, () => 'userName pr').join(' and '),
    `userName eq "${'x'.repeat(LONGEST_FILTER)}"`,
  ])('refuses %s', async (filter) => {
    expect(await found(filter)).toBe('400 invalidFilter');
  });

  it('is read in a time that grows with its length', () => {
    const began = performance.now();
    for (const text of ['('.repeat(4_000), 'not ('.repeat(800), ' '.repeat(4_000), '"\\'.repeat(2_000), `a${'.a'.repeat(2_000)}`]) expect(() => parseFilter(text)).toThrow();
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('lists', () => {
  it('sorts, both ways, and by nothing it does not know', async () => {
    const names = async (query: string): Promise<unknown[]> => ((await stage.ask('GET', `/Users?${query}&attributes=userName`)).json['Resources'] as JsonObject[]).map(({ userName }) => userName);
    expect(await names('sortBy=userName&sortOrder=descending')).toEqual(['eve', 'bob', 'ada']);
    expect(await names('sortBy=title')).toEqual(['ada', 'eve', 'bob']);
    for (const sortBy of ['emails', 'password', 'userName;DROP TABLE people']) expect((await stage.ask('GET', `/Users?sortBy=${encodeURIComponent(sortBy)}`)).json['scimType']).toBe('invalidPath');
  });

  it.each(['count=x', 'count=1.5', 'startIndex=1e9', 'count=1&count=2', 'filter=userName+pr&filter=userName+pr', 'attributes=id&excludedAttributes=id', 'attributes=1,2', `attributes=${'a,'.repeat(101)}`])(
    'refuses %s',
    async (query) => {
      expect(await stage.ask('GET', `/Users?${query}`)).toMatchObject({ status: 400, json: { scimType: 'invalidValue' } });
    },
  );

  it('shows what is asked for, and always the id', async () => {
    const one = async (query: string): Promise<JsonObject> => ((await stage.ask('GET', `/Users?filter=userName%20eq%20%22eve%22&${query}`)).json['Resources'] as JsonObject[])[0]!;
    const always = { id: expect.any(String), schemas: expect.any(Array) };
    expect(await one('attributes=name.givenName,EMAILS.value')).toEqual({ ...always, name: { givenName: 'Eve' }, emails: [{ value: 'eve@work.example' }] });
    expect(await one(`attributes=${CORE}:userName`)).toEqual({ ...always, userName: 'eve' });
    const less = await one('excludedAttributes=id,groups,name.givenName,meta');
    expect(less).toMatchObject({ ...always, name: { familyName: 'Zed' } });
    for (const gone of ['groups', 'meta', 'name.givenName']) expect(less).not.toHaveProperty(gone);
  });
});
