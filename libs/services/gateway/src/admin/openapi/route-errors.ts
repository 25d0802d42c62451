import type { ErrorCode } from '@gatehouse/kernel';
import type { DeclaredRoute } from './declared-routes.js';

const ALWAYS: readonly ErrorCode[] = ['bad_request', 'origin_denied', 'internal'];
const SIGNED_IN: readonly ErrorCode[] = ['unauthenticated', 'insufficient_scope', 'directory_stale', 'service_unavailable', 'service_timeout'];
const WITH_BODY: readonly ErrorCode[] = ['too_large', 'unsupported_media_type'];

/** Every code a route can be refused with: its own and those of the guard, of its parameters and of its body. */
export function errorsOf({ need, operation }: DeclaredRoute): ErrorCode[] {
  const { body, path = {}, ifMatch = false, errors = [] } = operation;
  const codes = [
    ...ALWAYS,
    ...(need === 'nobody' ? [] : SIGNED_IN),
    ...(need === 'nobody' || need === 'signed-in' ? [] : (['capability_missing'] as const)),
    ...(body === undefined ? [] : WITH_BODY),
    ...(ifMatch ? (['precondition_failed'] as const) : []),
    ...Object.values(path).map(({ missing }) => missing),
    ...errors,
  ];
  return [...new Set(codes)];
}
