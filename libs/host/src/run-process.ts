import { writeSync } from 'node:fs';
import { ConfigError } from '@gatehouse/config';
import { Fault } from '@gatehouse/kernel';

/** Something that runs until it is told to stop. */
export interface Running {
  close(): Promise<void>;
}

const STDERR = 2;
const STOP_WITHIN_MS = 25_000;

/** What a process has opened, in order; closed in the opposite order. */
export class Opened {
  readonly #parts: Running[] = [];

  /** Takes a part in and hands it back. */
  add<T extends Running>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  /** Closes everything, the last opened first, each even when one before it failed; throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of this.#parts.splice(0).reverse()) await part.close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Runs a process: starts it, stops it in order on SIGTERM and SIGINT and exits with 0. What keeps it
 * from starting is said in plain lines on stderr, exit code 1. An error nobody caught ends the process
 * with 1: whatever state it left is not to be trusted.
 */
export async function runProcess(start: (opened: Opened) => Promise<void>): Promise<void> {
  process.on('uncaughtException', (error) => die('uncaught exception', error));
  process.on('unhandledRejection', (error) => die('unhandled rejection', error));
  const stopAsked = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve()).once('SIGINT', () => resolve());
  });
  const opened = new Opened();
  try {
    await start(opened);
  } catch (error) {
    // A database that was started stays behind otherwise, running for nobody. That it could not be closed is the lesser news.
    await opened.close().catch(() => undefined);
    return die('did not start', error);
  }
  await stopAsked;
  setTimeout(() => die('did not stop in time', new Fault('stopping took too long')), STOP_WITHIN_MS).unref();
  await opened.close();
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
