import { auditContracts } from '@gatehouse/contracts';

/** An entry as it arrived. */
export interface Arrived {
  readonly seq: number;
  readonly body: string;
}

/** An entry that belongs into the log. `document` is what the database derives columns from. */
export interface Valid extends Arrived {
  readonly document: string;
}

/** An entry that does not, and why. */
export interface Invalid extends Arrived {
  readonly reason: string;
}

/** What jsonb refuses although JSON allows it: NUL, and halves of surrogate pairs (escaped, as JSON.stringify does). */
const UNSTORABLE = /\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})|[\ud800-\udfff]/u;
/** Names of schema problems only: values may hold what people typed. */
const MAX_REASON_CHARS = 500;

/** Checks an entry against the contract and against the envelope that it came in. */
export function checkEntry(edge: string, arrived: Arrived): Valid | Invalid {
  const value = parse(arrived.body);
  if (value === undefined) return { ...arrived, reason: 'not JSON' };
  const entry = auditContracts.spoolEntry.safeParse(value);
  if (!entry.success) return { ...arrived, reason: problems(entry.error.issues) };
  const { origin } = entry.data;
  if (origin.edge !== edge) return { ...arrived, reason: 'the edge in the entry is not the one that sent it' };
  if (origin.seq !== arrived.seq) return { ...arrived, reason: 'the number in the entry is not the one it was sent with' };
  return { ...arrived, document: UNSTORABLE.test(arrived.body) ? JSON.stringify(entry.data, storable) : arrived.body };
}

/** Whether an entry was accepted. */
export function isValid(checked: Valid | Invalid): checked is Valid {
  return 'document' in checked;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Told to the caller by the missing value.
    return undefined;
  }
}

function problems(issues: readonly { path: PropertyKey[]; code?: string | undefined }[]): string {
  return issues.map(({ path, code }) => `${path.join('.')}: ${code}`).join('; ').slice(0, MAX_REASON_CHARS);
}

/** The leaf keeps the text as it was; the document shows U+FFFD where the database could not hold it. */
function storable(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\u0000', '\ufffd') : value;
}
