import { OUTBOX_MIGRATION, type Migration } from '@gatehouse/persistence';
import { AUTHORIZATION_SERVER } from './authorization-server/authorization-server-migration.js';
import { DERIVED_GRANTS } from './authorization-server/derived-grants-migration.js';
import { HAND_OVER } from './hand-over/hand-over-migration.js';
import { IDENTITIES } from './identities/identities-migration.js';
import { CALLERS } from './people/callers-migration.js';
import { SCIM } from './scim/scim-migration.js';
import { SIGN_IN } from './sign-in/sign-in-migration.js';
import { TOKEN_ISSUERS } from './token-issuers/token-issuers-migration.js';
import { UPSTREAMS } from './upstreams/upstreams-migration.js';

const PEOPLE: Migration = {
  name: '0001_people',
  sql: `
    CREATE TABLE people (
      id text PRIMARY KEY,
      name text NOT NULL,
      email text,
      roles text[] NOT NULL,
      teams text[] NOT NULL,
      status text NOT NULL CHECK (status IN ('active', 'disabled')),
      built_in boolean NOT NULL DEFAULT false,
      created_at bigint NOT NULL
    );
    CREATE UNIQUE INDEX people_email ON people (lower(email));
    CREATE UNIQUE INDEX people_one_built_in ON people (built_in) WHERE built_in;
  `,
};

// The digest alone: whoever reads the database cannot use what it holds.
const TOKENS: Migration = {
  name: '0002_tokens',
  sql: `
    CREATE TABLE tokens (
      id text PRIMARY KEY,
      person_id text NOT NULL REFERENCES people (id),
      name text NOT NULL,
      scopes text[] NOT NULL,
      digest text NOT NULL UNIQUE,
      created_at bigint NOT NULL,
      expires_at bigint,
      revoked_at bigint
    );
    CREATE INDEX tokens_person ON tokens (person_id);
  `,
};

const DIRECTORY_STATE: Migration = {
  name: '0003_directory_state',
  sql: `
    CREATE TABLE directory_state (
      single boolean PRIMARY KEY DEFAULT true CHECK (single),
      epoch text NOT NULL,
      version bigint NOT NULL
    );
    INSERT INTO directory_state (epoch, version) VALUES (gen_random_uuid()::text, 0);
  `,
};

/** Schema of auth's database, in order. */
export const AUTH_MIGRATIONS: readonly Migration[] = [
  OUTBOX_MIGRATION,
  PEOPLE,
  TOKENS,
  DIRECTORY_STATE,
  CALLERS,
  AUTHORIZATION_SERVER,
  SIGN_IN,
  SCIM,
  TOKEN_ISSUERS,
  DERIVED_GRANTS,
  IDENTITIES,
  UPSTREAMS,
  HAND_OVER,
];
