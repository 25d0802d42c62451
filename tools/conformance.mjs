import { parseArgs } from 'node:util';
import { build } from './run-step.mjs';

const { values } = parseArgs({
  options: {
    form: { type: 'string', default: 'one' },
    cli: { type: 'string' },
    'spec-version': { type: 'string' },
    // The scenarios for authorization servers; needs --cli of a suite from 0.2 on.
    authorization: { type: 'boolean', default: false },
    // The scenarios for clients: Gatehouse signs in to the suite's servers. One of them, or all.
    client: { type: 'boolean', default: false },
    scenario: { type: 'string' },
  },
});
if (!['one', 'five'].includes(values.form)) throw new Error('--form is one or five');

const built = await build();
if (built !== 0) process.exit(built);
if (values.authorization) {
  if (values.cli === undefined) throw new Error('--authorization needs --cli: the entry file of a suite from 0.2 on');
  const { authorizationConformance } = await import('../apps/e2e/dist/bench/authorization-conformance.js');
  process.exit(await authorizationConformance(values.form, values.cli, (line) => process.stdout.write(`${line}\n`)));
}
if (values.client) {
  const { clientConformance } = await import('../apps/e2e/dist/conformance-client/client-conformance.js');
  const which = { ...(values.cli && { cli: values.cli }), ...(values.scenario && { scenario: values.scenario }) };
  process.exit(await clientConformance(values.form, which, (line) => process.stdout.write(`${line}\n`)));
}
const { compareConformance } = await import('../apps/e2e/dist/bench/compare-conformance.js');
const suite = { ...(values.cli && { cli: values.cli }), ...(values['spec-version'] && { specVersion: values['spec-version'] }) };
process.exitCode = await compareConformance(values.form, suite, (text) => process.stdout.write(`${text}\n`));
