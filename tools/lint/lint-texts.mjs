import { text } from 'node:stream/consumers';
import { openLinter, rulesBroken } from './linter.mjs';

// A program of its own because nx and ESLint cannot be loaded inside the test runner's sandbox.
const files = JSON.parse(await text(process.stdin));
const eslint = await openLinter();
const answers = [];
for (const file of files) answers.push(await rulesBroken(eslint, file));
process.stdout.write(JSON.stringify(answers));
