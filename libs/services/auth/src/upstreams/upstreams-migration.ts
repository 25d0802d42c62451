import type { Migration } from '@gatehouse/persistence';

/**
 * How servers are signed in to. Client secrets stand here as ids of secrets in the vault; a link's
 * ticket and the state of a sign-in under way as SHA-256 only. A client is bound to the issuer it was
 * made at and used at no other.
 */
export const UPSTREAMS: Migration = {
  name: '0011_upstreams',
  sql: `
    CREATE TABLE upstream_oauth (
      server_id text PRIMARY KEY,
      settings_digest text NOT NULL,
      found jsonb NOT NULL,
      found_at bigint NOT NULL
    );
    CREATE TABLE upstream_secrets (
      server_id text PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('client_secret', 'private_key')),
      secret_id text NOT NULL
    );
    CREATE TABLE upstream_clients (
      id text PRIMARY KEY,
      server_id text NOT NULL,
      issuer text NOT NULL,
      method text NOT NULL CHECK (method IN ('static', 'document', 'dynamic')),
      client_id text NOT NULL,
      auth_method text,
      secret_id text,
      secret_expires_at bigint,
      redirect_uri text NOT NULL,
      scopes text[] NOT NULL,
      created_at bigint NOT NULL,
      proven_at bigint,
      refused_at bigint
    );
    CREATE INDEX upstream_clients_server ON upstream_clients (server_id, issuer);
    CREATE UNIQUE INDEX upstream_clients_fixed ON upstream_clients (server_id, issuer, client_id) WHERE method <> 'dynamic';
    CREATE TABLE upstream_connections (
      id text PRIMARY KEY,
      ticket_hash text NOT NULL UNIQUE,
      person_id text NOT NULL REFERENCES people (id) ON DELETE CASCADE,
      server_id text NOT NULL,
      owner text NOT NULL,
      name text,
      identity_id text,
      cause text NOT NULL CHECK (cause IN ('asked', 'call')),
      state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'connected', 'failed')),
      problem text,
      made_identity_id text,
      client_ref text,
      redirect_uri text,
      state_hash text UNIQUE,
      session_hash text,
      verifier text,
      asked_scopes text[],
      redirected_at bigint,
      answered_at bigint,
      created_at bigint NOT NULL,
      expires_at bigint NOT NULL
    );
    CREATE INDEX upstream_connections_wish ON upstream_connections (person_id, server_id);
    CREATE INDEX upstream_connections_expiry ON upstream_connections (expires_at);
  `,
};
