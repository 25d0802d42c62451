import type { Response } from '@cedar-policy/cedar-wasm/nodejs';
import { toCedarRequest } from './cedar-request.js';
import { PreparedSet } from './prepared-set.js';
import type { Decision, Question } from './question.js';
import type { PatternChars, Statement } from './statement.js';
import type { WhatIsRead } from './what-is-read.js';

/** A statement as a slice asks it: its own text, or the one for listing. */
export type SliceStatement = Pick<Statement, 'id' | 'policy' | 'text' | 'reads' | 'patterns'>;

/** What a slice answers, before it is tied to a snapshot. */
export type Verdict = Pick<Decision, 'effect' | 'reason' | 'policies'>;

function mergeReads(statements: readonly SliceStatement[]): WhatIsRead {
  const reads = statements.map((statement) => statement.reads);
  const members = new Set(reads.flatMap((read) => (read.arguments === 'all' ? [] : [...read.arguments])));
  return {
    client: reads.some((read) => read.client),
    time: reads.some((read) => read.time),
    identity: reads.some((read) => read.identity),
    arguments: reads.some((read) => read.arguments === 'all') ? 'all' : members,
  };
}

function sumPatterns(statements: readonly SliceStatement[]): PatternChars {
  const sum = (of: keyof PatternChars): number => statements.reduce((total, { patterns }) => total + patterns[of], 0);
  return { names: sum('names'), arguments: sum('arguments') };
}

// A length in front of each name: no choice of names can make two questions share a key.
const part = (text: string): string => `${text.length}:${text}`;
const optional = (text: string | null | undefined): string => (text === null || text === undefined ? '-' : part(text));

function joined(names: readonly string[]): string {
  let key = `${names.length};`;
  for (const name of names) key += part(name);
  return key;
}

/** The statements that can matter to one server, asked together. */
export class Slice {
  readonly #set: PreparedSet;
  readonly #reads: WhatIsRead;
  readonly #patterns: PatternChars;
  readonly #policyOf: ReadonlyMap<string, string>;
  /** Whether the answer depends only on what `keyOf` covers. */
  readonly rememberable: boolean;

  constructor(
    private readonly label: string,
    statements: readonly SliceStatement[],
  ) {
    this.#set = new PreparedSet(Object.fromEntries(statements.map(({ id, text }) => [id, text])));
    this.#reads = mergeReads(statements);
    this.#patterns = sumPatterns(statements);
    this.#policyOf = new Map(statements.map(({ id, policy }) => [id, policy]));
    const looksAtArguments = this.#reads.arguments === 'all' || this.#reads.arguments.size > 0;
    this.rememberable = !this.#reads.time && !looksAtArguments;
  }

  /** Covers all that the statements of this slice can tell apart. */
  keyOf({ caller, client, action, server, target }: Question): string {
    let key = `${this.label}${action};${target?.kind ?? ''};${part(target?.name ?? '')}${part(server.name)}${part(server.id)}`;
    key += joined(caller.roles) + joined(caller.teams);
    if (this.#reads.identity) key += part(caller.id) + optional(caller.email) + optional(caller.name);
    return this.#reads.client ? key + part(client) : key;
  }

  /** Asks Cedar. Throws Unrepresentable or a Fault when it cannot be asked; whoever calls denies. */
  ask(question: Question): Verdict {
    const answer = this.#set.authorize(toCedarRequest(question, this.#reads, this.#patterns));
    return answer.type === 'failure' ? { effect: 'deny', reason: 'evaluation_error', policies: [] } : this.#verdict(answer.response);
  }

  /** Gives Cedar's memory back; asked again, the slice is parsed again. */
  release(): void {
    this.#set.release();
  }

  #verdict({ decision, diagnostics }: Response): Verdict {
    // Cedar leaves out a statement that failed. A forbid left out would be a hole, so any failure is a no.
    if (diagnostics.errors.length > 0) {
      return { effect: 'deny', reason: 'evaluation_error', policies: this.#names(diagnostics.errors.map((error) => error.policyId)) };
    }
    const policies = this.#names(diagnostics.reason);
    if (decision === 'allow') return { effect: 'allow', reason: 'permitted', policies };
    return { effect: 'deny', reason: policies.length > 0 ? 'forbidden' : 'no_policy', policies };
  }

  #names(ids: readonly string[]): string[] {
    return [...new Set(ids.map((id) => this.#policyOf.get(id) ?? id))].sort();
  }
}
