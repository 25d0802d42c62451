import type { policyContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { compilePolicies, type CompiledPolicies, type Decision, type PolicyDocument, type Question } from '@gatehouse/policy-engine';
import type { z } from 'zod';
import { readServer } from '../servers/server-rows.js';
import { snapshotState } from '../snapshot/snapshot-changes.js';
import { readPolicies } from './policy-rows.js';

type Asked = z.output<typeof policyContracts.policyQuestion>;
type Answer = z.output<typeof policyContracts.policyAnswer>;

/** A question, and the policies to ask instead of those in force. */
export interface PolicyTest {
  question: Asked;
  draft: readonly PolicyDocument[] | null;
}

const KINDS = { call: 'tool', get: 'prompt', read: 'resource' } as const;

function questionOf(asked: Asked, server: { id: string; name: string }): Question {
  const { person, client, action, target } = asked;
  const question: Question = { caller: person, client, action, server, arguments: asked.arguments };
  if (action === 'connect') return question;
  if (target === null) throw new Refusal('bad_params', { problem: `${action} needs a target` });
  return { ...question, target: { kind: KINDS[action], name: target } };
}

/** Asks the engine that edges use. */
export class PolicyTests {
  /** What was in force at the last test: texts that are in it need not be read again. */
  private known: CompiledPolicies | undefined;

  constructor(private readonly db: Database) {}

  /** The answer. Refuses with `unknown_server`, `bad_params` without a target, and for a draft `invalid_policy`. */
  async ask({ question, draft }: PolicyTest): Promise<Answer> {
    const server = await readServer(this.db, question.server);
    const { effect, reason, policies } = await this.decide(questionOf(question, server), draft);
    return { effect, reason, policies: [...policies] };
  }

  private async decide(question: Question, draft: readonly PolicyDocument[] | null): Promise<Decision> {
    const { epoch, version } = await snapshotState(this.db);
    const compiled = compilePolicies({ epoch, version, policies: draft ?? (await readPolicies(this.db)) }, this.known);
    if (draft === null) this.known = compiled;
    try {
      return compiled.decideFresh(question);
    } finally {
      compiled.dispose();
    }
  }
}
