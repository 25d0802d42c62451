import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The real servers that suites start for themselves. */
export type ServerBinary = 'nats-server' | 'redis-server' | 'postgres';

const POSTGRES_ROOT = '/usr/lib/postgresql';

/** Full path of the binary on PATH (PostgreSQL also under /usr/lib/postgresql, newest first), or undefined. */
export function findServerBinary(name: ServerBinary): string | undefined {
  return findProgram(name, name === 'postgres' ? postgresFolders() : []);
}

/** Full path of an executable file in the extra folders or on PATH, or undefined. */
export function findProgram(name: string, extraFolders: readonly string[] = []): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...extraFolders, ...onPath].map((folder) => join(folder, name)).find(isExecutable);
}

/** The bin folders of installed PostgreSQL versions, newest first: initdb and postgres must come from the same one. */
export function postgresFolders(): string[] {
  return versionsIn(POSTGRES_ROOT)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(POSTGRES_ROOT, version, 'bin'));
}

function versionsIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not Debian's layout: PATH alone decides.
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent or not ours to run: the same answer.
    return false;
  }
}
