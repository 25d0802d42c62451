import type { Migration } from '@gatehouse/persistence';

/** Authorization servers of the company's whose access tokens edges accept, with the keys they were last seen with. */
export const TOKEN_ISSUERS: Migration = {
  name: '0008_token_issuers',
  sql: `
    CREATE TABLE token_issuers (
      name text PRIMARY KEY,
      issuer text NOT NULL UNIQUE,
      settings jsonb NOT NULL,
      keys jsonb NOT NULL,
      keys_fetched_at bigint NOT NULL,
      keys_tried_at bigint NOT NULL,
      created_at bigint NOT NULL
    );
  `,
};
