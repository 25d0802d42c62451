import { describe, expect, it } from '@jest/globals';
import { claimIs, missesClaims, profileOf } from './claims.js';

const MAPPING = { name: 'name', email: 'email', groups: 'groups' };
const groups = (value: unknown, path = 'groups'): string[] | undefined => profileOf({ [path]: value as never }, { ...MAPPING, groups: path }).groups;

describe('groups', () => {
  it.each([
    [['b', 'a', 'a'], ['a', 'b']],
    ['a b  c', ['a', 'b', 'c']],
    ['Team A, Team B', ['Team A', 'Team B']],
    [undefined, []],
    [[1, null, {}, 'ok', '', 'x'.repeat(201), 'bad\u0000', 'turned\u202e'], ['ok']],
    [true, []],
  ])('%j are read as %j', (value, expected) => expect(groups(value)).toEqual(expected));

  it('stand under a name of their own or at a path', () => {
    expect(groups(['a'], 'https://acme.example/groups')).toEqual(['a']);
    expect(profileOf({ realm_access: { roles: ['a'] } }, { ...MAPPING, groups: 'realm_access.roles' }).groups).toEqual(['a']);
    expect(profileOf({ realm_access: 'x' }, { ...MAPPING, groups: 'realm_access.roles' }).groups).toEqual([]);
    expect(profileOf({}, { ...MAPPING, groups: '__proto__.x' }).groups).toEqual([]);
  });

  it('that are too many to tell are unknown, not none', () => {
    expect(profileOf({ _claim_names: { groups: 'src1' } }, MAPPING).groups).toBeUndefined();
    expect(profileOf({ hasgroups: true }, MAPPING).groups).toBeUndefined();
    expect(groups(Array.from({ length: 501 }, (_, at) => `g${at}`))).toBeUndefined();
    expect(groups(Array.from({ length: 500 }, (_, at) => `g${at}`))).toHaveLength(500);
  });
});

describe('an address', () => {
  it.each([
    [{ email: 'ada@acme.example', email_verified: true }, 'ada@acme.example'],
    [{ email: 'ada@acme.example', email_verified: 'true' }, undefined],
    [{ email: 'ada@acme.example' }, undefined],
    [{ email: 'ada@acme.example', email_verified: false }, undefined],
    [{ email: 'not an address', email_verified: true }, undefined],
    [{ email: ['ada@acme.example'], email_verified: true }, undefined],
  ])('of %j is %j', (claims, expected) => expect(profileOf(claims, MAPPING).email).toBe(expected));

  it('in a claim of another name has nobody who vouches for it', () => {
    expect(profileOf({ upn: 'ada@acme.example', email_verified: true }, { ...MAPPING, email: 'upn' }).email).toBeUndefined();
  });
});

describe('a name', () => {
  it('is cleaned of what deceives, and falls back to the user name', () => {
    expect(profileOf({ name: ' Ada\u202e\u0007 K. ' }, MAPPING).name).toBe('Ada K.');
    expect(profileOf({ name: '\u200b', preferred_username: 'ada' }, MAPPING).name).toBe('ada');
    expect(profileOf({}, MAPPING).name).toBeUndefined();
  });
});

it('a rule matches a value, or a member of a list, exactly', () => {
  expect(claimIs({ groups: ['a', 'admins'] }, 'groups', 'admins')).toBe(true);
  expect(claimIs({ groups: 'admins' }, 'groups', 'admins')).toBe(true);
  expect(claimIs({ groups: 'admins, others' }, 'groups', 'admins')).toBe(false);
  expect(claimIs({ admin: true }, 'admin', 'true')).toBe(true);
  expect(claimIs({}, 'groups', 'undefined')).toBe(false);
});

it('the userinfo endpoint is asked for what is not there', () => {
  const claims = { name: 'a', email: 'b', email_verified: false, groups: [] };
  expect(missesClaims(claims, MAPPING)).toBe(false);
  expect(missesClaims(claims, MAPPING, 'admin')).toBe(true);
  for (const name of Object.keys(claims)) expect(missesClaims({ ...claims, [name]: undefined }, MAPPING)).toBe(true);
});
