import type { z } from 'zod';
import { usageFailure } from './failure.js';

/** A body as the admin API takes it, with its defaults; what cannot be is a failure of usage before anything is sent. */
export function requestBody<T extends z.ZodType>(schema: T, value: z.input<T> | Record<string, unknown>): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw usageFailure(`${issue?.path.join('.') || 'what was given'}: ${issue?.message ?? 'not valid'}`);
}
