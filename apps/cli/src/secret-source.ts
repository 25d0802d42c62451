import { usageFailure } from './failure.js';
import type { Surroundings } from './surroundings.js';

/** What a refused source is told; the value itself is not repeated, it may be the secret. */
const WHY = "a value on the command line would be in the process list and the shell's history";

/**
 * A secret from where the user says it is: `env:VAR`, `file:PATH`, or `-` for standard input; never a
 * value on the command line. `usage` says what the option takes.
 */
export async function secretFrom(source: string, surroundings: Surroundings, usage: string): Promise<string> {
  if (source === '-') return filled(await surroundings.readInput(), 'standard input');
  if (source.startsWith('env:')) return filled(surroundings.variable(source.slice(4)) ?? '', `the variable ${source.slice(4)}`);
  if (source.startsWith('file:')) return secretFile(source.slice(5), surroundings);
  throw usageFailure(usage, WHY);
}

/** The content of a file that holds one secret; `-` is standard input. */
export async function secretFile(path: string, surroundings: Surroundings): Promise<string> {
  if (path === '-') return filled(await surroundings.readInput(), 'standard input');
  return filled(await readNamedFile(path, surroundings), path);
}

/** A file the user named; a usage failure when it cannot be read. */
export async function readNamedFile(path: string, surroundings: Surroundings): Promise<string> {
  try {
    return await surroundings.readFile(path);
  } catch (error) {
    throw usageFailure(`cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
}

/** A file the user named, or standard input for `-`. */
export function namedText(path: string, surroundings: Surroundings): Promise<string> {
  return path === '-' ? surroundings.readInput() : readNamedFile(path, surroundings);
}

/** A secret from its source; without one from whoever sits at the terminal, else from standard input. */
export async function secretOrAsked(source: string | undefined, surroundings: Surroundings, { name, usage }: { name: string; usage: string }): Promise<string> {
  if (source !== undefined) return secretFrom(source, surroundings, usage);
  if (!surroundings.interactive) return secretFrom('-', surroundings, usage);
  return filled(await surroundings.askSecret(`Value of ${name} (not shown): `), name);
}

function filled(text: string, where: string): string {
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw usageFailure(`${where} is empty or not set`);
  return value;
}
