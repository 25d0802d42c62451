import { scimRefusal } from '../scim-refusal.js';
import { pathKey, type AttributePath, type Comparison, type Filter, type Literal } from './filter-syntax.js';

/**
 * An attribute as SQL: an expression without parameters, and how it is compared. `folded` text is
 * case-insensitive, `exact` is not, `time` is milliseconds since the epoch.
 */
export interface SqlAttribute {
  sql: string;
  as: 'folded' | 'exact' | 'boolean' | 'time';
}

/** An attribute with many values: what they come from (`FROM …` to `WHERE …`), and their sub-attributes by lower-case name. */
export interface SqlValues {
  some: string;
  sub: ReadonlyMap<string, SqlAttribute>;
}

/** The attributes that may be asked for, by lower-case path (`pathKey`); everything else is refused. */
export type SqlAttributes = ReadonlyMap<string, SqlAttribute | SqlValues>;

const ORDERS: Partial<Record<Comparison, string>> = { gt: '>', ge: '>=', lt: '<', le: '<=' };

/**
 * A condition for a filter. Text of the filter goes into `params` and never into the SQL; names are
 * looked up in `attributes`. An attribute that is not there fits no comparison but `ne` and `eq null`.
 * Refuses with `invalidFilter`.
 */
export function filterSql(filter: Filter, attributes: SqlAttributes, params: unknown[]): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${filter.terms.map((term) => filterSql(term, attributes, params)).join(filter.kind === 'and' ? ' AND ' : ' OR ')})`;
    case 'not':
      return `(NOT coalesce(${filterSql(filter.term, attributes, params)}, false))`;
    case 'values':
      return someValue(filter.path, filter.filter, attributes, params);
    case 'present':
    case 'compare':
      return single(filter, attributes, params);
  }
}

type Single = Extract<Filter, { kind: 'present' | 'compare' }>;

function single(filter: Single, attributes: SqlAttributes, params: unknown[]): string {
  const { path } = filter;
  const found = attributes.get(pathKey(path));
  if (found !== undefined && 'sql' in found) return condition(filter, found, params);
  const values = found ?? attributes.get(pathKey({ ...path, sub: null }));
  if (values === undefined || !('some' in values)) throw unknownAttribute(path);
  if (filter.kind === 'present' && path.sub === null) return `EXISTS (SELECT 1 ${values.some} true)`;
  const sub: Filter = { ...filter, path: { schema: null, name: path.sub ?? 'value', sub: null } };
  return `EXISTS (SELECT 1 ${values.some} ${filterSql(sub, values.sub, params)})`;
}

function someValue(path: AttributePath, filter: Filter, attributes: SqlAttributes, params: unknown[]): string {
  const values = attributes.get(pathKey(path));
  if (values === undefined || !('some' in values)) throw unknownAttribute(path);
  return `EXISTS (SELECT 1 ${values.some} ${filterSql(filter, values.sub, params)})`;
}

function condition(filter: Single, { sql, as }: SqlAttribute, params: unknown[]): string {
  if (filter.kind === 'present') return as === 'folded' || as === 'exact' ? `(${sql}) <> ''` : `(${sql}) IS NOT NULL`;
  const { op, value } = filter;
  if (value === null) return equality(op, (equal) => `(${sql}) IS ${equal ? '' : 'NOT '}NULL`);
  if (as === 'boolean') return booleanCondition(sql, op, value);
  if (as === 'time') return ordered(sql, op, numbered(params, timeOf(value), 'bigint'));
  if (typeof value !== 'string') throw scimRefusal('invalidFilter', 'This attribute is a text: compare it with a text in double quotes.');
  const param = numbered(params, value, 'text');
  return as === 'exact' ? textual(sql, op, param) : textual(`lower(${sql})`, op, `lower(${param})`);
}

function textual(sql: string, op: Comparison, param: string): string {
  if (op === 'co') return `strpos(${sql}, ${param}) > 0`;
  if (op === 'sw') return `starts_with(${sql}, ${param})`;
  if (op === 'ew') return `right(${sql}, length(${param})) = ${param}`;
  // Order by code point: the same on every server, whatever its locale.
  return op in ORDERS ? ordered(`(${sql}) COLLATE "C"`, op, param) : ordered(sql, op, param);
}

function ordered(sql: string, op: Comparison, param: string): string {
  const order = ORDERS[op];
  if (order !== undefined) return `${sql} ${order} ${param}`;
  return equality(op, (equal) => (equal ? `${sql} = ${param}` : `${sql} IS DISTINCT FROM ${param}`));
}

function booleanCondition(sql: string, op: Comparison, value: Literal): string {
  const wanted = typeof value === 'string' ? value.toLowerCase() : value;
  const isTrue = wanted === true || wanted === 'true';
  if (!isTrue && wanted !== false && wanted !== 'false') throw scimRefusal('invalidFilter', 'This attribute is true or false.');
  return equality(op, (equal) => `(${sql}) IS ${equal === isTrue ? '' : 'NOT '}TRUE`);
}

function equality(op: Comparison, write: (equal: boolean) => string): string {
  if (op !== 'eq' && op !== 'ne') throw scimRefusal('invalidFilter', `"${op}" does not fit these values.`);
  return write(op === 'eq');
}

function timeOf(value: Literal): number {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw scimRefusal('invalidFilter', 'This attribute is a time: compare it with a text like "2026-01-31T00:00:00Z".');
  return ms;
}

function numbered(params: unknown[], value: string | number, type: 'text' | 'bigint'): string {
  params.push(value);
  return `$${params.length}::${type}`;
}

function unknownAttribute(path: AttributePath): Error {
  return scimRefusal('invalidFilter', `There is no attribute "${pathKey(path).slice(0, 100)}" to filter or sort by.`);
}
