import { spawn } from 'node:child_process';

/** Folder of the repository; every command of tools runs there. */
export const ROOT = new URL('..', import.meta.url).pathname;

/** The compiler: TypeScript 7, because `node_modules/.bin/tsc` is the one that lint needs. */
export const TSC = 'node_modules/typescript-native/bin/tsc';

/**
 * Runs one command with this terminal and resolves to its exit code; 1 when it ended by a signal.
 * `limitMs` ends a command that hangs, so that no step can hold a pipeline for ever.
 */
export function runStep(command, args, { env = {}, limitMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } });
    const timer = limitMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), limitMs);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code ?? 1);
    });
  });
}

/** Builds what changed; resolves to the compiler's exit code. */
export function build(...projects) {
  return runStep(process.execPath, [TSC, '-b', ...projects]);
}
