import type { Secret } from '@gatehouse/kernel';
import type { z } from 'zod';

/** One setting of a process. */
export interface Field<Z extends z.ZodType = z.ZodType> {
  env: `GATEHOUSE_${string}`;
  /** Reads the text of the variable; an optional schema makes the setting optional. Of a secret the output must be text. */
  schema: Z;
  /** What is read when the variable is unset or empty, in the form a user would write. */
  default?: string;
  /** Also read from the file named by `<env>_FILE`; arrives as a `Secret`; its value is never shown. */
  secret?: true;
  /** Of numbers: `ms`, `bytes`, `connections`. */
  unit?: string;
  /** One sentence for the reference page: what it is and what happens without it. */
  describe: string;
}

/** A named set of settings. */
export interface ConfigSchema<S extends Record<string, Field> = Record<string, Field>> {
  readonly fields: S;
  /** Every variable name that is not a mistake here: the fields', their `_FILE` forms, and those of siblings. */
  readonly names: readonly string[];
}

type SecretValue<Z extends z.ZodType> = undefined extends z.output<Z> ? Secret | undefined : Secret;
type FieldValue<F extends Field> = F extends { secret: true } ? SecretValue<F['schema']> : z.output<F['schema']>;

/** The values of a schema, one per field. */
export type Config<S extends Record<string, Field>> = { readonly [K in keyof S]: FieldValue<S[K]> };

/**
 * Declares the settings of one service. `siblings` are the schemas of services that read the same
 * environment (all in one process): their names are not mistakes.
 */
export function defineConfig<const S extends Record<string, Field>>(fields: S, siblings: readonly ConfigSchema[] = []): ConfigSchema<S> {
  const own = Object.values<Field>(fields).flatMap(({ env, secret }) => (secret === true ? [env, fileName(env)] : [env]));
  return { fields, names: [...new Set([...own, ...siblings.flatMap(({ names }) => names)])] };
}

/** The variable that names the file a secret is read from. */
export function fileName(env: string): string {
  return `${env}_FILE`;
}
