import { CommanderError } from 'commander';
import { CliFailure, EXIT, type ExitCode } from './failure.js';
import { plainText } from './output/plain-text.js';
import { FORMATS, toJsonLine } from './output/print.js';
import { buildProgram } from './program.js';
import type { Surroundings } from './surroundings.js';

const HELP_CODES = new Set(['commander.helpDisplayed', 'commander.version']);

/** Runs one command line and resolves to the exit code; whatever goes wrong is printed on stderr. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  try {
    await buildProgram(surroundings).parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return report(error, { surroundings, asJson: wantsJson(args) });
  }
}

interface Reader {
  surroundings: Surroundings;
  asJson: boolean;
}

function report(error: unknown, { surroundings, asJson }: Reader): ExitCode {
  if (error instanceof CommanderError) return HELP_CODES.has(error.code) ? EXIT.ok : EXIT.usage;
  const failure = error instanceof CliFailure ? error : unexpected(error);
  const { message, code, next, exit } = failure;
  surroundings.stderr.write(asJson ? toJsonLine({ error: { code: code ?? null, message, next: next ?? null } }) : asLines(failure));
  return exit;
}

function asLines({ message, code, next }: CliFailure): string {
  const lines = [`gatehouse: ${message}${code === undefined ? '' : ` [${code}]`}`, ...(next === undefined ? [] : [`next: ${next}`])];
  return `${plainText(lines.join('\n'))}\n`;
}

function unexpected(error: unknown): CliFailure {
  const message = error instanceof Error ? error.message : String(error);
  return new CliFailure({ message: `unexpected: ${message}` }, { cause: error });
}

/** Read from the words themselves, because the failure may be that they could not be parsed. */
function wantsJson(args: readonly string[]): boolean {
  const asked = args.findLast((arg, at) => ['-o', '--output'].includes(args[at - 1] ?? '') && (FORMATS as readonly string[]).includes(arg));
  return asked === 'json' || args.includes('-ojson') || args.includes('--output=json');
}
