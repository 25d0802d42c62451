import { parseArgs } from 'node:util';
import { build } from './run-step.mjs';

const { values } = parseArgs({
  options: {
    form: { type: 'string', default: 'one' },
    cli: { type: 'string' },
    'spec-version': { type: 'string' },
  },
});
if (!['one', 'five'].includes(values.form)) throw new Error('--form is one or five');

const built = await build();
if (built !== 0) process.exit(built);
const { compareConformance } = await import('../apps/e2e/dist/bench/compare-conformance.js');
const suite = { ...(values.cli && { cli: values.cli }), ...(values['spec-version'] && { specVersion: values['spec-version'] }) };
process.exitCode = await compareConformance(values.form, suite, (text) => process.stdout.write(`${text}\n`));
