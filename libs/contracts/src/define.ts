import type { ErrorCode } from '@gatehouse/kernel';
import type { z } from 'zod';

/** The five services; the name is also the NATS queue group and the database schema. */
export type ServiceName = 'gateway' | 'auth' | 'vault' | 'policy' | 'audit';

/** A question one service may ask another, declared once: types, validation and permissions come from it. */
export interface RequestContract<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** `rpc.v1.<owner>.<noun>.<verb>`; never captured by a stream. */
  readonly subject: string;
  readonly owner: ServiceName;
  /** Who may ask. Calls form a tree: gateway asks all, auth, policy and audit ask vault, vault asks nobody. */
  readonly callers: readonly ServiceName[];
  readonly request: I;
  readonly reply: O;
  /** Refusals of the owner beyond those of the bus itself (service_unavailable, service_timeout, internal). */
  readonly errors: readonly ErrorCode[];
  readonly timeoutMs: number;
}

/** A fact one service announces: past tense, ids and versions, never a secret. */
export interface EventContract<P extends z.ZodType = z.ZodType> {
  /** `evt.v1.<owner>.<noun>.<past>`; kept in the event stream. */
  readonly subject: string;
  readonly owner: ServiceName;
  readonly consumers: readonly ServiceName[];
  readonly payload: P;
}

/** What a request may leave out when it is declared. */
type Optional = 'errors' | 'timeoutMs' | 'callers';

const DEFAULT_TIMEOUT_MS = 5_000;

/** Declares a request; callers default to the gateway, the timeout to five seconds. */
export function defineRequest<I extends z.ZodType, O extends z.ZodType>(
  contract: Omit<RequestContract<I, O>, Optional> & Partial<Pick<RequestContract<I, O>, Optional>>,
): RequestContract<I, O> {
  return { callers: ['gateway'], errors: [], timeoutMs: DEFAULT_TIMEOUT_MS, ...contract };
}

/** Declares an event. */
export function defineEvent<P extends z.ZodType>(contract: EventContract<P>): EventContract<P> {
  return contract;
}
