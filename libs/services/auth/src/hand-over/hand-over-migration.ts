import type { Migration } from '@gatehouse/persistence';

/**
 * Tokens of sign-ins that accounts at servers are made of, as ids of secrets in the vault only. A row
 * outlives the session it came of: by it the secrets are found and destroyed. `hand_over_turns`: who
 * makes an account for whom just now, over all replicas, and what was in the way a moment ago.
 */
export const HAND_OVER: Migration = {
  name: '0012_hand_over',
  sql: `
    CREATE TABLE kept_sign_ins (
      session_hash text PRIMARY KEY,
      person_id text NOT NULL,
      provider text NOT NULL,
      issuer text NOT NULL,
      client_id text NOT NULL,
      tokens_ref text NOT NULL,
      pending_ref text,
      stale_refs text[] NOT NULL DEFAULT '{}',
      stored boolean NOT NULL DEFAULT false,
      ended boolean NOT NULL DEFAULT false,
      lease_owner text,
      lease_until timestamptz,
      created_at bigint NOT NULL
    );
    CREATE INDEX kept_sign_ins_person ON kept_sign_ins (person_id);
    CREATE TABLE hand_over_turns (
      server_id text NOT NULL,
      owner text NOT NULL,
      holder text,
      until timestamptz,
      problem text,
      problem_until bigint NOT NULL DEFAULT 0,
      PRIMARY KEY (server_id, owner)
    );
    UPDATE identity_providers SET settings = settings || '{"keepTokens": false}';
  `,
};
