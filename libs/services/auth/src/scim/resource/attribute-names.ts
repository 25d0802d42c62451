import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { SCHEMAS, type Schema, type SchemaAttribute } from '../discovery/schemas-table.js';
import { scimRefusal } from '../scim-refusal.js';

/** Attributes of one kind of resource by lower-case name; extensions by their lower-case schema. */
export type KnownAttributes = ReadonlyMap<string, SchemaAttribute>;

const byName = (attributes: readonly SchemaAttribute[]): Map<string, SchemaAttribute> =>
  new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), attribute]));

const COMMON = { type: 'string', multiValued: false } as SchemaAttribute;

function known(core: Schema, extensions: readonly Schema[]): KnownAttributes {
  const attributes = byName(core.attributes).set('externalid', { ...COMMON, name: 'externalId' });
  for (const { id, attributes: subAttributes } of extensions) attributes.set(id.toLowerCase(), { ...COMMON, name: id, type: 'complex', subAttributes });
  return attributes;
}

const [USER, GROUP, ENTERPRISE] = SCHEMAS as [Schema, Schema, Schema];

/** What a user may have. */
export const USER_ATTRIBUTES = known(USER, [ENTERPRISE]);
/** What a group may have. */
export const GROUP_ATTRIBUTES = known(GROUP, []);

/**
 * The same object with its known attributes spelled as the schema spells them, so that one name never
 * stands twice; unknown attributes stay as they are, and null is the same as nothing (RFC 7643 section
 * 2.5). Refuses with `invalidSyntax` a name that stands twice, and with `invalidValue` a known
 * attribute of the wrong type.
 */
export function spelled(object: JsonObject, attributes: KnownAttributes): JsonObject {
  const seen = new Set<string>();
  const pairs = Object.entries(object).map(([name, value]): [string, JsonValue] => {
    const key = name.toLowerCase();
    if (seen.has(key)) throw scimRefusal('invalidSyntax', `"${name.slice(0, 100)}" stands twice, spelled differently.`);
    seen.add(key);
    const attribute = attributes.get(key);
    return attribute === undefined ? [name, value] : [attribute.name, spelledValue(value, attribute)];
  });
  return Object.fromEntries(pairs.filter(([, value]) => value !== null));
}

function spelledValue(value: JsonValue, attribute: SchemaAttribute): JsonValue {
  if (value === null) return null;
  if (!attribute.multiValued) return spelledOne(value, attribute);
  if (!Array.isArray(value)) throw wrongType(attribute, 'a list');
  return value.map((one) => spelledOne(one, attribute));
}

function spelledOne(value: JsonValue, attribute: SchemaAttribute): JsonValue {
  const { type, subAttributes = [], multiValued } = attribute;
  if (type === 'complex') {
    // `manager` comes as the bare id from some directories.
    if (typeof value === 'string' && (multiValued || attribute.name === 'manager')) return value;
    if (!isJsonObject(value)) throw wrongType(attribute, 'an object');
    return spelled(value, byName(subAttributes));
  }
  if (type === 'string' && typeof value !== 'string') throw wrongType(attribute, 'a text');
  return value;
}

function wrongType({ name }: SchemaAttribute, wanted: string): Error {
  return scimRefusal('invalidValue', `"${name}" must be ${wanted}.`);
}
