import { Document, Scalar, visit } from 'yaml';
import type { Surroundings } from '../surroundings.js';
import { isUnsafe, plainJson } from './plain-text.js';

/** The ways every verb can answer. */
export const FORMATS = ['table', 'json', 'yaml'] as const;

/** One of the ways. */
export type Format = (typeof FORMATS)[number];

/** A table for people; what is piped on is JSON unless something else was asked for. */
export function formatOf(asked: Format | undefined, surroundings: Surroundings): Format {
  return asked ?? (surroundings.stdout.isTerminal ? 'table' : 'json');
}

/** Prints a value as asked: `asTable` is only called when a person reads it. */
export function print(surroundings: Surroundings, format: Format, value: unknown, asTable: () => string): void {
  const text = { table: asTable, json: () => toJson(value), yaml: () => toYaml(value) }[format]();
  surroundings.stdout.write(text);
}

/** Indented JSON with everything escaped that a terminal would obey (JSON itself lets C1 controls through). */
export function toJson(value: unknown): string {
  return `${plainJson(JSON.stringify(value, null, 2))}\n`;
}

/** One line of JSON, for streams of records. */
export function toJsonLine(value: unknown): string {
  return `${plainJson(JSON.stringify(value))}\n`;
}

/** YAML 1.2 in which strings with unprintable characters are quoted and escaped. */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && isUnsafe(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return plainJson(document.toString({ lineWidth: 0 }));
}

/** A time as RFC 3339 in UTC, to the second. */
export function timeText(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A remark for people next to the answer: never on stdout, so that pipes stay clean. */
export function remark(surroundings: Surroundings, text: string): void {
  surroundings.stderr.write(`${text}\n`);
}
