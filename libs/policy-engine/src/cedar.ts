import type * as CedarModule from '@cedar-policy/cedar-wasm/nodejs';
import { Fault, systemClock, type Clock } from '@gatehouse/kernel';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { compileFunction } from 'node:vm';

/** What the WebAssembly module exports. */
export type CedarApi = typeof CedarModule;

const RELOAD_PAUSE_MS = 1_000;
const require = createRequire(import.meta.url);
const GLUE = require.resolve('@cedar-policy/cedar-wasm/nodejs');

/**
 * A fresh instance of Cedar's WebAssembly with memory of its own. `import` would hand out the same
 * instance for ever, and one that trapped (stack overflow) answers nothing but traps from then on.
 */
function instantiate(): CedarApi {
  const exports = {};
  const glue = compileFunction(readFileSync(GLUE, 'utf8'), ['exports', 'require', '__dirname'], { filename: GLUE });
  glue(exports, require, dirname(GLUE));
  return exports as CedarApi;
}

/**
 * Cedar, replaced after a trap. The guards on texts and arguments are the first line; this is the
 * second: a text or a call that gets past them costs one answer, not the process's judgement.
 */
export class Cedar {
  #api: CedarApi | undefined;
  #generation = 0;
  #loadedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: Clock = systemClock) {}

  /** Grows with every instance given up: what an older generation had parsed is gone. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Runs `use` on the living instance. Throws a Fault when Cedar throws or traps (the instance is then given up), or
   * when the last one was started less than a second ago: starting takes 40 ms, and traps must not become a load.
   */
  run<T>(use: (cedar: CedarApi) => T): T {
    const api = this.#api ?? this.#start();
    try {
      return use(api);
    } catch (error) {
      this.#api = undefined;
      this.#generation += 1;
      throw new Fault('cedar gave up', { cause: error });
    }
  }

  #start(): CedarApi {
    const now = this.clock.monotonicMs();
    if (now - this.#loadedAt < RELOAD_PAUSE_MS) throw new Fault('cedar is being restarted too often');
    this.#loadedAt = now;
    return (this.#api = instantiate());
  }
}

/** The one Cedar of this process. */
export const cedar = new Cedar();
