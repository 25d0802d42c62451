import type { JsonValue } from '@gatehouse/kernel';
import { parseValuePath } from '../filter/parse-filter.js';
import type { Filter } from '../filter/filter-syntax.js';
import type { Operation } from '../resource/patch-operations.js';
import { scimRefusal } from '../scim-refusal.js';
import { readMembers } from './group-values.js';

/** What a PATCH does to the members of a group, all its steps as one: two statements, however many steps. */
export interface MemberChange {
  /** Everybody who is not in `added` leaves. */
  everybodyElseLeaves: boolean;
  added: Set<string>;
  removed: Set<string>;
}

/** Splits the operations on a group into those on its members and the others. Refuses as `readMembers` does, and with `invalidPath`. */
export function splitOperations(operations: readonly Operation[]): { members: MemberChange; others: Operation[] } {
  const members: MemberChange = { everybodyElseLeaves: false, added: new Set(), removed: new Set() };
  const others = operations.filter((operation) => !takeMembers(members, operation));
  return { members, others };
}

/** The change after which exactly these are members. */
export function onlyThese(ids: readonly string[]): MemberChange {
  return { everybodyElseLeaves: true, added: new Set(ids), removed: new Set() };
}

/** Whether a change may take somebody out. */
export function takesOut({ everybodyElseLeaves, removed }: MemberChange): boolean {
  return everybodyElseLeaves || removed.size > 0;
}

function takeMembers(change: MemberChange, operation: Operation): boolean {
  const { path, op, value } = operation;
  if (!/^(?:urn:ietf:params:scim:schemas:core:2\.0:group:)?members\b/i.test(path)) return false;
  const { attribute, filter } = parseValuePath(path);
  if (attribute.sub !== null) throw scimRefusal('mutability', 'Attributes of members cannot be changed: remove the member and add another.');
  if (filter !== null) takeSelected(change, op, filter);
  else takeListed(change, op, value);
  return true;
}

function takeSelected(change: MemberChange, op: Operation['op'], filter: Filter): void {
  if (op !== 'remove') throw scimRefusal('mutability', 'Members cannot be changed: remove the member and add another.');
  for (const id of idsIn(filter)) leave(change, id);
}

function takeListed(change: MemberChange, op: Operation['op'], value: JsonValue | undefined): void {
  const ids = value === undefined || value === null ? undefined : readMembers(value);
  if (op === 'remove' && ids !== undefined) return ids.forEach((id) => leave(change, id));
  if (op !== 'add') {
    change.everybodyElseLeaves = true;
    change.added.clear();
    change.removed.clear();
  }
  for (const id of ids ?? []) {
    change.added.add(id);
    change.removed.delete(id);
  }
}

function leave({ added, removed }: MemberChange, id: string): void {
  added.delete(id);
  removed.add(id);
}

function idsIn(filter: Filter): string[] {
  if (filter.kind === 'or') return filter.terms.flatMap(idsIn);
  if (filter.kind === 'compare' && filter.op === 'eq' && filter.path.name.toLowerCase() === 'value' && typeof filter.value === 'string') return [filter.value];
  throw scimRefusal('invalidPath', 'Members are chosen by their value alone: members[value eq "…"].');
}
