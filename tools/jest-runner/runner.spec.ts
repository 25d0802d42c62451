import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import NativeRunner from './runner.mjs';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-runner-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Told {
  result?: { numPassingTests: number; numFailingTests: number; numPendingTests: number; failureMessage: string | null; testExecError?: { message: string } };
  failure?: { message: string };
}

/** Runs files of these texts in one process, one after another, and gives what Jest was told of each. */
async function run(texts: readonly string[], settings: { testTimeout?: number; testNamePattern?: string } = {}): Promise<Told[]> {
  const tests = texts.map((_, at) => ({ path: join(folder, `${at}.spec.mjs`), context: { config: { displayName: 'sample' } } }));
  await Promise.all(texts.map((text, at) => writeFile(tests[at]!.path, `const { describe, it, expect, beforeAll, afterAll } = globalThis;\n${text}`)));
  const told: Told[] = [];
  const hear = (key: keyof Told) => async (_: unknown, what: unknown) => void told.push({ [key]: what });
  const runner = new NativeRunner({ maxWorkers: 1, ...settings });
  await runner.runTests(tests, { isInterrupted: () => false }, async () => undefined, hear('result'), hear('failure'));
  return told;
}

const counts = ({ result }: Told) => [result?.numPassingTests, result?.numFailingTests, result?.numPendingTests];

describe('the runner of tests', () => {
  it('counts what passed, failed and was skipped, and says why', async () => {
    const [told] = await run([`it('good', () => expect(1).toBe(1)); describe('in a block', () => it('bad', () => expect(1).toBe(2))); it.skip('left out', () => {});`]);
    expect(counts(told!)).toEqual([1, 1, 1]);
    expect(told!.result!.failureMessage).toContain('in a block › bad');
    expect(told!.result!.failureMessage).toContain('Expected: 2');
  });

  it('fails a test that never ends, one that breaks in a hook, and one that keeps no promise of assertions', async () => {
    const told = await run(
      [`it('hangs', () => new Promise(() => {}));`, `beforeAll(() => { throw new Error('no world'); }); it('is fine', () => {});`, `it('promises', () => { expect.assertions(1); });`],
      { testTimeout: 100 },
    );
    expect(told.map(counts)).toEqual([[0, 1, 0], [0, 1, 0], [0, 1, 0]]);
    expect(told[0]!.result!.failureMessage).toContain('Exceeded timeout of 100 ms');
    expect(told[1]!.result!.failureMessage).toContain('no world');
  });

  it('fails a file that throws after its tests, one that cannot be loaded, and one that ends the process; the next one runs', async () => {
    const told = await run([
      `it('is fine', () => {}); afterAll(() => { throw new Error('left a mess'); });`,
      `import './nowhere.mjs';`,
      `it('ends it all', () => process.exit(0));`,
      `it('is fine', () => {});`,
    ]);
    expect(told[0]!.result!.testExecError!.message).toContain('left a mess');
    expect(told[1]!.failure!.message).toContain('nowhere.mjs');
    expect(told[2]!.failure!.message).toContain('ended (0)');
    expect(counts(told[3]!)).toEqual([1, 0, 0]);
  });

  it('gives the next file the environment and the clock that the last one found', async () => {
    const told = await run([
      `it('changes', () => { process.env.LEFT_BEHIND = 'x'; delete process.env.PATH; });`,
      `it('finds', () => { expect(process.env.LEFT_BEHIND).toBeUndefined(); expect(process.env.PATH).toBeDefined(); });`,
    ]);
    expect(told.map(counts)).toEqual([[1, 0, 0], [1, 0, 0]]);
  });

  it('runs the tests whose names are asked for', async () => {
    expect(counts((await run([`it('this', () => {}); it('that', () => { throw new Error('not asked for'); });`], { testNamePattern: 'this' }))[0]!)).toEqual([1, 0, 1]);
  });
});
