import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { scimRefusal } from '../scim-refusal.js';
import type { Comparison, Filter, Literal } from './filter-syntax.js';

/** The name under which an object has a member, whatever its case; undefined for none. Own members only. */
export function memberName(object: JsonObject, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return Object.keys(object).find((key) => key.toLowerCase() === wanted);
}

/** A member by its name, whatever its case. */
export function memberOf(object: JsonObject, name: string): JsonValue | undefined {
  const key = memberName(object, name);
  return key === undefined ? undefined : object[key];
}

/** Whether one value of an attribute fits a filter: the values that a PATCH path selects. Text is compared without case. */
export function fits(filter: Filter, value: JsonValue): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.terms.every((term) => fits(term, value));
    case 'or':
      return filter.terms.some((term) => fits(term, value));
    case 'not':
      return !fits(filter.term, value);
    case 'present':
      return isPresent(read(value, filter.path.name));
    case 'compare':
      return compares(read(value, filter.path.name), filter.op, filter.value);
    case 'values':
      throw scimRefusal('invalidPath', 'A filter inside a path has no brackets of its own.');
  }
}

function read(value: JsonValue, name: string): JsonValue | undefined {
  if (isJsonObject(value)) return memberOf(value, name);
  return name.toLowerCase() === 'value' ? value : undefined;
}

const isPresent = (value: JsonValue | undefined): boolean => value !== undefined && value !== null && value !== '';

function compares(value: JsonValue | undefined, op: Comparison, wanted: Literal): boolean {
  const [left, right] = [folded(value ?? null), folded(wanted)];
  if (op === 'eq') return left === right;
  if (op === 'ne') return left !== right;
  if (typeof left !== typeof right || left === null || right === null) return false;
  if (typeof left === 'string' && typeof right === 'string') return comparesText(left, op, right);
  return ordered(left, op, right);
}

function comparesText(left: string, op: Comparison, right: string): boolean {
  if (op === 'co') return left.includes(right);
  if (op === 'sw') return left.startsWith(right);
  return op === 'ew' ? left.endsWith(right) : ordered(left, op, right);
}

function ordered<T extends string | number | boolean>(left: T, op: Comparison, right: T): boolean {
  if (op === 'gt') return left > right;
  if (op === 'ge') return left >= right;
  return op === 'lt' ? left < right : op === 'le' && left <= right;
}

// "True" of a directory is true: several send booleans as text.
function folded(value: JsonValue): string | number | boolean | null {
  if (typeof value !== 'string') return typeof value === 'object' ? null : value;
  const text = value.toLowerCase();
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
