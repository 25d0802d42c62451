import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startConformanceUpstream, type ConformanceUpstream } from '../upstreams/conformance/conformance-upstream.js';
import { startHeaderHop } from './header-hop.js';
import { runConformance } from './run-conformance.js';

describe('the obedient upstream', () => {
  let upstream: ConformanceUpstream;

  beforeAll(async () => {
    upstream = await startConformanceUpstream({ requiredHeader: { name: 'Authorization', value: 'Bearer suite' } });
  });
  afterAll(() => upstream.close());

  it('passes every server scenario of the official suite alone, through the hop that adds a credential', async () => {
    const hop = await startHeaderHop(upstream.url, { authorization: 'Bearer suite' });
    const report = await runConformance({ url: hop.url });
    await hop.close();
    expect(report.scenarios.filter(({ failed }) => failed > 0)).toEqual([]);
    expect(report.totalScenarios).toBeGreaterThanOrEqual(30);
    expect(report.passedScenarios).toBe(report.totalScenarios);
  }, 180_000);

  it('is told apart from a server that passes nothing', async () => {
    const report = await runConformance({ url: upstream.url, specVersion: '2025-06-18' });
    expect(report.passedScenarios).toBe(0);
    expect(report.scenarios[0]?.problems[0]).toMatch(/^FAILURE /);
  }, 180_000);
});
