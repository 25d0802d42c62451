import { integer, type Field } from '@gatehouse/config';

/** Configuration of policy. */
export const policyConfigFields = {
  probeIntervalMs: {
    env: 'GATEHOUSE_PROBE_INTERVAL_MS',
    schema: integer({ min: 1_000, max: 86_400_000 }),
    default: '300000',
    unit: 'ms',
    describe: 'How often each running server is looked at: whether it answers and which tools it offers.',
  },
} as const satisfies Record<string, Field>;

/** Policy's part of the configuration. */
export interface PolicyConfig {
  probeIntervalMs: number;
}
