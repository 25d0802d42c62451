import { policyName } from '@gatehouse/contracts';
import { usageFailure } from './failure.js';

/** One policy of a file. */
export interface NamedPolicy {
  name: string;
  text: string;
}

/** Parts of Cedar text in which a semicolon means nothing: strings, comments; and the semicolon itself. */
const PARTS = /"(?:[^"\\]|\\[^])*"|\/\/[^\n]*|;/g;
const COMMENTS = /"(?:[^"\\]|\\[^])*"|\/\/[^\n]*/g;
const ID = /@id\s*\(\s*"((?:[^"\\]|\\[^])*)"\s*\)/;

/**
 * Splits a file into its policies, each named by its `@id("…")`. A file with a single policy may do
 * without: then `fallbackName` (the file's base name) is the name. Cedar statements end with a
 * semicolon, and none stands inside one but in strings and comments.
 */
export function splitPolicies(text: string, fallbackName: string): NamedPolicy[] {
  const statements = statementsOf(text);
  if (statements.length === 0) throw usageFailure('there is no policy in the file');
  const policies = statements.map((statement) => ({ name: idOf(statement) ?? onlyName(statements, fallbackName), text: statement }));
  policies.forEach(({ name }) => requireName(name));
  requireDistinct(policies);
  return policies;
}

function statementsOf(text: string): string[] {
  const statements: string[] = [];
  let start = 0;
  for (const { 0: part, index } of text.matchAll(PARTS)) {
    if (part !== ';') continue;
    statements.push(text.slice(start, index + 1));
    start = index + 1;
  }
  const rest = text.slice(start);
  // What is left without a semicolon is sent as it is: the engine says best what is wrong with it.
  return [...statements, ...(withoutComments(rest).trim() === '' ? [] : [rest])].map((statement) => statement.trim());
}

function idOf(statement: string): string | undefined {
  return ID.exec(withoutComments(statement))?.[1];
}

function withoutComments(text: string): string {
  return text.replace(COMMENTS, (part) => (part.startsWith('"') ? part : ''));
}

function onlyName(statements: readonly string[], fallbackName: string): string {
  if (statements.length === 1) return fallbackName;
  throw usageFailure(`the file holds ${statements.length} policies and not all have a name`, 'write @id("name") before each');
}

function requireName(name: string): void {
  if (!policyName.safeParse(name).success) throw usageFailure(`${JSON.stringify(name)} cannot be a policy's name`, 'letters, digits and inner . _ -, at most 128');
}

function requireDistinct(policies: readonly NamedPolicy[]): void {
  const names = policies.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw usageFailure(`two policies are called ${twice}`);
}
