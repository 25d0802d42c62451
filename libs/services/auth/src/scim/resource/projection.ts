import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { attributePath } from '../filter/attribute-path.js';
import { scimRefusal } from '../scim-refusal.js';

/** Which attributes an answer has (RFC 7644 section 3.9): paths as lower-case names, one below the other. */
export interface Projection {
  only: readonly string[][] | undefined;
  except: readonly string[][];
}

const MOST_PATHS = 100;
const ALWAYS = new Set(['schemas', 'id']);
const CORE = /^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group)$/;

/** Reads `attributes` and `excludedAttributes`. Refuses both at once, and what is no list of names. */
export function projectionOf(attributes: string | undefined, excluded: string | undefined): Projection {
  if (attributes && excluded) throw scimRefusal('invalidValue', 'Ask with attributes or with excludedAttributes, not with both.');
  return { only: attributes ? paths(attributes) : undefined, except: excluded ? paths(excluded) : [] };
}

/** Whether an answer shows any of an attribute. */
export function shows({ only, except }: Projection, name: string): boolean {
  if (except.some((path) => path.length === 1 && path[0] === name)) return false;
  return only === undefined || only.some(([first]) => first === name);
}

/** The resource with what was asked for; `id` and `schemas` are always there. */
export function projected(resource: JsonObject, { only, except }: Projection): JsonObject {
  const kept = only === undefined ? resource : pick(resource, [...only, ...[...ALWAYS].map((name) => [name])]);
  return omit(kept, except.filter(([first = '']) => !ALWAYS.has(first)));
}

function paths(list: string): string[][] {
  const names = list.split(',').map((name) => name.trim()).filter((name) => name !== '');
  if (names.length > MOST_PATHS) throw scimRefusal('invalidValue', `More than ${MOST_PATHS} attributes were named.`);
  return names.flatMap(pathsOf);
}

// `urn:…:2.0:User` may be an extension as a whole or an attribute "User" of a schema: both are looked for.
function pathsOf(text: string): string[][] {
  const { schema, name, sub } = attributePath(text, 'invalidValue');
  const below = [name, ...(sub === null ? [] : [sub])].map((part) => part.toLowerCase());
  if (schema === null || CORE.test(schema.toLowerCase())) return [below];
  return [[schema.toLowerCase(), ...below], [text.toLowerCase()]];
}

function pick(value: JsonObject, wanted: readonly string[][]): JsonObject {
  return mapped(value, wanted, (part, below) => (below.length === 0 ? undefined : below.some((path) => path.length === 0) ? part : within(part, (inner) => pick(inner, below))));
}

function omit(value: JsonObject, unwanted: readonly string[][]): JsonObject {
  return mapped(value, unwanted, (part, below) => (below.length === 0 ? part : below.some((path) => path.length === 0) ? undefined : within(part, (inner) => omit(inner, below))));
}

function mapped(value: JsonObject, paths: readonly string[][], change: (part: JsonValue, below: string[][]) => JsonValue | undefined): JsonObject {
  const pairs = Object.entries(value).flatMap(([name, part]): [string, JsonValue][] => {
    const below = paths.filter(([first]) => first === name.toLowerCase()).map((path) => path.slice(1));
    const changed = change(part, below);
    return changed === undefined ? [] : [[name, changed]];
  });
  return Object.fromEntries(pairs);
}

function within(value: JsonValue, change: (inner: JsonObject) => JsonObject): JsonValue {
  if (Array.isArray(value)) return value.map((one) => within(one, change));
  return isJsonObject(value) ? change(value) : value;
}
