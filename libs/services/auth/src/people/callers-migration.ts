import type { Migration } from '@gatehouse/persistence';

/** Service accounts beside people, custom roles, teams with roles, and the groups that identity providers and SCIM tell. */
export const CALLERS: Migration = {
  name: '0004_callers',
  sql: `
    ALTER TABLE people ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service_account'));
    ALTER TABLE people ADD COLUMN source text NOT NULL DEFAULT 'local' CHECK (source IN ('local', 'sign-in', 'scim'));
    ALTER TABLE people ADD COLUMN last_sign_in_at bigint;
    ALTER TABLE people ADD COLUMN auth_generation integer NOT NULL DEFAULT 0;
    ALTER TABLE people ADD COLUMN secret_at bigint;
    CREATE TABLE roles (
      name text PRIMARY KEY,
      description text NOT NULL,
      capabilities text[] NOT NULL,
      created_at bigint NOT NULL
    );
    CREATE TABLE teams (
      name text PRIMARY KEY,
      roles text[] NOT NULL DEFAULT '{}',
      created_at bigint NOT NULL
    );
    INSERT INTO teams (name, created_at) SELECT DISTINCT unnest(teams), 0 FROM people;
    CREATE TABLE team_groups (
      team text NOT NULL REFERENCES teams (name) ON DELETE CASCADE,
      provider text NOT NULL,
      group_name text NOT NULL,
      PRIMARY KEY (team, provider, group_name)
    );
    CREATE INDEX team_groups_group ON team_groups (provider, group_name);
    CREATE TABLE person_groups (
      person_id text NOT NULL REFERENCES people (id) ON DELETE CASCADE,
      provider text NOT NULL,
      group_name text NOT NULL,
      PRIMARY KEY (person_id, provider, group_name)
    );
  `,
};
