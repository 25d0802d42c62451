import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, ROOT, runStep } from './run-step.mjs';
import { provideServers, skippedLegs } from './servers.mjs';
import { closingLine, exitCode, failedLeg, readReport, slowest, total } from './test-report.mjs';

const LEG_LIMIT_MS = 20 * 60_000;
const SLOWEST = 10;
const LEGS = [
  // Specs wait for servers and clocks more than they compute: four at once keep two cores busy.
  { name: 'unit', flags: ['--maxWorkers=4'] },
  // Each story starts whole Gatehouses; two at once still leave every limit of theirs room.
  { name: 'story', flags: ['--maxWorkers=2'] },
];

const reports = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
const results = await runAll(process.argv.slice(2));
await rm(reports, { recursive: true, force: true });
finish(total(results));

async function runAll(extra) {
  if ((await build()) !== 0) return [failedLeg()];
  const missing = await provideServers();
  if (missing.length > 0) say(skippedLegs(missing));
  const results = [];
  for (const leg of LEGS) results.push(...(await runLeg(leg, extra)));
  return results;
}

async function runLeg({ name, flags }, extra) {
  const output = join(reports, `${name}.json`);
  const jest = ['node_modules/jest/bin/jest.js', '--selectProjects', name, '--passWithNoTests', '--json', `--outputFile=${output}`];
  const code = await runStep(process.execPath, [...jest, ...flags, ...extra], { limitMs: LEG_LIMIT_MS });
  if (!existsSync(output)) return [failedLeg()];
  const result = readReport(JSON.parse(await readFile(output, 'utf8')));
  // Green tests and a bad exit: something was thrown outside of every test, or the run never ended.
  return code !== 0 && result.failed === 0 ? [result, failedLeg()] : [result];
}

function finish(sum) {
  say('\nSlowest tests:');
  slowest(sum.tests, SLOWEST, ROOT).forEach(say);
  say(`\n${closingLine(sum)}`);
  process.exitCode = exitCode(sum, process.env['CI'] === 'true');
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
