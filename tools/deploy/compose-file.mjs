import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** Path of the compose file. */
export const COMPOSE_FILE = fileURLToPath(new URL('../../deploy/compose/compose.yaml', import.meta.url));

/** The compose file with its merges applied and its variables at their defaults, as the engine would read it. */
export function readCompose() {
  const written = parse(readFileSync(COMPOSE_FILE, 'utf8'), { merge: true });
  // Variables are put in after parsing: an empty one is an empty text and not nothing.
  return JSON.parse(withDefaults(JSON.stringify(written)));
}

/** Every `${NAME…}` of the file, as written. */
export function variables() {
  return [...readFileSync(COMPOSE_FILE, 'utf8').matchAll(/\$\{[^}]*\}/g)].map(([text]) => text);
}

function withDefaults(text) {
  return text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
}
