import type { JsonObject } from '@gatehouse/kernel';
import { USER_SCHEMA } from '../discovery/schemas-table.js';
import { locationOf, metaOf } from '../resource/resource-meta.js';
import type { UserRow } from './user-rows.js';

/** Version of a user: it moves with what the directory said, and with whether the person may come in. */
export function userVersion({ revision, status }: Pick<UserRow, 'revision' | 'status'>): string {
  return `W/"${revision}${status === 'active' ? '' : '-off'}"`;
}

/** A user as RFC 7643 section 4.1 shows them; `active` is whether the person may come in now. */
export function userResource(row: UserRow, groups: readonly { id: string; name: string }[], base: string): JsonObject {
  const { personId: id, userName, externalId, attributes, status } = row;
  const meta = metaOf(base, { resourceType: 'User', id, createdAt: Number(row.createdAt), updatedAt: Number(row.updatedAt), version: userVersion(row) });
  return {
    ...attributes,
    schemas: [USER_SCHEMA, ...Object.keys(attributes).filter((name) => name.startsWith('urn:'))],
    id,
    ...(externalId === null ? {} : { externalId }),
    userName,
    active: status === 'active',
    groups: groups.map((group) => ({ value: group.id, $ref: locationOf(base, 'Group', group.id), display: group.name })),
    meta,
  };
}
