import { findServerBinary, type ServerBinary } from './find-server-binary.js';

interface SuiteGlobals {
  describe: (name: string, suite: () => void) => void;
  it: ((name: string, test: () => void) => void) & { skip: (name: string, test: () => void) => void };
}

/**
 * Registers a suite that needs a real server. Without the binary one skipped test says so, and
 * under CI=true one failing test, so that a leg cannot vanish unnoticed where it must run.
 * Reads the runner's globals because benchmarks load this package where no runner is.
 */
export function serverLeg(binary: ServerBinary, name: string, suite: () => void): void {
  const { describe, it } = globalThis as unknown as SuiteGlobals;
  if (findServerBinary(binary) !== undefined) {
    describe(name, suite);
    return;
  }
  describe(name, () => {
    if (process.env['CI'] === 'true') it(`finds ${binary}`, () => refuse(binary));
    else it.skip(`needs ${binary}, which is not installed`, () => undefined);
  });
}

function refuse(binary: ServerBinary): never {
  throw new Error(`${binary} is not installed, and CI may not leave this suite out`);
}
