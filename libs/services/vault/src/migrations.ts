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

// Where keys are moved to another key-encryption key and secrets to another data key; the blob's own
// header says which one it is under (4 bytes after format and algorithm), so that no column can be forged.
const ROTATIONS: Migration = {
  name: '0005_rotations',
  sql: `
    ALTER TABLE wrapped_keys ADD COLUMN kek_version text NOT NULL DEFAULT '';
    CREATE TABLE rotations (
      what text PRIMARY KEY,
      target text NOT NULL,
      started_at bigint NOT NULL,
      total integer NOT NULL,
      moved integer NOT NULL DEFAULT 0,
      failed integer NOT NULL DEFAULT 0,
      finished_at bigint
    );
    CREATE INDEX credential_fields_key_version ON credential_fields (substring(blob FROM 6 FOR 4));
    CREATE INDEX service_secrets_key_version ON service_secrets (substring(blob FROM 6 FOR 4)) WHERE blob IS NOT NULL;
  `,
};

// Without an end: all credentials of before this. A blob is bound to what stands here, as it is to the rest of its row.
const EXPIRY: Migration = {
  name: '0006_credential_expiry',
  sql: `ALTER TABLE credentials ADD COLUMN expires_at bigint;`,
};

/** Schema of the vault's database, in order. */
export const VAULT_MIGRATIONS: readonly Migration[] = [OUTBOX_MIGRATION, KEYS, CREDENTIALS, NEXT_KEYS, SERVICE_SECRETS, ROTATIONS, EXPIRY];
