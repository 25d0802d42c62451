import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url));
const REGISTER = new URL('./register.mjs', import.meta.url).href;
const NODE_FLAGS = ['--import', REGISTER, '--conditions=@gatehouse/source', '--enable-source-maps', '--disable-warning=ExperimentalWarning'];

/** One process that runs files, one after another. */
export class Lane {
  #child = fork(WORKER, [], { execArgv: NODE_FLAGS, serialization: 'advanced' });

  /** What became of the file: `result`, or `broken` when it could not be loaded or took the process with it (`rss` is then infinite). */
  run(order) {
    return new Promise((resolve) => {
      const died = (code, signal) => resolve({ broken: `the process that ran it ended (${signal ?? code})`, rss: Infinity });
      this.#child.once('exit', died);
      this.#child.once('message', (answer) => {
        this.#child.off('exit', died);
        resolve(answer);
      });
      this.#child.send(order);
    });
  }

  /** Ends the process, whatever the files left running in it. */
  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
