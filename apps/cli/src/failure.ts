/** Exit codes of every verb. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notSignedIn: 3, checkFailed: 4 } as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a failure is made of. */
export interface FailureParts {
  /** What happened, in one sentence. */
  message: string;
  /** Code of the error table, when the other side named one. */
  code?: string | undefined;
  /** What to do about it. */
  next?: string | undefined;
  exit?: ExitCode;
}

/** A verb that did not do what it was asked: printed on stderr, and its exit code is the program's. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly code: string | undefined;
  readonly next: string | undefined;
  readonly exit: ExitCode;

  constructor({ message, code, next, exit = EXIT.failed }: FailureParts, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.next = next;
    this.exit = exit;
  }
}

/** The command line itself was wrong: exit code 2. */
export function usageFailure(message: string, next?: string): CliFailure {
  return new CliFailure({ message, next, exit: EXIT.usage });
}

/** Nobody is signed in: exit code 3, with the command to try. */
export function notSignedIn(message: string, next = 'gatehouse login, or set GATEHOUSE_TOKEN to a personal access token'): CliFailure {
  return new CliFailure({ message, code: 'unauthenticated', next, exit: EXIT.notSignedIn });
}
