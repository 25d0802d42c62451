import type { AuthorizationAnswer, CheckParseAnswer } from '@cedar-policy/cedar-wasm/nodejs';
import { Fault } from '@gatehouse/kernel';
import type { CedarRequest } from './cedar-request.js';
import { cedar, type CedarApi } from './cedar.js';

/** Parsed sets alive in Cedar's memory at once, over the whole process. */
const MAX_PREPARED = 256;
const NEVER = -1;

/** Sets that Cedar holds parsed, least recently used first, with the names it knows them by. */
const prepared = new Map<PreparedSet, string>();
const freeNames: string[] = [];
let names = 0;

/**
 * A set of statements that Cedar parses once and keeps under a name. Cedar never forgets a name, but an empty set in
 * its place frees the memory; so names are used again. Beyond 256 sets the least recently used is put out, and
 * parsed again when it is asked next: whoever forgets `release` leaks nothing.
 */
export class PreparedSet {
  #generation = NEVER;

  constructor(private readonly statements: Readonly<Record<string, string>>) {}

  /** Asks Cedar; throws a Fault when it cannot answer. */
  authorize(request: CedarRequest): AuthorizationAnswer {
    const name = this.#prepare();
    return cedar.run((api) => api.statefulIsAuthorized({ ...request, preparsedPolicySetId: name }));
  }

  /** Gives the memory back. */
  release(): void {
    const name = prepared.get(this);
    if (name === undefined) return;
    prepared.delete(this);
    freeNames.push(name);
    // In a newer generation of Cedar the set is gone already.
    if (this.#generation === cedar.generation) cedar.run((api) => api.preparsePolicySet(name, { staticPolicies: {} }));
  }

  #prepare(): string {
    const name = prepared.get(this) ?? this.#takeName();
    // Moves to the end of the map: most recently used.
    prepared.delete(this);
    prepared.set(this, name);
    const answer = cedar.run((api) => this.#parseOnce(api, name));
    if (answer.type === 'failure') throw new Fault(`statements that were valid no longer parse: ${answer.errors[0]?.message}`);
    this.#generation = cedar.generation;
    return name;
  }

  #parseOnce(api: CedarApi, name: string): CheckParseAnswer {
    if (this.#generation === cedar.generation) return { type: 'success' };
    return api.preparsePolicySet(name, { staticPolicies: { ...this.statements } });
  }

  #takeName(): string {
    this.#generation = NEVER;
    if (prepared.size >= MAX_PREPARED) prepared.keys().next().value?.release();
    return freeNames.pop() ?? `gatehouse-${(names += 1)}`;
  }
}
