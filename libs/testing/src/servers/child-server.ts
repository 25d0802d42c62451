import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real server of a test: one process, one port, data in a temp folder that `stop` removes. */
export interface TestServer {
  /** Connection URL; stays the same over `restart`. */
  readonly url: string;
  readonly port: number;
  /** Ends the process and removes its data. Safe to call twice. */
  stop(): Promise<void>;
  /** Sends a signal; resolves when the process is gone (at once for SIGSTOP and SIGCONT). Data stays. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts again on the same port with the same data, ending the process first if it still runs. */
  restart(): Promise<void>;
}

/** How one kind of server is started, recognised as ready and ended. */
export interface ChildServerPlan {
  command: string;
  args: readonly string[];
  url: string;
  port: number;
  /** User and group to run under; undefined keeps the own. */
  uid?: number | undefined;
  cwd: string;
  /** The signal that makes it finish quickly and cleanly. */
  stopSignal: NodeJS.Signals;
  isReady(): Promise<boolean>;
  cleanUp(): Promise<void>;
}

const READY_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;
const OUTPUT_KEPT = 4_000;
const HARMLESS: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGCONT'];

const running = new Set<ChildProcess>();
// A test run that is interrupted must not leave servers behind.
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Starts the planned server and resolves once it answers; rejects with its last output when it does not. */
export async function startChildServer(plan: ChildServerPlan): Promise<TestServer> {
  const server = new ChildServer(plan);
  await server.start();
  return server;
}

class ChildServer implements TestServer {
  readonly url: string;
  readonly port: number;
  private child: ChildProcess | undefined;
  private output = '';

  constructor(private readonly plan: ChildServerPlan) {
    this.url = plan.url;
    this.port = plan.port;
  }

  async start(): Promise<void> {
    const deadline = Date.now() + READY_LIMIT_MS;
    while (Date.now() < deadline) {
      // A server killed -9 may hold its lock for a moment longer, so one that exits early is tried again.
      if (!this.isRunning()) this.launch();
      if (await this.plan.isReady()) return;
      await sleep(30);
    }
    await this.stop();
    throw new Error(`${this.plan.command} did not become ready: ${this.output}`);
  }

  async stop(): Promise<void> {
    await this.end(this.plan.stopSignal);
    await this.plan.cleanUp();
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (HARMLESS.includes(signal)) this.child?.kill(signal);
    else await this.end(signal);
  }

  async restart(): Promise<void> {
    await this.end(this.plan.stopSignal);
    await this.start();
  }

  private isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  private launch(): void {
    const { command, args, cwd, uid } = this.plan;
    const user = uid === undefined ? {} : { uid, gid: uid };
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], ...user });
    const keep = (chunk: Buffer): void => void (this.output = (this.output + chunk.toString()).slice(-OUTPUT_KEPT));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => keep(Buffer.from(error.message)));
    child.on('exit', () => running.delete(child));
    running.add(child);
    this.child = child;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child === undefined || !this.isRunning()) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    // A stopped process acts on signals only after it continues.
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(timer);
  }
}
