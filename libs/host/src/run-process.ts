import { writeSync } from 'node:fs';
import { ConfigError } from '@gatehouse/config';
import { Fault } from '@gatehouse/kernel';

/** Something that runs until it is told to stop. */
export interface Running {
  close(): Promise<void>;
}

const STDERR = 2;
const STOP_WITHIN_MS = 25_000;

/**
 * Runs a process: starts it, stops it in order on SIGTERM and SIGINT and exits with 0. What keeps it
 * from starting is said in plain lines on stderr, exit code 1. An error nobody caught ends the process
 * with 1: whatever state it left is not to be trusted.
 */
export async function runProcess(start: () => Promise<Running>): Promise<void> {
  process.on('uncaughtException', (error) => die('uncaught exception', error));
  process.on('unhandledRejection', (error) => die('unhandled rejection', error));
  const stopAsked = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve()).once('SIGINT', () => resolve());
  });
  let running: Running;
  try {
    running = await start();
  } catch (error) {
    return die('did not start', error);
  }
  await stopAsked;
  setTimeout(() => die('did not stop in time', new Fault('stopping took too long')), STOP_WITHIN_MS).unref();
  await running.close();
  process.exit(0);
}

function die(what: string, error: unknown): void {
  // Synchronous: a line that a buffered logger loses on exit helps nobody.
  writeSync(STDERR, linesOf(what, error));
  process.exit(1);
}

function linesOf(what: string, error: unknown): string {
  if (error instanceof ConfigError) return `${error.message}\n`;
  if (error instanceof Fault) return `gatehouse ${what}: ${error.message}${causeOf(error)}\n`;
  return `gatehouse ${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
}

function causeOf({ cause }: Fault): string {
  return cause instanceof Error ? ` (${cause.message})` : '';
}
