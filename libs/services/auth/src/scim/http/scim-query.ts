import { parseFilter } from '../filter/parse-filter.js';
import { projectionOf, type Projection } from '../resource/projection.js';
import type { ListQuery } from '../scim-list.js';
import { scimRefusal } from '../scim-refusal.js';

/** Resources on one page, without wish and at most. */
export const PAGE = { usual: 100, most: 200 } as const;

type Query = Readonly<Record<string, unknown>>;

/** Reads what a list is asked for with (RFC 7644 section 3.4.2). Refuses `invalidFilter` and `invalidValue`. */
export function listQuery(query: unknown): ListQuery {
  const given = query as Query;
  const filter = text(given, 'filter');
  const count = number(given, 'count') ?? PAGE.usual;
  return {
    filter: filter === undefined ? undefined : parseFilter(filter),
    startIndex: Math.max(1, number(given, 'startIndex') ?? 1),
    count: Math.min(PAGE.most, Math.max(0, count)),
    sortBy: text(given, 'sortBy'),
    descending: text(given, 'sortOrder')?.toLowerCase() === 'descending',
  };
}

/** Reads which attributes are wanted. */
export function projectionIn(query: unknown): Projection {
  return projectionOf(text(query as Query, 'attributes'), text(query as Query, 'excludedAttributes'));
}

function text(query: Query, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value === '' ? undefined : value;
  throw scimRefusal('invalidValue', `The parameter "${name}" stands twice.`);
}

function number(query: Query, name: string): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  if (!/^-?\d{1,9}$/.test(value)) throw scimRefusal('invalidValue', `The parameter "${name}" must be a whole number.`);
  return Number(value);
}
