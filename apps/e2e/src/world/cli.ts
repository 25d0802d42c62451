import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { World } from './world.js';

const BIN = fileURLToPath(new URL('../../../cli/bin/gatehouse.mjs', import.meta.url));
const LIMIT_MS = 30_000;

/** What a command printed and how it ended. */
export interface CliAnswer {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `gatehouse …` as a person would, signed in as the administrator unless `env` says otherwise. */
export function cli(world: World, args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd?: string): Promise<CliAnswer> {
  const own = { PATH: process.env['PATH'] ?? '', GATEHOUSE_URL: world.edges[0]!, GATEHOUSE_TOKEN: world.adminToken, ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { env: own, timeout: LIMIT_MS, ...(cwd === undefined ? {} : { cwd }) }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
  });
}

/** Runs a command with `-o json` and returns what it printed; throws when it failed. */
export async function cliJson(world: World, args: readonly string[]): Promise<any> {
  const answer = await cli(world, [...args, '-o', 'json']);
  if (answer.code !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${answer.code}: ${answer.stderr}`);
  return JSON.parse(answer.stdout);
}
