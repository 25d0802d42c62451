import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const READY_MS = 40_000;
const STOP_MS = 30_000;
const OUTPUT_KEPT = 4 * 1024 * 1024;

/** A process of Gatehouse as an operator runs it: from its build, with an environment and nothing else. */
export class ManagedProcess {
  #child: ChildProcess | undefined;
  #output = '';

  /** `app` is a folder of `apps/`; `metricsPort` is where its health is asked; `args` start it in another way than by its main. */
  constructor(
    readonly app: string,
    private readonly env: Readonly<Record<string, string>>,
    readonly metricsPort: number,
    private readonly args: readonly string[] = ['--max-semi-space-size=64', `${ROOT}apps/${app}/dist/main.js`],
  ) {}

  /** Everything it printed, both streams, over all its lives. */
  get output(): string {
    return this.#output;
  }

  /** The process id of this life. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and waits until it says it is ready; throws with its last output when it does not. */
  async start(): Promise<void> {
    this.#child = spawn(process.execPath, this.args, {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString('utf8')).slice(-OUTPUT_KEPT)));
    }
  }

  /** Waits until readiness says yes. */
  async ready(): Promise<void> {
    for (const until = Date.now() + READY_MS; Date.now() < until; await sleep(50)) {
      if (this.#child?.exitCode !== null) throw new Error(`${this.app} ended with ${String(this.#child?.exitCode)}:\n${this.#output.slice(-3_000)}`);
      if (await this.#isReady()) return;
    }
    throw new Error(`${this.app} did not become ready:\n${this.#output.slice(-3_000)}`);
  }

  /** Sends a signal; SIGKILL is waited for. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGKILL') await gone;
  }

  /** Asks it to stop and returns the exit code; kills it when it does not. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
    return child.exitCode;
  }

  async #isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.metricsPort}/readyz`, { signal: AbortSignal.timeout(1_000) });
      return answer.ok;
    } catch {
      // Not listening yet is the usual reason to ask again.
      return false;
    }
  }
}
