import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { memberOf } from '../filter/filter-match.js';
import { scimRefusal } from '../scim-refusal.js';

/** One step of a PATCH on one path. */
export interface Operation {
  op: 'add' | 'replace' | 'remove';
  path: string;
  value: JsonValue | undefined;
  /** It named no path but listed attributes: what is ours to say is passed over instead of refused. */
  listed: boolean;
  /** Whether a value that the path's filter does not find is made; else such a `replace` is refused. */
  makesMissing: boolean;
}

/**
 * Microsoft Entra ID, unless told to keep to the RFC, capitalises its operations and replaces what is
 * not there yet: `emails[type eq "work"].value` of somebody who had no address.
 */
const ENTRA_REPLACE = 'Replace';

/** Operations that one request may have; a list of members is one. */
export const MOST_OPERATIONS = 1_000;

/**
 * Reads the body of a PATCH (RFC 7644 section 3.5.2). `op` in any case, as directories send it; an
 * operation without a path becomes one per attribute of its value. Refuses with `invalidSyntax`,
 * `invalidValue`, `noTarget` (remove without a path) and `tooMany`.
 */
export function readOperations(body: JsonObject): Operation[] {
  const listed = memberOf(body, 'Operations');
  if (!Array.isArray(listed) || listed.length === 0) throw scimRefusal('invalidSyntax', 'A PATCH needs a list of Operations.');
  if (listed.length > MOST_OPERATIONS) throw tooMany();
  const operations = listed.flatMap(readOperation);
  if (operations.length > MOST_OPERATIONS) throw tooMany();
  return operations;
}

function readOperation(given: JsonValue): Operation[] {
  if (!isJsonObject(given)) throw scimRefusal('invalidSyntax', 'An operation must be an object.');
  const spelling = String(memberOf(given, 'op'));
  const op = readOp(spelling);
  const path = memberOf(given, 'path') ?? '';
  const value = memberOf(given, 'value');
  if (typeof path !== 'string') throw scimRefusal('invalidPath', 'A path must be a text.');
  if (path === '') return readListed(op, value);
  if (value === undefined && op !== 'remove') throw scimRefusal('invalidValue', `The operation on "${path.slice(0, 100)}" has no value.`);
  return [{ op, path, value, listed: false, makesMissing: op === 'add' || spelling === ENTRA_REPLACE }];
}

function readOp(spelling: string): Operation['op'] {
  const op = spelling.toLowerCase();
  if (op !== 'add' && op !== 'replace' && op !== 'remove') throw scimRefusal('invalidSyntax', 'The "op" of an operation is add, replace or remove.');
  return op;
}

function readListed(op: Operation['op'], value: JsonValue | undefined): Operation[] {
  if (op === 'remove') throw scimRefusal('noTarget', 'A remove needs a path.');
  if (!isJsonObject(value)) throw scimRefusal('invalidValue', 'An operation without a path needs an object of attributes as its value.');
  return Object.entries(value).map(([path, one]) => ({ op, path, value: one, listed: true, makesMissing: op === 'add' }));
}

function tooMany(): Error {
  return scimRefusal('tooMany', `A PATCH may have at most ${MOST_OPERATIONS} operations.`);
}
