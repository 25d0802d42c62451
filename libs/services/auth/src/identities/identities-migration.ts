import type { Migration } from '@gatehouse/persistence';

/**
 * Credentials for servers: what is known of each, never a secret. `refresh_ref`, `pending_ref` and
 * `stale_refs` are ids of auth's own secrets in the vault; the access token or the headers stand there
 * under the identity's own id. `hidden` rows are not there yet (a connection is being stored) or not
 * there any more; with the time `shred_at` the secrets of a row are destroyed, and a hidden row with them.
 */
export const IDENTITIES: Migration = {
  name: '0010_identities',
  sql: `
    CREATE TABLE identities (
      id text PRIMARY KEY,
      server_id text NOT NULL,
      server_name text NOT NULL,
      owner text NOT NULL,
      name text NOT NULL,
      method text NOT NULL CHECK (method IN ('headers', 'oauth')),
      grant_type text,
      status text NOT NULL CHECK (status IN ('active', 'retrying', 'needs_reauth', 'revoked')),
      reason text,
      preferred boolean NOT NULL DEFAULT false,
      origin text NOT NULL,
      secrets jsonb NOT NULL DEFAULT '[]',
      client_ref text,
      scopes text[],
      wanted_scopes text[] NOT NULL DEFAULT '{}',
      expires_at bigint,
      ttl_ms bigint,
      credential_version integer NOT NULL DEFAULT 0,
      token_version integer NOT NULL DEFAULT 0,
      refresh_ref text,
      pending_ref text,
      stale_refs text[] NOT NULL DEFAULT '{}',
      lease_owner text,
      lease_until timestamptz,
      retry_at bigint,
      retrying_since bigint,
      failures integer NOT NULL DEFAULT 0,
      invalid_requests integer NOT NULL DEFAULT 0,
      refused_at bigint,
      due_at bigint,
      last_used_at bigint NOT NULL,
      last_refresh_at bigint,
      created_at bigint NOT NULL,
      hidden boolean NOT NULL DEFAULT false,
      shred_at bigint
    );
    CREATE UNIQUE INDEX identities_name ON identities (server_id, owner, name) WHERE NOT hidden;
    CREATE INDEX identities_owner ON identities (owner);
    CREATE INDEX identities_due ON identities (due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX identities_shred ON identities (shred_at) WHERE shred_at IS NOT NULL;
  `,
};
