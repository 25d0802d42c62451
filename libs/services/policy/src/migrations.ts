import { policyContracts } from '@gatehouse/contracts';
import { OUTBOX_MIGRATION, type Migration } from '@gatehouse/persistence';

const STATE: Migration = {
  name: '0001_policy_state',
  sql: `
    CREATE TABLE policy_state (
      single boolean PRIMARY KEY DEFAULT true CHECK (single),
      epoch text NOT NULL,
      version bigint NOT NULL,
      changed_at bigint NOT NULL
    );
    INSERT INTO policy_state (epoch, version, changed_at)
      VALUES (gen_random_uuid()::text, 1, (extract(epoch FROM now()) * 1000)::bigint);
  `,
};

const SERVERS: Migration = {
  name: '0002_servers',
  sql: `
    CREATE TABLE servers (
      id text PRIMARY KEY,
      name text NOT NULL UNIQUE,
      url text NOT NULL,
      allow_private_network boolean NOT NULL,
      state text NOT NULL CHECK (state IN ('running', 'stopped')),
      identity_mode text NOT NULL,
      identity_id text,
      headers json NOT NULL,
      secret_headers text[] NOT NULL,
      health json NOT NULL,
      probe_ordered_at bigint NOT NULL DEFAULT 0,
      created_at bigint NOT NULL,
      revision int NOT NULL
    );
    CREATE TABLE server_items (
      server_id text NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
      position int NOT NULL,
      kind text NOT NULL,
      name text NOT NULL,
      title text,
      description text,
      fingerprint text NOT NULL,
      PRIMARY KEY (server_id, position)
    );
    CREATE TABLE observation_parts (
      server_id text NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
      probe_id text NOT NULL,
      parts int NOT NULL,
      part int NOT NULL,
      payload json NOT NULL,
      arrived_at bigint NOT NULL,
      PRIMARY KEY (server_id, probe_id, parts, part)
    );
  `,
};

// Versions outlive the policy: a decision in the log names a snapshot whose text can still be read. A null text is a deletion.
const POLICIES: Migration = {
  name: '0003_policies',
  sql: `
    CREATE TABLE policies (
      name text PRIMARY KEY,
      version int NOT NULL,
      text text NOT NULL,
      updated_at bigint NOT NULL,
      updated_by text
    );
    CREATE TABLE policy_versions (
      name text NOT NULL,
      version int NOT NULL,
      text text,
      written_at bigint NOT NULL,
      written_by text,
      PRIMARY KEY (name, version)
    );
  `,
};

/** The policy a new installation begins with: in plain sight, to be changed or deleted like any other. */
export const FIRST_POLICY_TEXT = `// Written at the first start. Everybody who has signed in may use every server and everything it offers.
// Deleting this policy means that nobody may use anything until other policies permit it.
permit (principal is Gatehouse::Person, action, resource);
`;

// A migration runs once in the life of a database: a policy that was deleted does not come back with the next start.
const FIRST_POLICY: Migration = {
  name: '0004_first_policy',
  sql: `
    INSERT INTO policies (name, version, text, updated_at)
      SELECT '${policyContracts.FIRST_POLICY_NAME}', 1, $policy$${FIRST_POLICY_TEXT}$policy$, changed_at FROM policy_state;
    INSERT INTO policy_versions (name, version, text, written_at)
      SELECT name, version, text, updated_at FROM policies;
  `,
};

const SERVER_CONNECTIONS: Migration = {
  name: '0005_server_connections',
  sql: `
    ALTER TABLE servers ADD COLUMN stateless boolean NOT NULL DEFAULT false;
    ALTER TABLE servers ADD COLUMN ca_certificate text;
    UPDATE servers SET health = jsonb_set(health::jsonb, '{failure}', '"tls_protocol"')::json WHERE health ->> 'failure' = 'tls';
  `,
};

const SERVER_LOG: Migration = {
  name: '0006_server_log',
  sql: `
    ALTER TABLE servers ADD COLUMN restarts int NOT NULL DEFAULT 0;
    CREATE TABLE server_lines (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      server_id text NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
      at bigint NOT NULL,
      kind text NOT NULL,
      event text NOT NULL,
      detail text
    );
    CREATE INDEX server_lines_of ON server_lines (server_id, kind, seq DESC);
  `,
};

const CATALOGUE: Migration = {
  name: '0007_catalogue',
  sql: `
    CREATE TABLE catalogue_entries (
      name text PRIMARY KEY,
      source text NOT NULL,
      entry json NOT NULL
    );
    CREATE INDEX catalogue_entries_of ON catalogue_entries (source);
  `,
};

// What was registered before has no credential, or one of secret headers: the first may turn out to want a sign-in.
const ACCESS: Migration = {
  name: '0008_server_access',
  sql: `
    ALTER TABLE servers ADD COLUMN transport text NOT NULL DEFAULT 'auto';
    ALTER TABLE servers ADD COLUMN auth text NOT NULL DEFAULT 'auto';
    ALTER TABLE servers ADD COLUMN oauth json NOT NULL DEFAULT '{}';
    ALTER TABLE servers ADD COLUMN known_verdict text;
    ALTER TABLE servers ADD COLUMN sign_calls boolean NOT NULL DEFAULT false;
    ALTER TABLE servers ADD COLUMN forward_headers text[] NOT NULL DEFAULT '{}';
    ALTER TABLE servers ADD COLUMN debug_until bigint;
    ALTER TABLE servers ALTER COLUMN identity_mode DROP NOT NULL;
    UPDATE servers SET identity_mode = NULL WHERE identity_id IS NULL;
    UPDATE servers SET auth = 'headers' WHERE identity_id IS NOT NULL;
    CREATE TABLE presets (
      name text PRIMARY KEY,
      preset json NOT NULL,
      written_at bigint NOT NULL,
      written_by text
    );
  `,
};

/** Schema of policy's database, in order. */
export const POLICY_MIGRATIONS: readonly Migration[] = [
  OUTBOX_MIGRATION,
  STATE,
  SERVERS,
  POLICIES,
  FIRST_POLICY,
  SERVER_CONNECTIONS,
  SERVER_LOG,
  CATALOGUE,
  ACCESS,
];
