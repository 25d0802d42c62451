import { ENTERPRISE_SCHEMA } from '../discovery/schemas-table.js';
import type { SqlAttribute, SqlAttributes, SqlValues } from '../filter/filter-sql.js';

// Names below stand in SQL text: they are constants of this file and nothing else.
const kept = (...path: string[]): SqlAttribute => ({ sql: `u.attributes #>> '{${path.map((part) => `"${part}"`).join(',')}}'`, as: 'folded' });

const list = (name: string): SqlValues => ({
  some: `FROM jsonb_array_elements(CASE WHEN jsonb_typeof(u.attributes -> '${name}') = 'array' THEN u.attributes -> '${name}' ELSE '[]' END) AS v (value) WHERE`,
  sub: new Map<string, SqlAttribute>([
    ['value', { sql: `v.value ->> 'value'`, as: 'folded' }],
    ['type', { sql: `v.value ->> 'type'`, as: 'folded' }],
    ['display', { sql: `v.value ->> 'display'`, as: 'folded' }],
    ['primary', { sql: `lower(v.value ->> 'primary') = 'true'`, as: 'boolean' }],
  ]),
});

const TEXTS = ['displayName', 'nickName', 'title', 'userType', 'preferredLanguage', 'locale', 'timezone'];
const NAMES = ['formatted', 'familyName', 'givenName', 'middleName'];
const EMPLOYEE = ['employeeNumber', 'costCenter', 'organization', 'division', 'department'];
const MANAGER: SqlAttribute = {
  sql: `coalesce(u.attributes #>> '{"${ENTERPRISE_SCHEMA}","manager","value"}', u.attributes #>> '{"${ENTERPRISE_SCHEMA}","manager"}')`,
  as: 'exact',
};

const pairs = (): [string, SqlAttribute | SqlValues][] => [
  ['id', { sql: 'u.person_id', as: 'exact' }],
  ['username', { sql: 'u.user_name', as: 'folded' }],
  ['externalid', { sql: 'u.external_id', as: 'exact' }],
  ['active', { sql: `p.status = 'active'`, as: 'boolean' }],
  ['meta.created', { sql: 'u.created_at', as: 'time' }],
  ['meta.lastmodified', { sql: 'u.updated_at', as: 'time' }],
  ...TEXTS.map((name): [string, SqlAttribute] => [name.toLowerCase(), kept(name)]),
  ...NAMES.map((name): [string, SqlAttribute] => [`name.${name.toLowerCase()}`, kept('name', name)]),
  ...EMPLOYEE.map((name): [string, SqlAttribute] => [`${ENTERPRISE_SCHEMA}:${name}`.toLowerCase(), kept(ENTERPRISE_SCHEMA, name)]),
  ...['manager', `${ENTERPRISE_SCHEMA}:manager`, `${ENTERPRISE_SCHEMA}:manager.value`].map((name): [string, SqlAttribute] => [name.toLowerCase(), MANAGER]),
  ...['emails', 'phoneNumbers', 'roles'].map((name): [string, SqlValues] => [name.toLowerCase(), list(name)]),
];

/** The same attributes under the name of their core schema as well, as RFC 7644 section 3.10 allows. */
export function withSchema(schema: string, named: [string, SqlAttribute | SqlValues][]): SqlAttributes {
  return new Map(named.flatMap(([name, sql]) => (name.startsWith('urn:') ? [[name, sql]] : [[name, sql], [`${schema}:${name}`.toLowerCase(), sql]])));
}

/** What users may be filtered and sorted by; `u` is `scim_users`, `p` the person. */
export const USER_SQL: SqlAttributes = withSchema('urn:ietf:params:scim:schemas:core:2.0:User', pairs());
