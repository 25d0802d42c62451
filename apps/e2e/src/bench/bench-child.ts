import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What every process that is compared runs with. */
export const NODE_FLAGS = ['--max-semi-space-size=64'];

const START_MS = 10_000;

/** A process of the bench, spoken to by messages; it ends when the bench does. */
export class BenchChild<First extends object> {
  private constructor(
    private readonly child: ChildProcess,
    /** Its first message, which says that it is ready. */
    readonly first: First,
  ) {}

  /** Starts a module of this folder. */
  static async start<First extends object>(module: string, ...args: string[]): Promise<BenchChild<First>> {
    const child = fork(fileURLToPath(new URL(`${module}.js`, import.meta.url)), args, { execArgv: NODE_FLAGS });
    return new BenchChild<First>(child, (await said(child, START_MS)) as First);
  }

  /** The process id. */
  get pid(): number {
    return this.child.pid!;
  }

  /** Sends a message and resolves to the next one it says; rejects when it ends or is silent for `limitMs`. */
  async ask<Reply>(message: object, limitMs: number): Promise<Reply> {
    const reply = said(this.child, limitMs);
    this.child.send(message);
    return (await reply) as Reply;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

function said(child: ChildProcess, limitMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new Error(`a process of the bench said nothing for ${limitMs} ms`))), limitMs);
    const heard = (message: unknown): void => settle(() => resolve(message));
    const ended = (code: number | null): void => settle(() => reject(new Error(`a process of the bench ended with ${String(code)}`)));
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      child.off('message', heard).off('exit', ended);
      then();
    };
    child.on('message', heard).on('exit', ended);
  });
}
