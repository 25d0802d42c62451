import { runConformance, startConformanceUpstream, startHeaderHop, type ConformanceReport, type ConformanceRun } from '@gatehouse/testing';
import { startDistributed } from '../world/distributed-world.js';
import { startEmbedded } from '../world/embedded-world.js';
import type { World } from '../world/world.js';
import { served } from './served.js';
import { table } from './tables.js';

/** Which suite is run: the installed one, or another copy at one protocol revision. */
export type Suite = Pick<ConformanceRun, 'cli' | 'specVersion'>;

const QUIET = { GATEHOUSE_LOG_LEVEL: 'warn' };

/**
 * Runs the official suite against an upstream directly and through a whole Gatehouse, and says both per
 * scenario; resolves to the exit code: 1 when something passes directly and not through Gatehouse.
 */
export async function compareConformance(form: 'one' | 'five', suite: Suite, say: (text: string) => void): Promise<number> {
  const upstream = await startConformanceUpstream();
  const world = await (form === 'one' ? startEmbedded(QUIET) : startDistributed({ shared: QUIET }));
  try {
    const direct = await runConformance({ ...suite, url: upstream.url });
    const through = await throughGateway(world, upstream.url, suite);
    say(comparison(direct, through));
    return isWorse(direct, through) ? 1 : 0;
  } finally {
    await world.stop();
    await upstream.close();
  }
}

/** One run through the first edge, with the token that the suite cannot send itself. */
export async function throughGateway(world: World, upstreamUrl: string, suite: Suite = {}): Promise<ConformanceReport> {
  const [url] = await served(world, 'everything', upstreamUrl);
  const hop = await startHeaderHop(url!, { authorization: `Bearer ${world.adminToken}` });
  try {
    return await runConformance({ ...suite, url: hop.url });
  } finally {
    await hop.close();
  }
}

function comparison(direct: ConformanceReport, through: ConformanceReport): string {
  const rows = direct.scenarios.map(({ name, passed, failed }) => [name, `${passed}/${passed + failed}`, checksOf(through, name)]);
  const totals = [direct, through].map((report) => `${report.passedScenarios}/${report.totalScenarios}`);
  const checks = [direct, through].map((report) => `${report.passedChecks}/${report.passedChecks + report.failedChecks}`);
  const problems = through.scenarios.flatMap(({ name, problems: said }) => said.map((problem) => `through Gatehouse, ${name}: ${problem}`));
  return [table([['scenario (checks passed)', 'direct', 'through'], ...rows, ['scenarios', ...totals], ['checks', ...checks]]), ...problems].join('\n');
}

function checksOf({ scenarios }: ConformanceReport, name: string): string {
  const found = scenarios.find((scenario) => scenario.name === name);
  return found === undefined ? 'not run' : `${found.passed}/${found.passed + found.failed}`;
}

function isWorse(direct: ConformanceReport, through: ConformanceReport): boolean {
  if (direct.totalScenarios === 0) return true;
  return direct.scenarios.some(({ name, failed }) => failed === 0 && through.scenarios.find((other) => other.name === name)?.failed !== 0);
}
