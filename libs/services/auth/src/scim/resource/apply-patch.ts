import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { OURS, type SchemaAttribute } from '../discovery/schemas-table.js';
import { memberName } from '../filter/filter-match.js';
import { parseValuePath } from '../filter/parse-filter.js';
import type { AttributePath, Filter } from '../filter/filter-syntax.js';
import { scimRefusal } from '../scim-refusal.js';
import type { KnownAttributes } from './attribute-names.js';
import type { Operation } from './patch-operations.js';
import { changeSelected, changeValues } from './patch-values.js';

/** Where an operation works. */
interface Target {
  /** The object that has the attribute: the resource, or one of its extensions. */
  holder: JsonObject;
  name: string;
  sub: string | null;
  filter: Filter | null;
  multiValued: boolean;
  required: boolean;
}

const CORE = /^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group)$/i;

/**
 * A resource after operations, in their order (RFC 7644 section 3.5.2); the one given stays as it is.
 * What it says of types is checked when the result is read. Refuses with `invalidPath`, `noTarget`
 * (replacing a value that no value fits) and `mutability` (what is ours to say).
 */
export function applyPatch(resource: JsonObject, operations: readonly Operation[], known: KnownAttributes): JsonObject {
  const patched = structuredClone(resource);
  for (const operation of operations) applyOne(patched, operation, known);
  return patched;
}

function applyOne(resource: JsonObject, operation: Operation, known: KnownAttributes): void {
  const target = locate(resource, operation, known);
  if (target.holder === resource && OURS.has(target.name.toLowerCase())) return refuseOurs(target, operation);
  const { holder, name, sub, filter, multiValued, required } = target;
  if (required && operation.op === 'remove') throw scimRefusal('mutability', `"${name}" is required and cannot be removed.`);
  if (filter !== null) return changeSelected({ holder, name, sub, filter }, operation);
  if (sub !== null) return changeSub(target, operation);
  if (operation.op === 'remove' && operation.value === undefined) return void delete holder[name];
  if (multiValued) return changeValues(holder, name, operation);
  changeWhole(holder, name, operation);
}

function locate(resource: JsonObject, { path }: Operation, known: KnownAttributes): Target {
  const whole = known.get(path.toLowerCase())?.name ?? memberName(resource, path);
  if (whole !== undefined) return target(resource, { schema: null, name: whole, sub: null }, null, known);
  const { attribute, filter } = parseValuePath(path);
  if (attribute.schema === null || CORE.test(attribute.schema)) return target(resource, attribute, filter, known);
  const { holder, below } = extension(resource, attribute.schema, known);
  return target(holder, attribute, filter, below);
}

function extension(resource: JsonObject, schema: string, known: KnownAttributes): { holder: JsonObject; below: KnownAttributes } {
  const described = known.get(schema.toLowerCase());
  const holder = objectAt(resource, described?.name ?? memberName(resource, schema) ?? schema);
  return { holder, below: new Map(described?.subAttributes?.map((one): [string, SchemaAttribute] => [one.name.toLowerCase(), one])) };
}

function target(holder: JsonObject, { name, sub }: AttributePath, filter: Filter | null, known: KnownAttributes): Target {
  const described = known.get(name.toLowerCase());
  const spelling = described?.name ?? memberName(holder, name) ?? name;
  const multiValued = described?.multiValued ?? Array.isArray(own(holder, spelling));
  return { holder, name: spelling, sub: sub === null ? null : subName(described, sub), filter, multiValued, required: described?.required === true };
}

function subName(described: SchemaAttribute | undefined, sub: string): string {
  return described?.subAttributes?.find(({ name }) => name.toLowerCase() === sub.toLowerCase())?.name ?? sub;
}

/** Only own members count, so that no prototype is ever reached. */
function own(holder: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

function refuseOurs({ name }: Target, { listed }: Operation): void {
  if (!listed && name.toLowerCase() !== 'password') throw scimRefusal('mutability', `"${name}" cannot be changed.`);
}

function changeSub({ holder, name, sub, multiValued }: Target, { op, value }: Operation): void {
  const objects = multiValued || op === 'remove' ? objectsIn(holder, name) : [objectAt(holder, name)];
  for (const object of objects) setMember(object, sub!, op === 'remove' ? undefined : value);
}

function changeWhole(holder: JsonObject, name: string, { op, value }: Operation): void {
  if (op === 'remove') return void delete holder[name];
  const held = own(holder, name);
  if (!isJsonObject(value) || !isJsonObject(held) || op === 'replace') return setMember(holder, name, value);
  for (const [key, one] of Object.entries(value)) setMember(held, memberName(held, key) ?? key, one);
}

function objectsIn(holder: JsonObject, name: string): JsonObject[] {
  const held = own(holder, name);
  return (Array.isArray(held) ? held : [held]).filter(isJsonObject);
}

/** The object under a name, made when there is none. */
function objectAt(holder: JsonObject, name: string): JsonObject {
  const held = own(holder, name);
  if (isJsonObject(held)) return held;
  const made: JsonObject = {};
  holder[name] = made;
  return made;
}

function setMember(object: JsonObject, name: string, value: JsonValue | undefined): void {
  const key = memberName(object, name) ?? name;
  if (value === undefined || value === null) delete object[key];
  else object[key] = value;
}
