import type { Command } from 'commander';
import { usageFailure } from './failure.js';
import { secretFile, secretFrom } from './secret-source.js';
import type { Surroundings } from './surroundings.js';
import { each } from './verb.js';

/** A header and its value. */
export interface Header {
  name: string;
  value: string;
}

/** A secret header; without a value each person brings their own. */
export interface SecretHeader {
  name: string;
  value?: string;
  secret: true;
}

/** The options that name headers. */
export interface HeaderOptions {
  header?: string[] | false;
  secretHeader?: string[];
  bearer?: string;
  bearerTokenFile?: string;
}

const USAGE = '--secret-header takes NAME=env:VAR, NAME=file:PATH or NAME=-; NAME alone when each person brings their own';

/** Adds the options that name headers. */
export function withHeaderOptions(command: Command): Command {
  return command
    .option('--header <name=value>', 'plain header sent with every request (repeatable)', each)
    .option('--secret-header <name=source>', 'secret header; source is env:VAR, file:PATH or -; NAME alone: each person brings their own (repeatable)', each)
    .option('--bearer <source>', 'a token sent as Authorization: Bearer; source is env:VAR, file:PATH or -')
    .option('--bearer-token-file <file>', 'the same from a file; - for standard input');
}

/** Plain headers from the options. */
export function plainHeaders({ header }: HeaderOptions): Header[] {
  return (header || []).map((option) => nameAndRest(option, '--header'));
}

/**
 * Secret headers from the options. Each names where its value is (`env:VAR`, `file:PATH`, `-` for
 * standard input), because a value on the command line is in the process list and the shell's history.
 */
export async function secretHeaders(options: HeaderOptions, surroundings: Surroundings): Promise<SecretHeader[]> {
  const sources = (options.secretHeader ?? []).map((option) => (option.includes('=') ? nameAndRest(option, '--secret-header') : { name: option.trim(), value: undefined }));
  if (sources.filter((source) => source.value === '-').length > 1) throw usageFailure('standard input can be the value of one header only');
  const secret: SecretHeader[] = [];
  for (const { name, value } of sources) secret.push({ name, secret: true, ...(value === undefined ? {} : { value: await secretFrom(value, surroundings, USAGE) }) });
  return [...secret, ...(await bearer(options, surroundings))];
}

async function bearer({ bearer: source, bearerTokenFile: file }: HeaderOptions, surroundings: Surroundings): Promise<SecretHeader[]> {
  if (source !== undefined && file !== undefined) throw usageFailure('--bearer and --bearer-token-file: name one of them');
  if (source === undefined && file === undefined) return [];
  const token = source === undefined ? await secretFile(file!, surroundings) : await secretFrom(source, surroundings, '--bearer takes env:VAR, file:PATH or -');
  return [{ name: 'Authorization', value: `Bearer ${token}`, secret: true }];
}

/** `NAME=…` in its two parts; `flag` is what the refusal names. */
export function nameAndRest(option: string, flag: string): Header {
  const at = option.indexOf('=');
  // A header's value is not repeated in the message: it may be a secret given the wrong way.
  if (at < 1 || at === option.length - 1) throw usageFailure(`${flag} takes NAME=VALUE`);
  return { name: option.slice(0, at).trim(), value: option.slice(at + 1) };
}
