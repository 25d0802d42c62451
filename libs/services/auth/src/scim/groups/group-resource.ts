import type { JsonObject } from '@gatehouse/kernel';
import { GROUP_SCHEMA } from '../discovery/schemas-table.js';
import { locationOf, metaOf } from '../resource/resource-meta.js';
import type { GroupRow, Member } from './group-rows.js';

/** Version of a group: it moves with its name, its attributes and who is in it. */
export function groupVersion({ revision }: Pick<GroupRow, 'revision'>): string {
  return `W/"${revision}"`;
}

/** A group as RFC 7643 section 4.2 shows it. */
export function groupResource(row: GroupRow, members: readonly Member[], base: string): JsonObject {
  const { id, displayName, externalId, attributes } = row;
  const meta = metaOf(base, { resourceType: 'Group', id, createdAt: Number(row.createdAt), updatedAt: Number(row.updatedAt), version: groupVersion(row) });
  return {
    ...attributes,
    schemas: [GROUP_SCHEMA, ...Object.keys(attributes).filter((name) => name.startsWith('urn:'))],
    id,
    ...(externalId === null ? {} : { externalId }),
    displayName,
    members: members.map((member) => ({ value: member.id, $ref: locationOf(base, 'User', member.id), type: 'User', display: member.name })),
    meta,
  };
}
