import { Command, InvalidArgumentError, Option } from 'commander';
import { AdminApi } from './admin-api.js';
import { formatOf, FORMATS, print, type Format } from './output/print.js';
import type { Surroundings } from './surroundings.js';

/** What every verb gets besides its arguments. */
export interface Context {
  surroundings: Surroundings;
  api: AdminApi;
}

/** A verb's context with the output format the user asked for. */
export interface Invocation extends Context {
  format: Format;
  /** Answers in the asked format; `asTable` is what a person reads. */
  answer(value: unknown, asTable: () => string): void;
}

/** Adds a verb with what all have in common: `-o` and an example in its help. */
export function verb(parent: Command, usage: string, summary: string, example: string): Command {
  return parent
    .command(usage)
    .description(summary)
    .addOption(new Option('-o, --output <format>', 'how to print the answer (table on a terminal, else json)').choices(FORMATS))
    .addHelpText('after', `\nExample:\n  ${example}`);
}

/** Adds a noun that groups verbs. */
export function noun(program: Command, name: string, summary: string): Command {
  return program.command(name).description(summary);
}

/** The invocation of a verb whose options were parsed. */
export function invocation(context: Context, options: { output?: Format }): Invocation {
  const format = formatOf(options.output, context.surroundings);
  return { ...context, format, answer: (value, asTable) => print(context.surroundings, format, value, asTable) };
}

/** Collects a repeatable option; false is what its `--no-…` left. */
export function each(value: string, before: string[] | false | undefined): string[] {
  return [...(before || []), value];
}

/** A repeatable option with fixed choices; one value each time, so that an argument may follow it. */
export function eachOf(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices).argParser((value: string, before: string[] | false | undefined) => {
    if (choices.includes(value)) return each(value, before);
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  });
}

/** A whole number in a range, for options. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`);
  };
}
