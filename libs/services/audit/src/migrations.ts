import type { Migration } from '@gatehouse/persistence';

/**
 * `entries` is the log: appended to, never changed; `leaf` is the entry verbatim, `leaf_hash` its RFC 6962 leaf
 * hash. `records` is derived from it, one row per call, and its searchable columns are derived from the two
 * documents by the database itself.
 */
const LOG = `
CREATE TABLE log_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seq bigint NOT NULL
);
INSERT INTO log_head (seq) VALUES (0);

CREATE TABLE edge_heads (
  edge text PRIMARY KEY,
  last_seq bigint NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE entries (
  seq bigint PRIMARY KEY,
  event_id text NOT NULL UNIQUE,
  edge text NOT NULL,
  edge_seq bigint NOT NULL,
  boot text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  leaf bytea NOT NULL,
  leaf_hash bytea NOT NULL,
  UNIQUE (edge, edge_seq)
);

CREATE TABLE dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  edge text NOT NULL,
  edge_seq bigint NOT NULL,
  reason text NOT NULL,
  body bytea NOT NULL,
  body_hash bytea NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (edge, edge_seq, body_hash)
);

CREATE TABLE gaps (
  edge text NOT NULL,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (edge, from_seq)
);

CREATE TABLE records (
  call_id text PRIMARY KEY,
  edge text NOT NULL,
  at bigint NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  facts jsonb,
  outcome jsonb,
  kind text GENERATED ALWAYS AS (facts ->> 'kind') STORED,
  caller_id text GENERATED ALWAYS AS (facts #>> '{caller,id}') STORED,
  caller_name text GENERATED ALWAYS AS (facts #>> '{caller,name}') STORED,
  server_id text GENERATED ALWAYS AS (facts #>> '{server,id}') STORED,
  server_name text GENERATED ALWAYS AS (facts #>> '{server,name}') STORED,
  method text GENERATED ALWAYS AS (facts ->> 'method') STORED,
  target text GENERATED ALWAYS AS (facts ->> 'target') STORED,
  effect text GENERATED ALWAYS AS (facts #>> '{decision,effect}') STORED,
  trace_id text GENERATED ALWAYS AS (facts ->> 'traceId') STORED,
  status text GENERATED ALWAYS AS (outcome ->> 'status') STORED,
  code text GENERATED ALWAYS AS (outcome ->> 'code') STORED
);

CREATE INDEX records_by_time ON records (at DESC, call_id DESC) WHERE facts IS NOT NULL;
CREATE INDEX records_by_commit ON records (last_seq) WHERE facts IS NOT NULL;
CREATE INDEX records_by_caller ON records (caller_id, at DESC) WHERE caller_id IS NOT NULL;
CREATE INDEX records_by_caller_name ON records (md5(lower(caller_name)), at DESC) WHERE caller_name IS NOT NULL;
CREATE INDEX records_by_server ON records (server_name, at DESC) WHERE server_name IS NOT NULL;
CREATE INDEX records_by_server_id ON records (server_id, at DESC) WHERE server_id IS NOT NULL;
CREATE INDEX records_by_target ON records (md5(target), at DESC) WHERE target IS NOT NULL;
CREATE INDEX records_by_code ON records (code, at DESC) WHERE code IS NOT NULL;
CREATE INDEX records_not_ok ON records (status, at DESC) WHERE status <> 'ok';
CREATE INDEX records_denied ON records (at DESC) WHERE effect = 'deny';
CREATE INDEX records_by_trace ON records (trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX records_by_policy ON records USING gin ((facts #> '{decision,policies}') jsonb_path_ops);

CREATE TABLE cursor_key (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  key bytea NOT NULL
);
INSERT INTO cursor_key (key) SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));
`;

/** The schema `audit`. */
export const AUDIT_MIGRATIONS: readonly Migration[] = [{ name: '0001_log', sql: LOG }];
