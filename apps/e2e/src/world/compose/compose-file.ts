import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The folder of the compose file. */
export const COMPOSE = fileURLToPath(new URL('../../../../../deploy/compose/', import.meta.url));

/** What a service of the compose file says, as far as it is acted on here. */
export interface ComposeService {
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where each named volume is mounted. */
  readonly volumes: ReadonlyMap<string, string>;
}

/** Reads the compose file as compose does without any variable set: merges applied, defaults taken. */
export async function composeService(name: string): Promise<ComposeService> {
  const { services } = parse(await readFile(`${COMPOSE}compose.yaml`, 'utf8'), { merge: true });
  const { command, environment = {}, volumes = [] } = services[name];
  const mounts = (volumes as string[]).filter((mount) => !mount.startsWith('.')).map((mount) => mount.split(':') as [string, string]);
  const values = Object.entries<string>(environment).map(([key, value]) => [key, withDefaults(String(value))] as const);
  return { command, environment: Object.fromEntries(values), volumes: new Map(mounts) };
}

function withDefaults(text: string): string {
  return text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
}
