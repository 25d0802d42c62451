import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { accessContracts } from '@gatehouse/contracts';
import { OURS } from '../discovery/schemas-table.js';
import { memberOf } from '../filter/filter-match.js';
import { GROUP_ATTRIBUTES, spelled } from '../resource/attribute-names.js';
import { readKey, refuseLarge } from '../resource/user-values.js';
import { scimRefusal } from '../scim-refusal.js';

/** A group as a directory sent it, without its members. */
export interface GroupValues {
  displayName: string;
  externalId: string | null;
  attributes: JsonObject;
}

/** Members one group may have, and one request may name. */
export const MOST_MEMBERS = 50_000;

/** Reads everything of a group but its members. Refuses with `invalidValue`. */
export function readGroup(body: JsonObject): GroupValues {
  const { members: _members, displayName, externalId, ...rest } = spelled(body, GROUP_ATTRIBUTES);
  const attributes = Object.fromEntries(Object.entries(rest).filter(([name]) => !OURS.has(name.toLowerCase())));
  refuseLarge(attributes);
  return { displayName: readDisplayName(displayName), externalId: externalId === undefined ? null : readKey(externalId, 'externalId'), attributes };
}

/** The members that a whole group names; none when it names none. */
export function membersIn(body: JsonObject): string[] {
  return readMembers(memberOf(body, 'members') ?? []);
}

/** Ids of a list of members, or of one. Refuses with `invalidValue` groups inside groups and what is no member. */
export function readMembers(value: JsonValue): string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length > MOST_MEMBERS) throw scimRefusal('invalidValue', `A group may have at most ${MOST_MEMBERS} members.`);
  return list.map(readMember);
}

/** Why a group cannot be a member. */
export function nestedGroup(): Error {
  return scimRefusal('invalidValue', 'Groups inside groups are not supported: add the users of the inner group as members.');
}

// A name longer than a team can be mapped by would be a group nobody can use.
function readDisplayName(value: JsonValue | undefined): string {
  const name = accessContracts.groupMapping.shape.group.safeParse(value);
  if (!name.success) throw scimRefusal('invalidValue', 'A group needs a displayName of at most 200 characters without control characters.');
  return name.data;
}

function readMember(given: JsonValue): string {
  const [id, type, ref] = isJsonObject(given) ? ['value', 'type', '$ref'].map((name) => memberOf(given, name)) : [given];
  if (String(type).toLowerCase() === 'group' || (typeof ref === 'string' && /\/Groups\//i.test(ref))) throw nestedGroup();
  if (typeof id !== 'string' || id === '' || id.length > 100) throw scimRefusal('invalidValue', 'A member needs the id of a user as its "value".');
  return id;
}
