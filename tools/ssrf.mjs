import { build, runStep } from './run-step.mjs';

// Every hostile address at every place that takes or finds one: the long form of apps/e2e/src/ssrf.story.ts.
const built = await build();
const story = ['node_modules/jest/bin/jest.js', '--selectProjects', 'story', '--runInBand', '--testPathPatterns', 'ssrf'];
process.exitCode = built === 0 ? await runStep(process.execPath, story, { env: { SSRF_EVERY: '1' } }) : built;
