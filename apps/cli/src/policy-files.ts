import { basename } from 'node:path';
import { CliFailure } from './failure.js';
import { namedText } from './secret-source.js';
import { splitPolicies, type NamedPolicy } from './split-policies.js';
import type { Surroundings } from './surroundings.js';

/** The policies of the named files (`-` is standard input), in order. */
export async function policiesIn(files: readonly string[], surroundings: Surroundings): Promise<NamedPolicy[]> {
  const policies: NamedPolicy[] = [];
  for (const file of files) policies.push(...(await policiesOf(file, surroundings)));
  return policies;
}

async function policiesOf(file: string, surroundings: Surroundings): Promise<NamedPolicy[]> {
  const text = await namedText(file, surroundings);
  try {
    return splitPolicies(text, basename(file).replace(/\.cedar$/, ''));
  } catch (error) {
    throw error instanceof CliFailure ? new CliFailure({ message: `${file}: ${error.message}`, next: error.next, exit: error.exit }) : error;
  }
}
