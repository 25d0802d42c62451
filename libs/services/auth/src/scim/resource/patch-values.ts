import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { fits, memberName, memberOf } from '../filter/filter-match.js';
import type { Filter } from '../filter/filter-syntax.js';
import { scimRefusal } from '../scim-refusal.js';
import type { Operation } from './patch-operations.js';

/** Values of an attribute with many, chosen by a filter. */
export interface Selection {
  holder: JsonObject;
  name: string;
  sub: string | null;
  filter: Filter;
}

/** Values one attribute may have after a PATCH. */
const MOST_VALUES = 200;

/** Adds values to a list, replaces them all, or takes out those with the same `value` (as Microsoft Entra ID asks). */
export function changeValues(holder: JsonObject, name: string, { op, value }: Operation): void {
  const given = listOf(value);
  const held = op === 'replace' ? [] : listIn(holder, name);
  if (op === 'remove') return store(holder, name, held.filter((one) => !given.some((gone) => isSame(one, gone))));
  const fresh = given.filter((one) => !held.some((other) => isSameJson(one, other)));
  store(holder, name, [...held, ...fresh]);
  onePrimary(listIn(holder, name), fresh);
}

/**
 * Changes the values that fit. An `add` that nothing fits makes a value out of the filter's own
 * equalities: `phoneNumbers[type eq "mobile"].value` makes a mobile number (Microsoft Entra ID relies on
 * it). A `replace` that nothing fits is refused with `noTarget`, as RFC 7644 section 3.5.2.3 asks, unless
 * it is one of Microsoft's own.
 */
export function changeSelected({ holder, name, sub, filter }: Selection, { op, value, makesMissing }: Operation): void {
  const held = listIn(holder, name);
  const chosen = held.filter((one) => fits(filter, one));
  if (op === 'remove') return removeChosen({ holder, name, held, chosen, sub });
  if (chosen.length === 0 && !makesMissing) throw scimRefusal('noTarget', `No value of "${name}" fits the filter of the path.`);
  const changed = chosen.length === 0 ? [valueFrom(filter)] : chosen;
  const next = new Map(changed.map((one) => [one, changedValue(one, sub, op, value)]));
  const kept = held.map((one) => next.get(one) ?? one);
  store(holder, name, chosen.length === 0 ? [...kept, ...next.values()] : kept);
  onePrimary(listIn(holder, name), [...next.values()]);
}

function removeChosen(o: { holder: JsonObject; name: string; held: JsonValue[]; chosen: JsonValue[]; sub: string | null }): void {
  if (o.sub === null) return store(o.holder, o.name, o.held.filter((one) => !o.chosen.includes(one)));
  for (const one of o.chosen.filter(isJsonObject)) delete one[memberName(one, o.sub) ?? o.sub];
}

function changedValue(one: JsonValue, sub: string | null, op: Operation['op'], value: JsonValue | undefined): JsonValue {
  const object = isJsonObject(one) ? one : { value: one };
  if (sub !== null) return { ...object, [memberName(object, sub) ?? sub]: value ?? null };
  if (op === 'add' && isJsonObject(value)) return { ...object, ...value };
  return value ?? null;
}

function valueFrom(filter: Filter): JsonObject {
  if (filter.kind === 'and') return Object.assign({}, ...filter.terms.map(valueFrom)) as JsonObject;
  if (filter.kind === 'compare' && filter.op === 'eq') return { [filter.path.name]: filter.value };
  throw scimRefusal('noTarget', 'No value fits the filter of the path, and the filter does not say what a new one would be.');
}

// Setting one value primary makes the others secondary (RFC 7644 section 3.5.2).
function onePrimary(values: readonly JsonValue[], fresh: readonly JsonValue[]): void {
  const isPrimary = (value: JsonValue): boolean => isJsonObject(value) && String(memberOf(value, 'primary')).toLowerCase() === 'true';
  const primary = fresh.findLast(isPrimary);
  if (primary === undefined) return;
  for (const value of values.filter(isJsonObject)) if (value !== primary && isPrimary(value)) value[memberName(value, 'primary')!] = false;
}

function isSame(one: JsonValue, other: JsonValue): boolean {
  const [a, b] = [one, other].map((value) => (isJsonObject(value) ? memberOf(value, 'value') : value));
  return a !== undefined ? a === b : isSameJson(one, other);
}

function isSameJson(a: JsonValue, b: JsonValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, index) => isSameJson(one, b[index]!));
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isSameJson(a[name]!, b[name]!));
}

function listIn(holder: JsonObject, name: string): JsonValue[] {
  const held = Object.hasOwn(holder, name) ? holder[name] : undefined;
  return Array.isArray(held) ? held : [];
}

const listOf = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);

function store(holder: JsonObject, name: string, values: JsonValue[]): void {
  if (values.length > MOST_VALUES) throw scimRefusal('invalidValue', `"${name}" has more than ${MOST_VALUES} values.`);
  if (values.length === 0) delete holder[name];
  else holder[name] = values;
}
