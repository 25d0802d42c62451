const UUID = '019a0000-0000-7000-8000-000000000000';
const TEXTS = ['a-name', 'https://a.example/x', 'ada@a.example', ...['per', 'svc', 'tok', 'srv', 'idn', 'key', 'sec', 'cal'].map((kind) => `${kind}_${UUID}`), 'a', 'a'.repeat(43)];

/** What a JSON Schema of the document, or of a contract, says of one value. */
export type Schema = any;

/** Follows `#/…` references into the document that holds the schema. */
export function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const steps = (schema.$ref as string).slice(2).split('/');
  return resolved(steps.reduce((at, step) => at[step], root), root);
}

const chosen = (schema: Schema): Schema | undefined => schema.oneOf?.at(-1) ?? schema.anyOf?.[0];

/** A value that fits the schema, with every member that may be there; of alternatives the last variant, or what is not null. */
export function sampleOf(given: Schema, root: Schema): any {
  const schema = resolved(given, root);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const alternative = chosen(schema);
  if (alternative !== undefined) return sampleOf(alternative, root);
  if (schema.type === 'object') return Object.fromEntries(membersOf(schema).map(([name, each]) => [name, sampleOf(each, root)]));
  if (schema.type === 'array') return listOf(schema, root);
  if (schema.type === 'string') return textOf(schema);
  return { boolean: false, null: null, integer: schema.minimum > 0 ? schema.minimum : 0, number: 0 }[schema.type as string] ?? 'anything';
}

function membersOf({ properties = {}, additionalProperties: others }: Schema): [string, Schema][] {
  return [...Object.entries(properties), ...(others?.type === undefined ? [] : [['a-name', others] as [string, Schema]])];
}

function listOf(schema: Schema, root: Schema): unknown[] {
  if (schema.prefixItems !== undefined) return schema.prefixItems.map((each: Schema) => sampleOf(each, root));
  return schema.maxItems === 0 ? [] : [sampleOf(schema.items, root)];
}

function textOf({ pattern, format, minLength = 0, maxLength = Infinity }: Schema): string {
  const fits = (text: string): boolean =>
    (pattern === undefined || new RegExp(pattern, 'u').test(text)) && (format !== 'uri' || URL.canParse(text)) && text.length >= minLength && text.length <= maxLength;
  const found = TEXTS.find(fits);
  if (found === undefined) throw new Error(`no sample fits ${pattern ?? format}`);
  return found;
}

/** The JSON pointers of every object in the sample that may have no members beyond those declared. */
export function closedObjects(given: Schema, root: Schema, pointer = ''): string[] {
  const schema = resolved(given, root);
  const alternative = chosen(schema);
  if (alternative !== undefined) return closedObjects(alternative, root, pointer);
  if (schema.type === 'array' && schema.prefixItems === undefined) return closedObjects(schema.items, root, `${pointer}/0`);
  if (schema.type !== 'object') return [];
  const inside = Object.entries(schema.properties ?? {}).flatMap(([name, each]) => closedObjects(each, root, `${pointer}/${name}`));
  return schema.additionalProperties === false ? [pointer, ...inside] : inside;
}

/** A copy of the sample with one member more in the object at the pointer. */
export function withMember(sample: unknown, pointer: string, name: string): unknown {
  const copy = structuredClone(sample) as any;
  const at = pointer.split('/').slice(1).reduce((inside, step) => inside[step], copy);
  at[name] = 'x';
  return copy;
}
