import type { DetailedError, ValidationAnswer } from '@cedar-policy/cedar-wasm/nodejs';
import { Fault } from '@gatehouse/kernel';
import { cedar } from './cedar.js';
import { invalidPerCedar, type Source } from './policy-problem.js';
import { POLICY_SCHEMA } from './schema.js';
import type { Statement } from './statement.js';

/** Cedar's validator says this of a statement whose scope fits no action: it would silently never match. */
const NEVER_APPLIES = 'unable to find an applicable action';

interface Finding {
  policyId: string;
  error: DetailedError;
}

/** What a tool takes is the tool's affair: the schema has no members of `arguments` to find. */
const isAboutMembers = ({ error }: Finding): boolean => /attribute `arguments[.[]/.test(error.message);

const HELP: readonly [about: string, help: string][] = [
  [NEVER_APPLIES, 'call goes with Tool, get with Prompt, read with Resource, connect with Server (in Server::"x" means all of its tools)'],
  ['attribute `arguments` in context', 'only call and get have arguments: write action == Gatehouse::Action::"call" in the scope'],
];

const startOf = ({ error }: Finding): number => error.sourceLocations?.[0]?.start ?? 0;

// Cedar gives findings in no particular order; the same text must always get the same answer.
function bySource(a: Finding, b: Finding): number {
  return a.policyId.localeCompare(b.policyId) || startOf(a) - startOf(b) || a.error.message.localeCompare(b.error.message);
}

function ask(statements: readonly Statement[]): ValidationAnswer {
  const staticPolicies = Object.fromEntries(statements.map(({ id, text }) => [id, text]));
  return cedar.run((api) => api.validate({ schema: POLICY_SCHEMA, policies: { staticPolicies }, validationSettings: { mode: 'strict' } }));
}

/**
 * Checks statements against the schema: unknown types, actions and attributes, operands of the wrong type, scopes
 * that no action fits. Refuses the first finding with `invalid_policy`; `sourceOf` leads from a statement to its text.
 */
export function checkAgainstSchema(statements: readonly Statement[], sourceOf: (id: string) => Source): void {
  const answer = ask(statements);
  if (answer.type === 'failure') throw new Fault(`the policy schema is broken: ${answer.errors[0]?.message}`);
  const impossible = answer.validationWarnings.filter(({ error }) => error.message.includes(NEVER_APPLIES));
  const errors = answer.validationErrors.filter((found) => !isAboutMembers(found));
  const [finding] = (errors.length > 0 ? errors : impossible).sort(bySource);
  if (finding === undefined) return;
  const help = HELP.find(([about]) => finding.error.message.includes(about))?.[1];
  throw invalidPerCedar(sourceOf(finding.policyId), { ...finding.error, help: help ?? finding.error.help });
}
