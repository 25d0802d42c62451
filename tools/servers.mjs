import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runStep } from './run-step.mjs';

const POSTGRES_ROOT = '/usr/lib/postgresql';

/** The real servers that suites start for themselves, and the Debian package of each. */
export const SERVERS = [
  { leg: 'NATS', program: 'nats-server', package: 'nats-server' },
  { leg: 'Redis', program: 'redis-server', package: 'redis-server' },
  { leg: 'PostgreSQL', program: 'postgres', package: 'postgresql' },
];

/** The servers that are neither on PATH nor under /usr/lib/postgresql. */
export function missingServers() {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...postgresFolders()];
  return SERVERS.filter(({ program }) => !folders.some((folder) => isExecutable(join(folder, program))));
}

/**
 * Installs missing servers where that was asked for (CI=true or GATEHOUSE_TEST_INSTALL=1) and is
 * possible (root, apt). Returns what is missing afterwards.
 */
export async function provideServers() {
  const missing = missingServers();
  if (missing.length === 0 || !mayInstall()) return missing;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await runStep('apt-get', ['update'], { env });
  await runStep('apt-get', ['install', '-y', '--no-install-recommends', ...missing.map((server) => server.package)], { env });
  return missingServers();
}

/** One line for people whose machine lacks a server. */
export function skippedLegs(missing) {
  const packages = missing.map((server) => server.package).join(' ');
  return `Skipped legs: ${missing.map((server) => server.leg).join(', ')}. To run them: apt-get install ${packages}, or GATEHOUSE_TEST_INSTALL=1 npm test as root.`;
}

function mayInstall() {
  const asked = process.env['CI'] === 'true' || process.env['GATEHOUSE_TEST_INSTALL'] === '1';
  return asked && process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get');
}

function postgresFolders() {
  try {
    return readdirSync(POSTGRES_ROOT).map((version) => join(POSTGRES_ROOT, version, 'bin'));
  } catch {
    // Not Debian's layout: PATH alone decides.
    return [];
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent or not ours to run: the same answer.
    return false;
  }
}
