import type { Migration } from '@gatehouse/persistence';

/** Grants that came of a token exchange name what they came from, so that they end with it. */
export const DERIVED_GRANTS: Migration = {
  name: '0009_derived_grants',
  sql: `
    ALTER TABLE artefacts ADD COLUMN sources text[];
    CREATE INDEX artefacts_sources ON artefacts USING gin (sources) WHERE sources IS NOT NULL;
  `,
};
