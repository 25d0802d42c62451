import { parseArgs } from 'node:util';
import { build, ROOT } from '../run-step.mjs';

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    form: { type: 'string', default: 'auto' },
    out: { type: 'string', default: `${ROOT}reports/bench.json` },
  },
});
if (!['auto', 'one', 'five'].includes(values.form)) throw new Error('--form is auto, one or five');

const built = await build();
if (built !== 0) process.exit(built);
const { runBench } = await import('../../apps/e2e/dist/bench/run-bench.js');
process.exitCode = await runBench(values, (text) => process.stdout.write(`${text}\n`));
