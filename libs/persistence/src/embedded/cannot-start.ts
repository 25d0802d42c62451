import { Fault } from '@gatehouse/kernel';

/** The one line an operator sees when the embedded server cannot run here: the reason and the way out. */
export function cannotStart(reason: string, cause?: unknown): Fault {
  const message = `embedded PostgreSQL cannot start: ${reason}; to use a server of your own, set GATEHOUSE_DATABASE_URL`;
  return new Fault(message, cause === undefined ? {} : { cause });
}

/** The `code` of a system error (`ENOENT`), or of a PostgreSQL one (`23505`). */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
