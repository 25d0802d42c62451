import { policyName } from '@gatehouse/contracts';
import { invalidPolicy } from './policy-problem.js';
import type { PolicyDocument } from './read-documents.js';
import { readStatement } from './read-statement.js';
import { problemOfText, splitStatements } from './split-statements.js';

const MAX_FILE_CHARS = 4 * 1_024 * 1_024;
const MAX_STATEMENTS = 1_000;

function nameOf(annotations: Record<string, string> | undefined, fallbackName: string): string {
  const id = annotations?.['id'] ?? fallbackName;
  if (policyName.safeParse(id).success) return id;
  throw invalidPolicy(fallbackName, `@id("${id}") is not a name: letters, digits, dots, underscores and hyphens, at most 128`);
}

/**
 * Takes a policy file apart: a statement with `@id("name")` is a policy by that name, those without are together one
 * policy by `fallbackName`. Comments stay with the statement they precede. Refuses with `invalid_policy` what does not
 * parse and a name given twice; types and actions are checked when the policies are compiled.
 */
export function parsePolicyDocument(text: string, fallbackName: string): PolicyDocument[] {
  if (text.length > MAX_FILE_CHARS) throw invalidPolicy(fallbackName, `the file is limited to ${MAX_FILE_CHARS} characters`);
  const problem = problemOfText(text);
  if (problem !== undefined) throw invalidPolicy(fallbackName, problem);
  const parts = splitStatements(text);
  if (parts.length > MAX_STATEMENTS) throw invalidPolicy(fallbackName, `the file is limited to ${MAX_STATEMENTS} statements`);
  const named = new Map<string, string>();
  let unnamed = '';
  for (const [index, part] of parts.entries()) {
    const { json } = readStatement({ policy: fallbackName, text, start: part.start }, part, index);
    if (json.annotations?.['id'] === undefined) unnamed += part.text;
    else addNamed(named, nameOf(json.annotations, fallbackName), part.text);
  }
  if (unnamed !== '') addNamed(named, nameOf(undefined, fallbackName), unnamed);
  return [...named].map(([name, body]) => ({ name, text: `${body.trim()}\n` }));
}

function addNamed(named: Map<string, string>, name: string, text: string): void {
  if (named.has(name)) throw invalidPolicy(name, 'there are two policies by this name in the file');
  named.set(name, text);
}
