import { Secret } from '@gatehouse/kernel';
import { ConfigError } from './config-error.js';
import { fileName, type Config, type ConfigSchema, type Field } from './config-schema.js';
import { readSecretFile } from './secret-file.js';
import { unknownNames } from './unknown-names.js';

/** Stands for a problem that is listed already, so that no second line calls the value missing. */
const UNREADABLE = Symbol('unreadable');

/** Environment variables as Node gives them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads every setting once, at the start of a process. An empty variable counts as unset. Throws one
 * `ConfigError` with all problems: values that do not fit, missing ones, a secret given twice or in a
 * file that others can read, and `GATEHOUSE_*` names nobody knows.
 */
export function loadConfig<S extends Record<string, Field>>(schema: ConfigSchema<S>, env: Environment = process.env): Config<S> {
  const problems = unknownNames(env, schema.names);
  const values = Object.entries<Field>(schema.fields).map(([key, field]) => [key, readField(field, env, problems)] as const);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(Object.fromEntries(values)) as Config<S>;
}

function readField(field: Field, env: Environment, problems: string[]): unknown {
  const given = field.secret === true ? secretText(field, env, problems) : nonEmpty(env[field.env]);
  if (given === UNREADABLE) return undefined;
  const text = given ?? field.default;
  const result = field.schema.safeParse(text);
  if (!result.success) {
    problems.push(`${field.env} ${problemOf(field, text, result.error.issues[0]?.message ?? 'is not valid')}`);
    return undefined;
  }
  return field.secret === true && result.data !== undefined ? Secret.fromText(String(result.data)) : result.data;
}

function secretText(field: Field, env: Environment, problems: string[]): string | undefined | typeof UNREADABLE {
  const direct = nonEmpty(env[field.env]);
  const path = nonEmpty(env[fileName(field.env)]);
  if (path === undefined) return direct;
  const answer = direct === undefined ? readSecretFile(path) : { problem: `and ${field.env} are both set; keep one` };
  if ('text' in answer) return answer.text;
  problems.push(`${fileName(field.env)} ${answer.problem}`);
  return UNREADABLE;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function problemOf(field: Field, text: string | undefined, message: string): string {
  if (text === undefined) return `is required: ${field.describe}`;
  if (field.secret !== true) return `${message} (it is ${JSON.stringify(text)})`;
  return message.includes(text) ? 'is not valid' : message;
}
