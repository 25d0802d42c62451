import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingGlobSyncHook } from '@gatehouse/testing';
import type { ClientScenario } from './scenarios.js';

/** A check of the suite that did not succeed. */
export interface Shortfall {
  check: string;
  said: string;
}

/** How one scenario went. */
export interface ScenarioOutcome {
  name: string;
  /** Checks that succeeded; none when the scenario is not in this suite. */
  succeeded: number;
  shortfalls: Shortfall[];
  /** What the client printed. */
  said: string;
}

interface Check {
  id: string;
  status: string;
  description: string;
  errorMessage?: string;
}

const COMMAND = fileURLToPath(new URL('../../src/conformance-client/hand-over.mjs', import.meta.url));
const LIMIT_MS = 90_000;
const SHORT_OF: readonly string[] = ['FAILURE', 'WARNING'];

/** Runs one scenario with the client that hands over to `desk`; `cli` is the suite's entry file, the installed one unless told. */
export async function runClientScenario(scenario: ClientScenario, desk: string, cli = installedSuite()): Promise<ScenarioOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-suite-'));
  const version = scenario.at === undefined ? [] : ['--spec-version', scenario.at, '--force'];
  const options = ['client', '--command', `${process.execPath} ${COMMAND}`, '--scenario', scenario.name, ...version, '--timeout', String(LIMIT_MS), '--output-dir', folder];
  try {
    await finished([...missingGlobSyncHook(), cli, ...options], desk);
    const checks = (await filesIn(folder, 'checks.json')).flatMap((text) => JSON.parse(text) as Check[]);
    return {
      name: scenario.name,
      succeeded: checks.filter(({ status }) => status === 'SUCCESS').length,
      shortfalls: checks.filter(({ status }) => SHORT_OF.includes(status)).map(({ id, errorMessage, description }) => ({ check: id, said: errorMessage ?? description })),
      said: (await filesIn(folder, 'stdout.txt')).join('\n'),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is wrong with an outcome by the table: shortfalls nobody expected, and nothing that succeeded. */
export function surprises({ except = {} }: ClientScenario, { succeeded, shortfalls }: ScenarioOutcome): string[] {
  const unexpected = shortfalls.filter(({ check }) => except[check] === undefined).map(({ check, said }) => `${check}: ${said}`);
  return succeeded === 0 ? [...unexpected, 'no check succeeded'] : unexpected;
}

function finished(args: string[], desk: string): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, CONFORMANCE_DESK: desk }, timeout: LIMIT_MS, killSignal: 'SIGKILL' });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', () => resolve());
  });
}

async function filesIn(folder: string, name: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((each) => each.endsWith(name));
  return Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
}

function installedSuite(): string {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
  return join(manifest, '..', 'dist', 'index.js');
}
