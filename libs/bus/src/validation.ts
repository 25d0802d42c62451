import { Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';

const MAX_PROBLEMS = 10;

/** The parsed input, or Refusal bad_params with `problems`: where and what, never the value itself. */
export function validInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, MAX_PROBLEMS);
  throw new Refusal('bad_params', {
    problems: problems.map((issue) => ({ path: issue.path.map(String).join('.'), problem: issue.message })),
  });
}
