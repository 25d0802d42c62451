import type { Migration } from '@gatehouse/persistence';

/**
 * How people sign in. Whatever a browser shows as proof (session id, state, cookie, ticket) stands
 * here as its SHA-256 only: whoever reads the database can neither sign in nor take over a sign-in.
 */
export const SIGN_IN: Migration = {
  name: '0006_sign_in',
  sql: `
    CREATE TABLE identity_providers (
      name text PRIMARY KEY,
      settings jsonb NOT NULL,
      secret_id text,
      created_at bigint NOT NULL
    );
    CREATE TABLE logins (
      issuer text NOT NULL,
      subject text NOT NULL,
      person_id text NOT NULL REFERENCES people (id) ON DELETE CASCADE,
      email text,
      last_at bigint NOT NULL,
      PRIMARY KEY (issuer, subject)
    );
    CREATE INDEX logins_person ON logins (person_id);
    CREATE TABLE login_sessions (
      id_hash text PRIMARY KEY,
      person_id text NOT NULL REFERENCES people (id) ON DELETE CASCADE,
      provider text NOT NULL,
      subject text NOT NULL,
      sid text,
      auth_at bigint NOT NULL,
      created_at bigint NOT NULL,
      expires_at bigint NOT NULL,
      ended_at bigint
    );
    CREATE INDEX login_sessions_person ON login_sessions (person_id);
    CREATE INDEX login_sessions_subject ON login_sessions (provider, subject);
    CREATE INDEX login_sessions_expiry ON login_sessions (expires_at);
    CREATE TABLE login_transactions (
      state_hash text PRIMARY KEY,
      provider text NOT NULL,
      issuer text NOT NULL,
      return_to text NOT NULL,
      nonce text NOT NULL,
      verifier text NOT NULL,
      bind_hash text NOT NULL,
      fresh_since bigint,
      expires_at bigint NOT NULL
    );
    CREATE INDEX login_transactions_expiry ON login_transactions (expires_at);
    CREATE TABLE used_logout_tokens (
      jti_hash text PRIMARY KEY,
      until bigint NOT NULL
    );
    CREATE TABLE sign_in_links (
      ticket_hash text PRIMARY KEY,
      person_id text NOT NULL REFERENCES people (id) ON DELETE CASCADE,
      expires_at bigint NOT NULL
    );
  `,
};
