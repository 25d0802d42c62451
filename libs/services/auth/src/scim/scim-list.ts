import type { JsonObject } from '@gatehouse/kernel';
import { filterSql, type SqlAttributes } from './filter/filter-sql.js';
import { attributePath } from './filter/attribute-path.js';
import { pathKey, type Filter } from './filter/filter-syntax.js';
import { scimRefusal } from './scim-refusal.js';

/** What a list was asked for with. */
export interface ListQuery {
  filter: Filter | undefined;
  /** The first one, counted from 1. */
  startIndex: number;
  count: number;
  sortBy: string | undefined;
  descending: boolean;
}

/** A page of a list. */
export interface Listing {
  total: number;
  resources: JsonObject[];
}

/** SQL of a list: what to choose by, in which order, and the parameters of both. */
export interface ListSql {
  where: string;
  order: string;
  params: unknown[];
}

/** How a kind of resource is listed. */
export interface Listable {
  attributes: SqlAttributes;
  /** Condition that always holds. */
  always: string;
  /** Order without wish, and among equals: the same for every page. */
  order: string;
}

/** The SQL of a list; refuses what may not be asked for. */
export function listSql({ filter, sortBy, descending }: ListQuery, { attributes, always, order }: Listable): ListSql {
  const params: unknown[] = [];
  const where = filter === undefined ? always : `${always} AND ${filterSql(filter, attributes, params)}`;
  const by = sortBy === undefined ? '' : `${sortSql(sortBy, attributes)} ${descending ? 'DESC NULLS FIRST' : 'ASC NULLS LAST'}, `;
  return { where, order: `${by}${order}`, params };
}

function sortSql(sortBy: string, attributes: SqlAttributes): string {
  const found = attributes.get(pathKey(attributePath(sortBy, 'invalidPath')));
  if (found === undefined || !('sql' in found)) throw scimRefusal('invalidPath', `Lists cannot be sorted by "${sortBy.slice(0, 100)}".`);
  return found.as === 'folded' ? `lower(${found.sql})` : found.sql;
}
