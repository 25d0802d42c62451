import { isJsonObject, type JsonObject } from '@gatehouse/kernel';
import { usageFailure } from './failure.js';
import { readNamedFile } from './secret-source.js';
import type { Surroundings } from './surroundings.js';

/** A JSON object given on the command line, as `@file`, or as `-` for standard input. */
export async function jsonArgument(text: string, surroundings: Surroundings): Promise<JsonObject> {
  const value = parse(await sourceOf(text, surroundings));
  if (isJsonObject(value)) return value;
  throw usageFailure('the arguments are not a JSON object', `for example '{"text":"hello"}', @file.json or - for standard input`);
}

async function sourceOf(text: string, surroundings: Surroundings): Promise<string> {
  if (text === '-') return surroundings.readInput();
  return text.startsWith('@') ? readNamedFile(text.slice(1), surroundings) : text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON at all: the same answer as JSON of another kind.
    return undefined;
  }
}
