import type { JsonObject, JsonValue } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';
import { applyPatch } from './apply-patch.js';
import { USER_ATTRIBUTES } from './attribute-names.js';
import { readOperations } from './patch-operations.js';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const WORK = { value: 'a@work.example', type: 'work', primary: true };
const HOME = { value: 'a@home.example', type: 'home' };
const ADA: JsonObject = { userName: 'ada', title: 'Dr', name: { givenName: 'Ada', familyName: 'L' }, emails: [WORK, HOME], [ENTERPRISE]: { department: 'R', manager: { value: '1' } } };

const patched = (...Operations: JsonValue[]): JsonObject => applyPatch(ADA, readOperations({ Operations }), USER_ATTRIBUTES);

describe('operations of RFC 7644 section 3.5.2', () => {
  it.each<[string, JsonValue, JsonObject]>([
    ['add sets a single value', { op: 'add', path: 'title', value: 'Mx' }, { title: 'Mx' }],
    ['add merges into a complex value', { op: 'add', path: 'name', value: { middleName: 'B' } }, { name: { givenName: 'Ada', familyName: 'L', middleName: 'B' } }],
    ['add appends to a list', { op: 'add', path: 'emails', value: [{ value: 'x@y.example' }] }, { emails: [WORK, HOME, { value: 'x@y.example' }] }],
    ['add takes one value for a list of one', { op: 'add', path: 'emails', value: { value: 'x@y.example' } }, { emails: [WORK, HOME, { value: 'x@y.example' }] }],
    ['add of what is there changes nothing', { op: 'add', path: 'emails', value: [HOME] }, {}],
    ['a new primary makes the others secondary', { op: 'add', path: 'emails', value: [{ value: 'x@y.example', primary: true }] }, { emails: [{ ...WORK, primary: false }, HOME, { value: 'x@y.example', primary: true }] }],
    ['so does making one primary', { op: 'replace', path: 'emails[type eq "home"].primary', value: true }, { emails: [{ ...WORK, primary: false }, { ...HOME, primary: true }] }],
    ['replace replaces a complex value', { op: 'replace', path: 'name', value: { givenName: 'B' } }, { name: { givenName: 'B' } }],
    ['replace replaces a list', { op: 'replace', path: 'emails', value: [HOME] }, { emails: [HOME] }],
    ['replace without a path', { op: 'replace', value: { title: 'X', NAME: { givenName: 'B' }, groups: [], schemas: ['x'], id: 'y', meta: {} } }, { title: 'X', name: { givenName: 'B' } }],
    ['names in any case', { op: 'REPLACE', path: 'NAME.GIVENNAME', value: 'B' }, { name: { givenName: 'B', familyName: 'L' } }],
    ['values by filter', { op: 'replace', path: 'emails[type eq "home"].value', value: 'n@home.example' }, { emails: [WORK, { ...HOME, value: 'n@home.example' }] }],
    ['a whole value by filter', { op: 'replace', path: 'emails[type eq "home"]', value: { value: 'n@n.example' } }, { emails: [WORK, { value: 'n@n.example' }] }],
    ['several filters', { op: 'remove', path: 'emails[type eq "home" and value ew "home.example"]' }, { emails: [WORK] }],
    ['remove of a sub-attribute by filter', { op: 'remove', path: 'emails[type eq "home"].type' }, { emails: [WORK, { value: 'a@home.example' }] }],
    ['remove that nothing fits changes nothing', { op: 'remove', path: 'emails[type eq "fax"]' }, {}],
    ['remove of listed values', { op: 'remove', path: 'emails', value: [{ value: 'a@home.example' }] }, { emails: [WORK] }],
    ['an extension by name', { op: 'add', path: `${ENTERPRISE}:costCenter`, value: '7' }, { [ENTERPRISE]: { department: 'R', manager: { value: '1' }, costCenter: '7' } }],
    ['an extension as a whole', { op: 'add', path: ENTERPRISE, value: { department: 'S' } }, { [ENTERPRISE]: { department: 'S', manager: { value: '1' } } }],
    ['a sub-attribute of an extension', { op: 'replace', path: `${ENTERPRISE.toUpperCase()}:manager.value`, value: '2' }, { [ENTERPRISE]: { department: 'R', manager: { value: '2' } } }],
    ['the core schema by name', { op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:title', value: 'X' }, { title: 'X' }],
    ['an extension nobody told us of', { op: 'add', path: 'urn:corp:2.0:User:badge', value: 7 }, { 'urn:corp:2.0:User': { badge: 7 } }],
    ['an attribute nobody told us of', { op: 'add', path: 'shoe.size', value: 7 }, { shoe: { size: 7 } }],
    ['a value of null takes away', { op: 'replace', path: 'name.familyName', value: null }, { name: { givenName: 'Ada' } }],
  ])('%s', (_name, operation, changed) => {
    expect(patched(operation)).toEqual({ ...ADA, ...changed });
  });

  it('remove takes away what it names, and an empty list with it', () => {
    const { title: _title, emails: _emails, ...rest } = ADA;
    expect(patched({ op: 'remove', path: 'title' }, { op: 'remove', path: 'emails[value pr]' })).toEqual(rest);
  });

  it('works in order, on a copy', () => {
    const before = structuredClone(ADA);
    expect(patched({ op: 'add', path: 'title', value: 'A' }, { op: 'add', path: 'title', value: 'B' })['title']).toBe('B');
    expect(ADA).toEqual(before);
  });

  it('makes a value out of the filter where it says what the value is', () => {
    expect(patched({ op: 'add', path: 'emails[type eq "other" and primary eq false].value', value: 'o@o.example' })['emails']).toEqual([WORK, HOME, { type: 'other', primary: false, value: 'o@o.example' }]);
    expect(() => patched({ op: 'add', path: 'emails[type ne "work" and type ne "home"].value', value: 'x' })).toThrow();
  });
});
