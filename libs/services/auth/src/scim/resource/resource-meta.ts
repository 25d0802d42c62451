import { Refusal, type JsonObject } from '@gatehouse/kernel';

/** What every resource tells of itself. */
export interface MetaOf {
  resourceType: 'User' | 'Group';
  id: string;
  createdAt: number;
  updatedAt: number;
  version: string;
}

/** The address of a resource. */
export function locationOf(base: string, type: MetaOf['resourceType'], id: string): string {
  return `${base}/${type}s/${id}`;
}

/** `meta` of a resource (RFC 7643 section 3.1). */
export function metaOf(base: string, { resourceType, id, createdAt, updatedAt, version }: MetaOf): JsonObject {
  const [created, lastModified] = [createdAt, updatedAt].map((ms) => new Date(ms).toISOString());
  return { resourceType, created: created!, lastModified: lastModified!, location: locationOf(base, resourceType, id), version };
}

/** Refuses with `precondition_failed` (412) when `If-Match` names other versions than this one (RFC 7644 section 3.14). */
export function refuseOtherVersion(ifMatch: string | undefined, version: string): void {
  if (ifMatch !== undefined && !namesVersion(ifMatch, version)) throw new Refusal('precondition_failed');
}

/** Whether a list of entity tags names a version; `*` names every one. Compared weakly: ours are weak. */
export function namesVersion(list: string, version: string): boolean {
  const bare = (tag: string): string => tag.trim().replace(/^W\//, '');
  return list.split(',').some((tag) => tag.trim() === '*' || bare(tag) === bare(version));
}
