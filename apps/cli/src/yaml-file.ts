import { parseDocument } from 'yaml';
import { usageFailure } from './failure.js';
import { namedText } from './secret-source.js';
import type { Surroundings } from './surroundings.js';

/** The object in a YAML or JSON file; `-` is standard input. A failure of usage when there is none. */
export async function objectIn(file: string, surroundings: Surroundings): Promise<Record<string, unknown>> {
  // JSON is YAML; aliases are not needed here and could make a small file a huge value.
  const document = parseDocument(await namedText(file, surroundings), { uniqueKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) throw usageFailure(`${file}: ${problem.message.split('\n')[0] ?? 'not valid'}`);
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw usageFailure(`${file} holds no settings`, 'the show verb with -o yaml prints those in force');
}
