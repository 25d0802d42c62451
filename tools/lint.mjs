import { openLinter } from './lint/linter.mjs';

const eslint = await openLinter();
const results = await eslint.lintFiles(process.argv.length > 2 ? process.argv.slice(2) : ['.']);
const formatter = await eslint.loadFormatter('stylish');
process.stdout.write(await formatter.format(results));
process.exitCode = results.some((result) => result.errorCount + result.warningCount > 0) ? 1 : 0;
