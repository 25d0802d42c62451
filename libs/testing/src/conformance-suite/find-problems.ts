import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Check {
  name: string;
  status: string;
  description: string;
  errorMessage?: string;
}

const BAD: readonly string[] = ['FAILURE', 'WARNING'];
const FOLDER_NAME = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/;

/** Reads the `checks.json` that the suite writes per scenario and puts what went wrong in words, by scenario. */
export async function findProblems(folder: string): Promise<Map<string, string[]>> {
  const problems = new Map<string, string[]>();
  for (const name of await readdir(folder)) {
    const scenario = FOLDER_NAME.exec(name)?.[1];
    if (scenario !== undefined) problems.set(scenario, badChecks(await readFile(join(folder, name, 'checks.json'), 'utf8')));
  }
  return problems;
}

function badChecks(text: string): string[] {
  const checks = JSON.parse(text) as Check[];
  return checks
    .filter(({ status }) => BAD.includes(status))
    .map(({ name, status, errorMessage, description }) => `${status} ${name}: ${errorMessage ?? description}`);
}
