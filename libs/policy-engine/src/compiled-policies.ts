import { DecisionMemory } from './decision-memory.js';
import { listingText, looksAtArguments } from './for-listing.js';
import type { Decision, Question } from './question.js';
import { readDocuments, type PolicyDocument, type ReadDocument } from './read-documents.js';
import { Slice, type SliceStatement, type Verdict } from './slice.js';
import type { Statement } from './statement.js';

/** The part of a policy snapshot that decisions are made from. */
export interface PolicySource {
  epoch: string;
  version: number;
  policies: readonly PolicyDocument[];
}

/** What one server is asked with; the slice for lists is made when it is first needed. */
interface ServerSlices {
  statements: readonly Statement[];
  call: Slice;
  listing: Slice | undefined;
}

/** Key of the slice for servers that no policy names in its scope. */
const ANY_OTHER = '';
const NOT_READ = new Set<string>();
const UNANSWERED: Verdict = { effect: 'deny', reason: 'evaluation_error', policies: [] };

function groupByServer(statements: readonly Statement[]): Map<string, Statement[]> {
  const groups = new Map<string, Statement[]>([[ANY_OTHER, []]]);
  for (const { server } of statements) groups.set(server ?? ANY_OTHER, []);
  for (const [server, group] of groups) group.push(...statements.filter((one) => one.server === undefined || one.server === server));
  return groups;
}

function forListing(statements: readonly Statement[]): SliceStatement[] {
  return statements.flatMap((statement) => {
    const text = listingText(statement);
    const reads = { ...statement.reads, arguments: NOT_READ };
    return text === undefined ? [] : [{ ...statement, text, reads }];
  });
}

/** A snapshot's policies, ready to decide. Made by `compilePolicies`, swapped as one reference. */
export class CompiledPolicies {
  /** `<epoch>.<version>`, as decisions carry it. */
  readonly snapshot: string;
  readonly #documents: ReadonlyMap<string, ReadDocument>;
  readonly #groups: ReadonlyMap<string, readonly Statement[]>;
  readonly #slices = new Map<string, ServerSlices>();
  readonly #memory = new DecisionMemory();

  constructor(source: PolicySource, documents: ReadonlyMap<string, ReadDocument>) {
    this.snapshot = `${source.epoch}.${source.version}`;
    this.#documents = documents;
    this.#groups = groupByServer([...documents.values()].flatMap(({ statements }) => statements));
  }

  /** Decides. Never throws: what cannot be evaluated is denied. The answer may come from memory. */
  decide(question: Question): Decision {
    return this.#remembered(this.#sliceFor(question).call, question);
  }

  /**
   * Decides whether to show something in a list, when its arguments are not known: a no only if no arguments would
   * be let through by the policies that look at them. For policies that look at none it is `decide`.
   */
  decideListing(question: Question): Decision {
    const slices = this.#sliceFor(question);
    try {
      slices.listing ??= new Slice('list;', forListing(slices.statements));
    } catch {
      // Cedar could not put the policies into their form for lists: a no, as for any question it cannot answer.
      return this.#tied(UNANSWERED);
    }
    return this.#remembered(slices.listing, question);
  }

  /** Decides without memory. */
  decideFresh(question: Question): Decision {
    return this.#fresh(this.#sliceFor(question).call, question);
  }

  /** Gives Cedar's memory back. Calls still under way may decide on: what they need is parsed again. */
  dispose(): void {
    for (const { call, listing } of this.#slices.values()) {
      call.release();
      listing?.release();
    }
  }

  /** What was read, for the next snapshot to take over. */
  get documents(): ReadonlyMap<string, ReadDocument> {
    return this.#documents;
  }

  #remembered(slice: Slice, question: Question): Decision {
    if (!slice.rememberable) return this.#fresh(slice, question);
    const key = slice.keyOf(question);
    const known = this.#memory.get(key);
    if (known !== undefined) return known;
    const decision = this.#fresh(slice, question);
    if (decision.reason !== 'evaluation_error') this.#memory.put(key, decision);
    return decision;
  }

  #fresh(slice: Slice, question: Question): Decision {
    try {
      return this.#tied(slice.ask(question));
    } catch {
      // Whatever went wrong, a question without an answer is a no; there is nobody further up who could say yes.
      return this.#tied(UNANSWERED);
    }
  }

  #tied(verdict: Verdict): Decision {
    return Object.freeze({ ...verdict, snapshot: this.snapshot });
  }

  #sliceFor({ server }: Question): ServerSlices {
    const key = this.#groups.has(server.name) ? server.name : ANY_OTHER;
    const known = this.#slices.get(key);
    if (known !== undefined) return known;
    const statements = this.#groups.get(key)!;
    const call = new Slice('', statements);
    const made = { statements, call, listing: statements.some(looksAtArguments) ? undefined : call };
    this.#slices.set(key, made);
    return made;
  }
}

/**
 * Compiles the policies of a snapshot; policies that `previous` has with the same text are not read again. Refuses
 * with `invalid_policy`, details `policy`, `problem`, and where known `line` and `column`. Cedar parses a slice of the
 * statements for each server when it is asked first.
 */
export function compilePolicies(source: PolicySource, previous?: CompiledPolicies): CompiledPolicies {
  return new CompiledPolicies(source, readDocuments(source.policies, previous?.documents));
}
