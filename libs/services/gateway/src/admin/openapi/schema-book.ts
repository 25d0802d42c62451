import { Fault, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { z } from 'zod';
import { NAMES } from './named-schemas.js';

/** Zod refers from schema to schema so; OpenAPI keeps them under `components`. */
const DEFS = '#/$defs/';
const COMPONENTS = '#/components/schemas/';

/** Writes zod schemas as JSON Schema and gathers the named ones. */
export class SchemaBook {
  readonly #named = new Map<string, JsonObject>();

  /** A schema as it is sent (`input`) or answered (`output`). */
  write(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const { $schema: _dialect, $defs = {}, ...json } = z.toJSONSchema(schema, { io, metadata: NAMES, unrepresentable: 'any' }) as JsonObject;
    for (const [name, text] of Object.entries($defs as JsonObject)) {
      if (!isAnyJson(name)) this.#keep(name, moved(text) as JsonObject);
    }
    return moved(json) as JsonObject;
  }

  /** The named schemas by name, in the order of the alphabet. */
  components(): JsonObject {
    return Object.fromEntries([...this.#named].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  // Defaults make what may be sent differ from what is answered: then it needs two names.
  #keep(name: string, schema: JsonObject): void {
    const known = this.#named.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) throw new Fault(`the schema ${name} is sent and answered in two shapes`);
    this.#named.set(name, schema);
  }
}

// The only schemas of ours that refer to themselves are `z.json()`.
function isAnyJson(name: string): boolean {
  return name.startsWith('__');
}

function moved(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value !== 'object' || value === null) return value;
  const { $ref } = value;
  if (typeof $ref !== 'string' || !$ref.startsWith(DEFS)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, moved(each!)]));
  const name = $ref.slice(DEFS.length);
  return isAnyJson(name) ? {} : { ...value, $ref: COMPONENTS + name };
}
