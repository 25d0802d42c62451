import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';
import { Refusal } from '@gatehouse/kernel';

/** Where in the text of a policy something stands. */
export interface Source {
  /** Name of the policy. */
  policy: string;
  /** Its whole text. */
  text: string;
  /** Index of the statement in it. */
  start: number;
}

const MAX_PROBLEM_CHARS = 500;
const NOISE = /^(?:failed to parse policy (?:with id `[^`]*` )?from string: |for policy `[^`]*`, )/;

function lineAndColumn(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: before[before.length - 1]!.length + 1 };
}

/** Cedar counts bytes of UTF-8, JavaScript counts UTF-16 units. */
function indexOfByte(text: string, byte: number): number {
  return Buffer.from(text, 'utf8').subarray(0, byte).toString('utf8').length;
}

/** A refusal `invalid_policy` about a whole policy. */
export function invalidPolicy(policy: string, problem: string): Refusal {
  return new Refusal('invalid_policy', { policy, problem: problem.slice(0, MAX_PROBLEM_CHARS) });
}

/** A refusal `invalid_policy` that points at `start` (an index in the statement) when it is known. */
export function invalidAt(source: Source, problem: string, start = 0): Refusal {
  return new Refusal('invalid_policy', {
    policy: source.policy,
    problem: problem.slice(0, MAX_PROBLEM_CHARS),
    ...lineAndColumn(source.text, source.start + start),
  });
}

/** A refusal in Cedar's own words, with the line and column it points at. */
export function invalidPerCedar(source: Source, error: DetailedError): Refusal {
  const location = error.sourceLocations?.[0];
  const parts = [error.message, location?.label, error.help].map((part) => part?.replace(NOISE, '')).filter(Boolean);
  const statement = source.text.slice(source.start);
  return invalidAt(source, parts.join('; '), indexOfByte(statement, location?.start ?? 0));
}
