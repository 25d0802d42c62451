import { fileName, type ConfigSchema, type Field } from './config-schema.js';

/** One setting as `docs/reference/config.md` shows it. */
export interface ConfigRow {
  env: string;
  /** The variable that names a file with the value; secrets only. */
  fileEnv: string | undefined;
  default: string | undefined;
  unit: string | undefined;
  required: boolean;
  secret: boolean;
  describe: string;
}

/** The rows of the reference page, in the order of the schema. */
export function describeConfig(schema: ConfigSchema): ConfigRow[] {
  return Object.values<Field>(schema.fields).map((field) => ({
    env: field.env,
    fileEnv: field.secret === true ? fileName(field.env) : undefined,
    default: field.default,
    unit: field.unit,
    required: !field.schema.safeParse(field.default).success,
    secret: field.secret === true,
    describe: field.describe,
  }));
}
