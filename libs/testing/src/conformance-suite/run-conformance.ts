import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProblems } from './find-problems.js';
import { missingGlobSyncHook } from './missing-glob-sync.js';

/** How one scenario of the suite went. */
export interface ScenarioResult {
  name: string;
  passed: number;
  failed: number;
  /** Failed checks and warnings in words. */
  problems: string[];
}

/** How the whole run went. */
export interface ConformanceReport {
  scenarios: ScenarioResult[];
  /** Scenarios without a failed check. */
  passedScenarios: number;
  totalScenarios: number;
  passedChecks: number;
  failedChecks: number;
  /** Everything the suite printed. */
  output: string;
}

/** What to run against which server. */
export interface ConformanceRun {
  url: string;
  /** Only scenarios of this protocol revision, for example `2025-06-18`; all of them unless told. */
  specVersion?: string;
  /** Only this scenario. */
  scenario?: string;
  /** The suite's entry file; the installed `@modelcontextprotocol/conformance` unless told. */
  cli?: string;
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 180_000;
const SUMMARY_LINE = /^[✓✗] (\S+): (\d+) passed, (\d+) failed/;

/**
 * Runs the official conformance suite (server side, every scenario: the default `active` suite
 * leaves some out) against a URL. A scenario that cannot be run counts as failed.
 */
export async function runConformance(run: ConformanceRun): Promise<ConformanceReport> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'));
  const output = await runCli(run, folder);
  const problems = await findProblems(folder);
  await rm(folder, { recursive: true, force: true });
  return toReport(output, problems);
}

function toReport(output: string, problems: ReadonlyMap<string, string[]>): ConformanceReport {
  const lines = output.split('\n').map((line) => SUMMARY_LINE.exec(line.trim()));
  const scenarios = lines.flatMap((match) => {
    const [, name, passed, failed] = match ?? [];
    if (name === undefined) return [];
    return [{ name, passed: Number(passed), failed: Number(failed), problems: problems.get(name) ?? [] }];
  });
  return {
    scenarios,
    passedScenarios: scenarios.filter(({ failed }) => failed === 0).length,
    totalScenarios: scenarios.length,
    passedChecks: scenarios.reduce((sum, { passed }) => sum + passed, 0),
    failedChecks: scenarios.reduce((sum, { failed }) => sum + failed, 0),
    output,
  };
}

function runCli(run: ConformanceRun, folder: string): Promise<string> {
  const child = spawn(process.execPath, [...missingGlobSyncHook(), cliOf(run), ...argumentsOf(run, folder)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: run.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    // The exit code says whether a check failed, which the report says in more words.
    child.on('close', (_code, signal) => (signal === null ? resolve(output) : reject(new Error(`the suite took too long: ${output.slice(-2_000)}`))));
  });
}

function argumentsOf(run: ConformanceRun, folder: string): string[] {
  const which = run.scenario === undefined ? ['--suite', 'all'] : ['--scenario', run.scenario];
  const version = run.specVersion === undefined ? [] : ['--spec-version', run.specVersion];
  return ['server', '--url', run.url, ...which, ...version, '--output-dir', folder];
}

function cliOf(run: ConformanceRun): string {
  if (run.cli !== undefined) return run.cli;
  // The package exports nothing; its only file is the command.
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
  return join(manifest, '..', 'dist', 'index.js');
}
