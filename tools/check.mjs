import { runStep, TSC } from './run-step.mjs';

const CHECKS = [
  { name: 'types', args: [TSC, '-p', 'tsconfig.spec.json'] },
  { name: 'lint', args: ['tools/lint.mjs'] },
  { name: 'docs', args: ['tools/docs.mjs', '--check'] },
];

const failed = [];
for (const { name, args } of CHECKS) {
  process.stdout.write(`== ${name}\n`);
  if ((await runStep(process.execPath, args)) !== 0) failed.push(name);
}
process.stdout.write(failed.length === 0 ? 'check: all good\n' : `check: failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
