import { Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';

/** A body or query that fits its schema; refuses with `bad_request` and every problem by JSON pointer (RFC 6901), values left out. */
export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) => ({ pointer: pointerTo(path), detail: message }));
  throw new Refusal('bad_request', { errors });
}

function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
