import { Lane } from './lane.mjs';
import { asJestResult } from './jest-result.mjs';

/** A process that grew this big is replaced before the next file. */
const MAX_RSS = 1_500_000_000;

/**
 * Runs test files in as many processes as Jest has workers. Unlike Jest's own runner it gives no file
 * a module registry or a realm of its own: modules are loaded by Node, once per process, which is
 * most of what a run cost (ADR 0014).
 */
// eslint-disable-next-line no-restricted-syntax -- Jest loads a runner by its default export
export default class NativeRunner {
  #config;

  constructor(globalConfig) {
    this.#config = globalConfig;
  }

  /** Jest's interface for runners: `onStart`, `onResult` and `onFailure` are told of each file. */
  async runTests(tests, watcher, ...tell) {
    const queue = [...tests];
    const lanes = Math.min(this.#config.maxWorkers, queue.length);
    await Promise.all(Array.from({ length: lanes }, () => this.#drain(queue, watcher, tell)));
  }

  async #drain(queue, watcher, [onStart, onResult, onFailure]) {
    let lane = new Lane();
    for (let test = queue.shift(); test !== undefined && !watcher.isInterrupted(); test = queue.shift()) {
      await onStart(test);
      const { result, broken, rss } = await lane.run({ path: test.path, ...this.#settings(test) });
      if (broken === undefined) await onResult(test, asJestResult(test, result));
      else await onFailure(test, { message: broken, stack: broken });
      if (rss <= MAX_RSS) continue;
      await lane.stop();
      lane = new Lane();
    }
    await lane.stop();
  }

  #settings(test) {
    const { testTimeout, testNamePattern } = this.#config;
    return { timeoutMs: test.context.config.testTimeout ?? testTimeout ?? 5_000, pattern: testNamePattern || null };
  }
}
