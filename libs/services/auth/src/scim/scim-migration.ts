import type { Migration } from '@gatehouse/persistence';

/**
 * What company directories told us by SCIM. A deleted user's row stays with `deleted_at` (its person
 * stays too, disabled), so that the person is found again when the directory sends them anew.
 */
export const SCIM: Migration = {
  name: '0007_scim',
  sql: `
    CREATE TABLE scim_users (
      person_id text PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
      user_name text NOT NULL,
      external_id text,
      said_active boolean NOT NULL,
      attributes jsonb NOT NULL,
      revision integer NOT NULL DEFAULT 1,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      deleted_at bigint
    );
    CREATE UNIQUE INDEX scim_users_user_name ON scim_users (lower(user_name)) WHERE deleted_at IS NULL;
    CREATE INDEX scim_users_external_id ON scim_users (external_id) WHERE external_id IS NOT NULL;
    CREATE INDEX scim_users_order ON scim_users (created_at, person_id);
    CREATE TABLE scim_groups (
      id text PRIMARY KEY,
      display_name text NOT NULL,
      external_id text,
      attributes jsonb NOT NULL,
      revision integer NOT NULL DEFAULT 1,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL
    );
    CREATE UNIQUE INDEX scim_groups_display_name ON scim_groups (lower(display_name));
    CREATE INDEX scim_groups_order ON scim_groups (created_at, id);
    CREATE TABLE scim_members (
      group_id text NOT NULL REFERENCES scim_groups (id) ON DELETE CASCADE,
      person_id text NOT NULL REFERENCES scim_users (person_id) ON DELETE CASCADE,
      PRIMARY KEY (group_id, person_id)
    );
    CREATE INDEX scim_members_person ON scim_members (person_id);
    CREATE INDEX person_groups_group ON person_groups (provider, group_name);
  `,
};
