import type { Clause, Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { Fault } from '@gatehouse/kernel';
import { cedar } from './cedar.js';
import { depthOf } from './expression.js';
import type { Statement } from './statement.js';
import { readsArguments } from './what-is-read.js';

/** Cedar reads policy JSON to a depth of about 60; two levels of JSON make one of an expression. */
const MAX_JSON_DEPTH = 40;

/** True when a statement looks at arguments, which a list does not know. */
export function looksAtArguments({ reads }: Statement): boolean {
  return reads.arguments === 'all' || reads.arguments.size > 0;
}

function conjuncts(body: Expr): Expr[] {
  const and = (body as { '&&'?: { left: Expr; right: Expr } })['&&'];
  return and === undefined ? [body] : conjuncts(and.left).concat(conjuncts(and.right));
}

function withoutArguments(conditions: readonly Clause[]): Clause[] {
  const parts = conditions.flatMap(({ kind, body }) => (kind === 'when' ? conjuncts(body) : [body]).map((part): Clause => ({ kind, body: part })));
  return parts.filter(({ body }) => !readsArguments(body) && depthOf(body) <= MAX_JSON_DEPTH);
}

function textOf(policy: PolicyJson): string {
  const answer = cedar.run((api) => api.policyToText(policy));
  if (answer.type === 'failure') throw new Fault(`a policy cannot be written: ${answer.errors[0]?.message}`);
  return answer.text;
}

/**
 * What a statement says when the arguments are not known: the text to ask instead, or undefined when it says nothing.
 * A forbid that looks at arguments may or may not hold, so it hides nothing; a permit holds as far as the rest of its
 * conditions do. Asked so, a list shows everything that some arguments would be let through to, and never less.
 */
export function listingText(statement: Statement): string | undefined {
  if (!looksAtArguments(statement)) return statement.text;
  if (statement.effect === 'forbid') return undefined;
  return textOf({ ...statement.json, conditions: withoutArguments(statement.json.conditions) });
}
