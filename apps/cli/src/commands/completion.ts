import { Argument, type Command } from 'commander';
import { bashCompletion, fishCompletion, zshCompletion } from '../completion-scripts.js';
import { commandTree } from '../command-tree.js';
import type { Surroundings } from '../surroundings.js';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `gatehouse completion`. */
export function addCompletion(program: Command, surroundings: Surroundings): void {
  program
    .command('completion')
    .description('Print the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', '\nExample:\n  source <(gatehouse completion bash)')
    .action((shell: keyof typeof SCRIPTS) => surroundings.stdout.write(SCRIPTS[shell](commandTree(program))));
}
