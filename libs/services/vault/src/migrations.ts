import { OUTBOX_MIGRATION, type Migration } from '@gatehouse/persistence';

const KEYS: Migration = {
  name: '0001_wrapped_keys',
  sql: `
    CREATE TABLE wrapped_keys (
      id text PRIMARY KEY,
      purpose text NOT NULL,
      version integer NOT NULL CHECK (version >= 1),
      state text NOT NULL CHECK (state IN ('active', 'retired')),
      kek_id text NOT NULL,
      wrapped bytea NOT NULL,
      created_at bigint NOT NULL,
      UNIQUE (purpose, version)
    );
    CREATE UNIQUE INDEX wrapped_keys_one_active ON wrapped_keys (purpose) WHERE state = 'active';
  `,
};

// The row of a destroyed credential stays: its version goes on counting, so that no old blob ever fits again.
const CREDENTIALS: Migration = {
  name: '0002_credentials',
  sql: `
    CREATE TABLE credentials (
      identity_id text PRIMARY KEY,
      server_id text NOT NULL,
      origin text NOT NULL,
      owner text NOT NULL,
      version integer NOT NULL CHECK (version >= 0),
      destroyed boolean NOT NULL DEFAULT false,
      changed_at bigint NOT NULL
    );
    CREATE TABLE credential_fields (
      identity_id text NOT NULL REFERENCES credentials (identity_id) ON DELETE CASCADE,
      position integer NOT NULL,
      name text NOT NULL,
      secret_id text NOT NULL UNIQUE,
      blob bytea NOT NULL,
      PRIMARY KEY (identity_id, position)
    );
  `,
};

// A key that signs tokens is published before it signs, and verifies for a while after it was retired.
const NEXT_KEYS: Migration = {
  name: '0003_next_keys',
  sql: `
    ALTER TABLE wrapped_keys
      DROP CONSTRAINT wrapped_keys_state_check,
      ADD CONSTRAINT wrapped_keys_state_check CHECK (state IN ('next', 'active', 'retired')),
      ADD COLUMN retired_at bigint;
    CREATE UNIQUE INDEX wrapped_keys_one_next ON wrapped_keys (purpose) WHERE state = 'next';
  `,
};

// Without a blob once it is destroyed: the version goes on counting, as that of credentials does.
const SERVICE_SECRETS: Migration = {
  name: '0004_service_secrets',
  sql: `
    CREATE TABLE service_secrets (
      owner text NOT NULL,
      secret_id text NOT NULL,
      purpose text NOT NULL,
      version integer NOT NULL CHECK (version >= 0),
      blob bytea,
      changed_at bigint NOT NULL,
      PRIMARY KEY (owner, secret_id)
    );
  `,
};

/** Schema of the vault's database, in order. */
export const VAULT_MIGRATIONS: readonly Migration[] = [OUTBOX_MIGRATION, KEYS, CREDENTIALS, NEXT_KEYS, SERVICE_SECRETS];
