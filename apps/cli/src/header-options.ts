import { usageFailure } from './failure.js';
import { secretFile, secretFrom } from './secret-source.js';
import type { Surroundings } from './surroundings.js';

/** One header of a new server, as the admin API takes it. */
export interface Header {
  name: string;
  value: string;
  secret: boolean;
}

/** The three options that name headers. */
export interface HeaderOptions {
  header?: string[];
  secretHeader?: string[];
  bearerTokenFile?: string;
}

/**
 * Headers from the options. A secret one names where its value is (`env:VAR`, `file:PATH`, `-` for
 * standard input), because a value on the command line is in the process list and the shell's history.
 */
export async function headersFrom(options: HeaderOptions, surroundings: Surroundings): Promise<Header[]> {
  const plain = (options.header ?? []).map((option) => ({ ...nameAndRest(option, '--header'), secret: false }));
  const sources = (options.secretHeader ?? []).map((option) => nameAndRest(option, '--secret-header'));
  if (sources.filter((source) => source.value === '-').length > 1) throw usageFailure('standard input can be the value of one header only');
  const secret: Header[] = [];
  for (const { name, value } of sources) secret.push({ name, value: await secretFrom(value, surroundings, '--secret-header takes NAME=env:VAR, NAME=file:PATH or NAME=-'), secret: true });
  return [...plain, ...secret, ...(await bearer(options.bearerTokenFile, surroundings))];
}

async function bearer(file: string | undefined, surroundings: Surroundings): Promise<Header[]> {
  if (file === undefined) return [];
  return [{ name: 'Authorization', value: `Bearer ${await secretFile(file, surroundings)}`, secret: true }];
}

function nameAndRest(option: string, flag: string): { name: string; value: string } {
  const at = option.indexOf('=');
  // A header's value is not repeated in the message: it may be a secret given the wrong way.
  if (at < 1 || at === option.length - 1) throw usageFailure(`${flag} takes NAME=VALUE`);
  return { name: option.slice(0, at).trim(), value: option.slice(at + 1) };
}
