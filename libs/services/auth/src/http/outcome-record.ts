/** What an answer of auth says about itself, for the record that the edge writes. */
export interface OutcomeRecord {
  /** What happened: `sign_in`, `grant_given`, `token_issued` … */
  kind: string;
  /** Why it was refused, or null. */
  code: string | null;
  callerId?: string | null;
  callerName?: string | null;
  clientId?: string | null;
  /** What it was about: an endpoint's address, a provider. */
  target?: string | null;
}

/** The header an edge takes off again. */
export const RECORD_HEADER = 'x-gatehouse-record';

/** The header's value: JSON in ASCII, because header values are nothing else. */
export function recordHeader(record: OutcomeRecord): string {
  return JSON.stringify(record).replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
