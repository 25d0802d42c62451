import type { Command } from 'commander';

/** One command as a shell completes it. */
export interface CommandNode {
  /** Words that lead to it, without the program's name. */
  words: readonly string[];
  summary: string;
  /** Names of the commands below, with their summaries. */
  children: readonly { name: string; summary: string }[];
  options: readonly { flag: string; summary: string; values: readonly string[]; takesValue: boolean }[];
}

/** The command tree flattened, the program first. */
export function commandTree(program: Command): CommandNode[] {
  return nodesOf(program, []);
}

function nodesOf(command: Command, words: readonly string[]): CommandNode[] {
  const below = command.commands.map((child) => nodesOf(child, [...words, child.name()]));
  return [nodeOf(command, words), ...below.flat()];
}

function nodeOf(command: Command, words: readonly string[]): CommandNode {
  const flags = command.options.flatMap((option) =>
    [option.short, option.long].filter((flag) => flag !== undefined && flag !== null).map((flag) => ({
      flag,
      summary: option.description,
      values: option.argChoices ?? [],
      takesValue: option.required || option.optional,
    })),
  );
  const values = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  return {
    words,
    summary: command.description(),
    children: [...command.commands.map((child) => ({ name: child.name(), summary: child.description() })), ...values.map((name) => ({ name, summary: '' }))],
    options: [...flags, { flag: '--help', summary: 'show help and an example', values: [], takesValue: false }],
  };
}
