import type { Actor, policyContracts, SnapshotVersion } from '@gatehouse/contracts';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Database, Transaction } from '@gatehouse/persistence';
import { compilePolicies, type CompiledPolicies, type PolicyDocument } from '@gatehouse/policy-engine';
import type { Logger } from '@gatehouse/telemetry';
import type { SnapshotChanges } from '../snapshot/snapshot-changes.js';
import { readPolicies, readPolicy, writePolicy } from './policy-rows.js';

type Policy = policyContracts.Policy;

/** What policies are kept with. */
export interface PoliciesParts {
  db: Database;
  changes: SnapshotChanges;
  clock: Clock;
  log: Logger;
}

/** The policies in force and their versions. */
export class Policies {
  /** What was checked last: texts that are in it need not be read again. */
  private checked: CompiledPolicies | undefined;

  constructor(private readonly parts: PoliciesParts) {}

  /** All in force, by name. */
  list(): Promise<Policy[]> {
    return readPolicies(this.parts.db);
  }

  /** One in force; refuses with `not_found`. */
  async get(name: string): Promise<Policy> {
    const policy = await readPolicy(this.parts.db, name);
    if (policy === undefined) throw new Refusal('not_found', { policy: name });
    return policy;
  }

  /**
   * Writes all of the given policies or none; a text that is in force already is not written again. The whole set that
   * would come out is compiled first, with the engine that edges use: what it refuses (`invalid_policy`) never leaves.
   */
  async apply(actor: Actor, given: readonly PolicyDocument[]): Promise<{ items: Policy[]; snapshot: SnapshotVersion }> {
    const { result, snapshot } = await this.parts.changes.apply(async (tx) => {
      const before = await readPolicies(tx);
      this.check(merged(before, given));
      const texts = new Map(before.map(({ name, text }) => [name, text]));
      const changed = given.filter(({ name, text }) => texts.get(name) !== text);
      for (const { name, text } of changed) await this.write(tx, actor, name, text);
      const names = new Set(given.map(({ name }) => name));
      const items = (await readPolicies(tx)).filter(({ name }) => names.has(name));
      return { result: items, changed: changed.length > 0 };
    });
    const written = result.map(({ name, version }) => ({ name, version }));
    this.parts.log.info({ actor: actor.callerId, tokenId: actor.tokenId, policies: written, snapshot: snapshot.version }, 'policies applied');
    return { items: result, snapshot };
  }

  /** Takes one out of force; its versions stay. Refuses with `not_found`. */
  async delete(actor: Actor, name: string): Promise<{ snapshot: SnapshotVersion }> {
    const { snapshot } = await this.parts.changes.apply(async (tx) => {
      if ((await readPolicy(tx, name)) === undefined) throw new Refusal('not_found', { policy: name });
      await this.write(tx, actor, name, null);
      return { result: undefined, changed: true };
    });
    this.parts.log.info({ actor: actor.callerId, tokenId: actor.tokenId, policy: name, snapshot: snapshot.version }, 'policy deleted');
    return { snapshot };
  }

  private check(documents: readonly PolicyDocument[]): void {
    this.checked = compilePolicies({ epoch: 'check', version: 0, policies: documents }, this.checked);
  }

  private write(tx: Transaction, actor: Actor, name: string, text: string | null): Promise<void> {
    return writePolicy(tx, { name, text, by: actor.callerId, at: this.parts.clock.now() });
  }
}

/** What would be in force; a name given twice stays twice, for the engine to refuse. */
function merged(before: readonly PolicyDocument[], given: readonly PolicyDocument[]): PolicyDocument[] {
  const names = new Set(given.map(({ name }) => name));
  return [...before.filter(({ name }) => !names.has(name)), ...given].map(({ name, text }) => ({ name, text }));
}
