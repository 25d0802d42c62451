import type { auditContracts } from '@gatehouse/contracts';
import { isJsonObject } from '@gatehouse/kernel';
import { z } from 'zod';
import type { CallDraft } from '../pipeline/record.js';

const shortText = z.string().max(2_048).nullable().default(null);

/** What auth says of an answer of its own. */
const said = z.object({ kind: z.string().max(100), code: shortText, callerId: shortText, callerName: shortText, clientId: shortText, target: shortText });

/** What auth says of an answer of its own. */
export type AuthSaid = z.infer<typeof said>;

/** Reads the record header; `undefined` for one that is none. */
export function authSaidIn(value: unknown): AuthSaid | undefined {
  if (typeof value !== 'string' || value.length > 16_384) return undefined;
  const { success, data } = said.safeParse(parsedOrNothing(value));
  return success ? data : undefined;
}

function parsedOrNothing(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    // A header that is no JSON says nothing; the record is written without it.
    return undefined;
  }
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** How an exchange with auth ended; no status when the client left before its answer was out. */
export interface AuthEnding {
  method: string;
  status: number | null;
  code: string | null;
  said: AuthSaid | undefined;
}

/** Writes the one record of an exchange with auth, or none: looking at a page is nothing that happened. */
export function closeAuthRecord(draft: CallDraft, { method, status, code, said: about }: AuthEnding): void {
  const isRefused = status !== null && status >= 400;
  if (about === undefined && !isRefused && code === null && READING.has(method)) return draft.discard();
  if (about !== undefined) note(draft.facts, about);
  const spoken = about?.code ?? code;
  draft.close({ status: outcomeOf(status, spoken), code: spoken, httpStatus: status });
}

function note(facts: CallDraft['facts'], { kind, callerId, callerName, clientId, target }: AuthSaid): void {
  if (callerId !== null) facts.caller = { ...facts.caller, kind: kindOf(callerId), id: callerId, name: callerName };
  if (clientId !== null) facts.client = { ...facts.client, id: clientId };
  facts.target = target ?? kind;
}

function kindOf(callerId: string): auditContracts.RecordFacts['caller']['kind'] {
  return callerId.startsWith('svc_') ? 'service_account' : 'person';
}

function outcomeOf(status: number | null, code: string | null): 'ok' | 'error' | 'refused' | 'cancelled' {
  if (status === null) return 'cancelled';
  if (status >= 500) return 'error';
  return status >= 400 || code !== null ? 'refused' : 'ok';
}
