import { Refusal, type ErrorCode } from '@gatehouse/kernel';

/** One way in which something that people do in a browser ends without a result: what is recorded, and what they read. */
export interface RefusalRow {
  code: ErrorCode;
  status: number;
  title: string;
  /** What happened and what to do. */
  text: string;
}

/** A row of a table of such ways. */
export const refusalRow = (code: ErrorCode, status: number, title: string, text: string): RefusalRow => ({ code, status, title, text });

/** Ends in a page that names the row; `cause` is for the log and never shown. */
export class PageRefusal<Reason extends string> extends Refusal {
  constructor(
    readonly reason: Reason,
    { code }: RefusalRow,
    options: { cause?: unknown } = {},
  ) {
    super(code, { reason });
    if (options.cause !== undefined) this.cause = options.cause;
  }
}
