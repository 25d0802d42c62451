/**
 * First keys of PostgreSQL's two-part advisory locks; the second is the hash of the schema, so that
 * services that share a database do not wait for each other.
 */
export const ADVISORY_LOCKS = { migrate: 7_100, outboxWrite: 7_101, outboxRelay: 7_102 } as const;
