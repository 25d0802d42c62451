/** A comparison of RFC 7644 section 3.4.2.2, table 3. */
export type Comparison = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';

/** What an attribute is compared with. */
export type Literal = string | number | boolean | null;

/** Names an attribute: `urn:…:User:manager.value` is schema, name and sub-attribute; spelled as it came. */
export interface AttributePath {
  schema: string | null;
  name: string;
  sub: string | null;
}

/** A parsed filter. `values` is `name[…]`: some value of the attribute fits the inner filter. */
export type Filter =
  | { kind: 'and' | 'or'; terms: [Filter, Filter] }
  | { kind: 'not'; term: Filter }
  | { kind: 'present'; path: AttributePath }
  | { kind: 'compare'; path: AttributePath; op: Comparison; value: Literal }
  | { kind: 'values'; path: AttributePath; filter: Filter };

/** Where a PATCH operation works: an attribute, the values of it that fit, or a sub-attribute of those. */
export interface ValuePath {
  attribute: AttributePath;
  filter: Filter | null;
}

/** `name` or `schema:name`, with `.sub`, in lower case: attribute names are case-insensitive (RFC 7643 section 2.1). */
export function pathKey({ schema, name, sub }: AttributePath): string {
  return [...(schema === null ? [] : [`${schema}:`]), name, ...(sub === null ? [] : [`.${sub}`])].join('').toLowerCase();
}
