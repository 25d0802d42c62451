import { stripVTControlCharacters } from 'node:util';
import type { Logger } from './logger.js';

/** What a library may print with, and how much it matters to us: its warnings are about itself, not about Gatehouse. */
const LEVELS = { error: 'warn', warn: 'info', info: 'debug', log: 'debug' } as const;

type Method = keyof typeof LEVELS;

let log: Logger | undefined;
let early: [Method, string][] = [];

/**
 * From here on what libraries print becomes log lines: a container's output stays JSON, and a newcomer's
 * terminal shows what matters. Call it before such a library is loaded; what comes before there is a
 * logger waits for it.
 */
export function catchLibraryOutput(): void {
  for (const method of Object.keys(LEVELS) as Method[]) {
    console[method] = (...parts: unknown[]) => take(method, stripVTControlCharacters(parts.map(String).join(' ')));
  }
}

/** Where what libraries print goes. */
export function libraryOutputTo(logger: Logger): void {
  log = logger;
  const waiting = early;
  early = [];
  for (const [method, text] of waiting) take(method, text);
}

function take(method: Method, text: string): void {
  if (log === undefined) early.push([method, text]);
  else log[LEVELS[method]]({ library: true }, text);
}
