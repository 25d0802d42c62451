import { randomUUID } from 'node:crypto';
import { Refusal, type JsonObject } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import { keepAnAdministrator } from '../../roles/last-administrator.js';
import { applyPatch } from '../resource/apply-patch.js';
import { GROUP_ATTRIBUTES } from '../resource/attribute-names.js';
import type { Operation } from '../resource/patch-operations.js';
import { shows, projected, type Projection } from '../resource/projection.js';
import { refuseOtherVersion } from '../resource/resource-meta.js';
import type { ListQuery, Listing } from '../scim-list.js';
import { scimRefusal } from '../scim-refusal.js';
import type { ScimArea } from '../users/scim-users.js';
import { groupResource, groupVersion } from './group-resource.js';
import { countMembers, deleteGroup, findGroup, insertGroup, isGroupNameTaken, listGroups, membersOf, updateGroup, type GroupRow } from './group-rows.js';
import { membersIn, readGroup, type GroupValues } from './group-values.js';
import { onlyThese, splitOperations, takesOut, type MemberChange } from './member-change.js';
import { changeMembers, isAnybodyActive, isMapped, renameMembership } from './membership.js';

const MOST_LISTED_MEMBERS = 100_000;

/**
 * Groups as a company's directory has them. Who is in one is in every team mapped to it (provider
 * `scim`), with the roles an administrator gave that team; nobody loses the last administrator by it.
 */
export class ScimGroups {
  constructor(private readonly area: ScimArea) {}

  /** A page of groups. Refuses with `tooMany` a page with more members than one answer carries. */
  async list(query: ListQuery, shape: Projection): Promise<Listing> {
    const { total, rows } = await listGroups(this.area.db, query);
    return { total, resources: await this.shown(rows, shape) };
  }

  /** One group; refuses with `not_found`. */
  async read(id: string, shape: Projection): Promise<JsonObject> {
    return (await this.shown([await knownGroup(this.area.db, id)], shape))[0]!;
  }

  /** Adds a group; refuses with `uniqueness`. */
  async create(body: JsonObject): Promise<string> {
    const values = readGroup(body);
    const members = onlyThese(membersIn(body));
    const id = randomUUID();
    await this.area.changes.apply(async (tx) => {
      await refuseTaken(tx, values, null);
      await insertGroup(tx, id, values, this.area.clock.now());
      const came = await changeMembers(tx, { id, name: values.displayName }, members);
      return { result: undefined, changed: await isSeen(tx, { id, names: [values.displayName], people: came }) };
    });
    return id;
  }

  /** Replaces a group and its members. */
  async replace(id: string, body: JsonObject, ifMatch: string | undefined): Promise<void> {
    const values = readGroup(body);
    const members = onlyThese(membersIn(body));
    await this.change(id, ifMatch, (tx, row) => save(tx, row, { values, members, nowMs: this.area.clock.now() }));
  }

  /** Changes a group step by step; adding or removing one member touches that member's rows alone. */
  async patch(id: string, operations: readonly Operation[], ifMatch: string | undefined): Promise<void> {
    const { members, others } = splitOperations(operations);
    await this.change(id, ifMatch, (tx, row) => {
      const { displayName, externalId, attributes } = row;
      const before = { ...attributes, displayName, ...(externalId === null ? {} : { externalId }) };
      const values = readGroup(applyPatch(before, others, GROUP_ATTRIBUTES));
      return save(tx, row, { values, members, nowMs: this.area.clock.now() });
    });
  }

  /** Removes a group; its people lose what it gave them. */
  async remove(id: string, ifMatch: string | undefined): Promise<void> {
    await this.change(id, ifMatch, (tx, { displayName: name }) =>
      keepAnAdministrator(tx, async () => {
        const left = await changeMembers(tx, { id, name }, onlyThese([]));
        await deleteGroup(tx, id);
        return isSeen(tx, { id, names: [name], people: left });
      }),
    );
  }

  private async change(id: string, ifMatch: string | undefined, work: (tx: Transaction, row: GroupRow) => Promise<boolean>): Promise<void> {
    await this.area.changes.apply(async (tx) => {
      const row = await knownGroup(tx, id);
      refuseOtherVersion(ifMatch, groupVersion(row));
      return { result: undefined, changed: await work(tx, row) };
    });
  }

  private async shown(rows: readonly GroupRow[], shape: Projection): Promise<JsonObject[]> {
    const members = shows(shape, 'members') ? await this.members(rows.map(({ id }) => id)) : undefined;
    return rows.map((row) => projected(groupResource(row, members?.get(row.id) ?? [], this.area.base), shape));
  }

  private async members(ids: readonly string[]): ReturnType<typeof membersOf> {
    if (ids.length > 1 && (await countMembers(this.area.db, ids)) > MOST_LISTED_MEMBERS) {
      throw scimRefusal('tooMany', 'These groups have too many members for one answer: ask with excludedAttributes=members or a smaller count.');
    }
    return membersOf(this.area.db, ids);
  }
}

async function knownGroup(db: Transaction, id: string): Promise<GroupRow> {
  const row = await findGroup(db, id);
  if (row === undefined) throw new Refusal('not_found');
  return row;
}

async function refuseTaken(tx: Transaction, { displayName }: GroupValues, id: string | null): Promise<void> {
  if (await isGroupNameTaken(tx, displayName, id)) throw scimRefusal('uniqueness', 'Another group has this displayName.');
}

interface Next {
  values: GroupValues;
  members: MemberChange;
  nowMs: number;
}

/** True when the edges see something new. */
async function save(tx: Transaction, row: GroupRow, next: Next): Promise<boolean> {
  const names = [row.displayName, next.values.displayName];
  const isRenamed = names[0] !== names[1];
  await refuseTaken(tx, next.values, row.id);
  const work = async (): Promise<boolean> => {
    const people = await changeMembers(tx, { id: row.id, name: row.displayName }, next.members);
    if (isRenamed) await renameMembership(tx, row.displayName, next.values.displayName);
    await updateGroup(tx, row.id, next.values, { touched: people.length > 0, nowMs: next.nowMs });
    return (await isSeen(tx, { id: row.id, names, people })) || (isRenamed && (await isSeen(tx, { id: row.id, names, people: null })));
  };
  const mayTakeRoles = (isRenamed || takesOut(next.members)) && (await isMapped(tx, names));
  return mayTakeRoles ? keepAnAdministrator(tx, work) : work();
}

// Edges know teams, not groups: a group that no team is mapped to is none of their business.
async function isSeen(tx: Transaction, o: { id: string; names: readonly string[]; people: readonly string[] | null }): Promise<boolean> {
  if (o.people?.length === 0) return false;
  return (await isMapped(tx, o.names)) && isAnybodyActive(tx, o, o.people);
}
