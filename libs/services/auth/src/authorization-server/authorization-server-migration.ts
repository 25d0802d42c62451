import type { Migration } from '@gatehouse/persistence';

/**
 * What our authorization server keeps. Artefacts are found by the SHA-256 of their id: the id of a
 * code or a refresh token is what its bearer shows, and whoever reads the database must not have it.
 */
export const AUTHORIZATION_SERVER: Migration = {
  name: '0005_authorization_server',
  sql: `
    CREATE TABLE artefacts (
      model text NOT NULL,
      id_hash text NOT NULL,
      payload jsonb NOT NULL,
      grant_id text,
      uid_hash text,
      account_id text,
      client_id text,
      login_session text,
      consumed_at bigint,
      reissued integer NOT NULL DEFAULT 0,
      created_at bigint NOT NULL,
      used_at bigint,
      expires_at bigint,
      PRIMARY KEY (model, id_hash)
    );
    CREATE INDEX artefacts_grant ON artefacts (grant_id) WHERE grant_id IS NOT NULL;
    CREATE INDEX artefacts_uid ON artefacts (model, uid_hash) WHERE uid_hash IS NOT NULL;
    CREATE INDEX artefacts_account ON artefacts (account_id) WHERE account_id IS NOT NULL;
    CREATE INDEX artefacts_client ON artefacts (client_id) WHERE client_id IS NOT NULL;
    CREATE INDEX artefacts_session ON artefacts (login_session) WHERE login_session IS NOT NULL;
    CREATE INDEX artefacts_expiry ON artefacts (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE clients (
      id text PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('registered', 'dynamic', 'metadata-document', 'service-account')),
      name text NOT NULL,
      host text,
      status text NOT NULL CHECK (status IN ('allowed', 'waiting', 'denied')),
      require_dpop boolean NOT NULL DEFAULT false,
      metadata jsonb NOT NULL,
      document_hash text,
      created_at bigint NOT NULL,
      used_at bigint
    );
    CREATE TABLE registration_settings (
      single boolean PRIMARY KEY DEFAULT true CHECK (single),
      settings jsonb NOT NULL
    );
    CREATE TABLE denied (
      id text PRIMARY KEY,
      until bigint NOT NULL
    );
    CREATE TABLE signing_keys (
      id text PRIMARY KEY,
      state text NOT NULL CHECK (state IN ('next', 'active', 'retired')),
      public_jwk jsonb NOT NULL,
      retired_at bigint
    );
  `,
};
