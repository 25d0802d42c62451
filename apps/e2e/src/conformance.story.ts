import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startConformanceUpstream, type ConformanceUpstream } from '@gatehouse/testing';
import { throughGateway } from './bench/compare-conformance.js';
import { inBothForms } from './world/world.js';

inBothForms(
  'the official conformance suite',
  (world) => {
    let upstream: ConformanceUpstream;

    beforeAll(async () => {
      upstream = await startConformanceUpstream();
    });
    afterAll(() => upstream.close());

    it('passes through the gateway as it does against the upstream alone', async () => {
      const report = await throughGateway(world(), upstream.url);
      expect(report.scenarios.filter(({ failed }) => failed > 0)).toEqual([]);
      expect([report.passedScenarios, report.totalScenarios]).toEqual([32, 32]);
    }, 180_000);
  },
  () => ({ shared: { GATEHOUSE_LOG_LEVEL: 'warn' } }),
);
