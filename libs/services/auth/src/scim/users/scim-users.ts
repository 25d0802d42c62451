import { newId, Refusal, type Clock, type JsonObject } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import type { Change, DirectoryChanges } from '../../directory/directory-changes.js';
import { disableCaller } from '../../people/disable-caller.js';
import { insertPerson, markStatus } from '../../people/person-rows.js';
import { keepAnAdministrator } from '../../roles/last-administrator.js';
import { applyPatch } from '../resource/apply-patch.js';
import { USER_ATTRIBUTES } from '../resource/attribute-names.js';
import type { Operation } from '../resource/patch-operations.js';
import { shows, projected, type Projection } from '../resource/projection.js';
import { refuseOtherVersion } from '../resource/resource-meta.js';
import { readUser, type UserValues } from '../resource/user-values.js';
import type { ListQuery, Listing } from '../scim-list.js';
import { scimRefusal } from '../scim-refusal.js';
import { userResource, userVersion } from './user-resource.js';
import { findUser, forgetUser, groupsOf, isUserNameTaken, listUsers, ownerOfAddress, updatePersonOf, upsertUser, type AddressOwner, type Known, type UserRow } from './user-rows.js';

/** What users and groups work with. */
export interface ScimArea {
  db: Database;
  changes: DirectoryChanges;
  clock: Clock;
  /** Where SCIM is reached: `https://…/scim/v2`. */
  base: string;
}

/**
 * People as a company's directory has them. What the directory says of a person holds: name, address,
 * and whether they may come in. It enables again only whom it disabled itself: somebody whom an
 * administrator disabled stays so, however often the directory repeats that they are active.
 */
export class ScimUsers {
  constructor(private readonly area: ScimArea) {}

  /** A page of users. */
  async list(query: ListQuery, shape: Projection): Promise<Listing> {
    const { total, rows } = await listUsers(this.area.db, query);
    return { total, resources: await this.shown(rows, shape) };
  }

  /** One user; refuses with `not_found`. */
  async read(id: string, shape: Projection): Promise<JsonObject> {
    return (await this.shown([await knownUser(this.area.db, id)], shape))[0]!;
  }

  /** Adds a user, or joins the person who has the address already and no directory; refuses with `uniqueness`. */
  async create(body: JsonObject): Promise<string> {
    const values = readUser(body);
    const { result } = await this.area.changes.apply(async (tx) => {
      const owner = values.email === null ? undefined : await ownerOfAddress(tx, values.email);
      if (owner === undefined) return this.add(tx, values);
      const changed = await this.save(tx, joinable(owner), values);
      return { result: owner.personId, changed };
    });
    return result;
  }

  /** Replaces a user; what is left out is gone, except `active`. */
  async replace(id: string, body: JsonObject, ifMatch: string | undefined): Promise<void> {
    const values = readUser(body);
    await this.change(id, ifMatch, (tx, row) => this.save(tx, row, values));
  }

  /** Changes a user step by step. */
  async patch(id: string, operations: readonly Operation[], ifMatch: string | undefined): Promise<void> {
    await this.change(id, ifMatch, (tx, row) => {
      const { userName, externalId, attributes } = row;
      const before = { ...attributes, userName, ...(externalId === null ? {} : { externalId }) };
      return this.save(tx, row, readUser(applyPatch(before, operations, USER_ATTRIBUTES)));
    });
  }

  /** Ends all access of a user and forgets them; the person stays, disabled, because records name them. */
  async remove(id: string, ifMatch: string | undefined): Promise<void> {
    await this.change(id, ifMatch, async (tx, row) => {
      const changed = await this.settle(tx, row, false);
      await forgetUser(tx, id, row.saidActive && !changed, this.area.clock.now());
      return changed;
    });
  }

  private async add(tx: Transaction, values: UserValues): Promise<Change<string>> {
    const { clock } = this.area;
    const { name, email, active = true } = values;
    const person = { id: newId('person', clock), name, email, roles: ['member'], teams: [], source: 'scim' as const, createdAt: clock.now() };
    await insertPerson(tx, person);
    await this.save(tx, { personId: person.id, name, email, status: 'active', saidActive: true }, values);
    return { result: person.id, changed: active };
  }

  private async change(id: string, ifMatch: string | undefined, work: (tx: Transaction, row: UserRow) => Promise<boolean>): Promise<void> {
    await this.area.changes.apply(async (tx) => {
      const row = await knownUser(tx, id);
      refuseOtherVersion(ifMatch, userVersion(row));
      return { result: undefined, changed: await work(tx, row) };
    });
  }

  /** True when the edges see something new. */
  private async save(tx: Transaction, before: Known, values: UserValues): Promise<boolean> {
    await refuseTaken(tx, before, values);
    const active = values.active ?? before.saidActive;
    const renamed = values.name !== before.name || values.email !== before.email;
    await updatePersonOf(tx, before.personId, values);
    await upsertUser(tx, before.personId, { ...values, active }, this.area.clock.now());
    const settled = values.active !== undefined && (await this.settle(tx, before, values.active));
    return settled || (renamed && before.status === 'active');
  }

  /** Disables or enables as the directory says; true when it changed something. Refuses to disable the last administrator. */
  private async settle(tx: Transaction, { personId, status, saidActive }: Known, active: boolean): Promise<boolean> {
    if (!active && status === 'active') {
      await keepAnAdministrator(tx, () => disableCaller(tx, personId, this.area.clock.now()));
      return true;
    }
    if (!active || saidActive || status === 'active') return false;
    await markStatus(tx, personId, 'active');
    return true;
  }

  private async shown(rows: readonly UserRow[], shape: Projection): Promise<JsonObject[]> {
    const groups = shows(shape, 'groups') ? await groupsOf(this.area.db, rows.map(({ personId }) => personId)) : undefined;
    return rows.map((row) => projected(userResource(row, groups?.get(row.personId) ?? [], this.area.base), shape));
  }
}

async function knownUser(db: Transaction, id: string): Promise<UserRow> {
  const row = await findUser(db, id);
  if (row === undefined) throw new Refusal('not_found');
  return row;
}

function joinable(owner: AddressOwner): Known {
  if (!owner.free) throw scimRefusal('uniqueness', 'The primary e-mail address belongs to another user.');
  return owner;
}

async function refuseTaken(tx: Transaction, { personId }: Known, { userName, email }: UserValues): Promise<void> {
  if (await isUserNameTaken(tx, userName, personId)) throw scimRefusal('uniqueness', 'Another user has this userName.');
  const owner = email === null ? undefined : await ownerOfAddress(tx, email);
  if (owner !== undefined && owner.personId !== personId) throw scimRefusal('uniqueness', 'The primary e-mail address belongs to another person.');
}
