import { readFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { openBrowser } from './login/open-browser.js';

/** Everything a command reads from or writes to that is not the gateway: specs bring their own. */
export interface Surroundings {
  /** Address of the gateway as given or by default. */
  readonly url: string;
  /** GATEHOUSE_TOKEN, when it is set and not empty. */
  readonly token: string | undefined;
  /** File with the local administrator's token. */
  readonly adminTokenFile: string;
  /** True when the data directory was named: then its token may leave this machine. */
  readonly dataDirNamed: boolean;
  /** File with the logins of `gatehouse login`. */
  readonly loginFile: string;
  /** True when somebody sits at a terminal who can be asked to sign in. */
  readonly interactive: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Any variable, for `env:NAME` sources of secret headers. */
  variable(name: string): string | undefined;
  readFile(path: string): Promise<string>;
  /** Standard input whole, as text. */
  readInput(): Promise<string>;
  /** One line that somebody at the terminal types, not shown while they do. */
  askSecret(question: string): Promise<string>;
  /** Lines of standard input as they come, until it ends or the signal is aborted. */
  inputLines(signal: AbortSignal): AsyncIterable<string>;
  /** Opens a browser at an address; false when there is none to open. */
  openBrowser(url: string): Promise<boolean>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Aborted when the user interrupts. */
  readonly interrupted: AbortSignal;
}

/** Where text goes. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width in characters; undefined where there is no terminal. */
  readonly columns: number | undefined;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';
const DEFAULT_DATA_DIR = '.gatehouse';

/** The surroundings of this process: the only place of the command line that reads its environment. */
export function processSurroundings(): Surroundings {
  const { env } = process;
  const dataDir = env['GATEHOUSE_DATA_DIR'];
  return {
    url: env['GATEHOUSE_URL'] || DEFAULT_URL,
    token: env['GATEHOUSE_TOKEN'] || undefined,
    adminTokenFile: join(dataDir || DEFAULT_DATA_DIR, 'admin.token'),
    dataDirNamed: Boolean(dataDir),
    loginFile: join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'gatehouse', 'login.json'),
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    variable: (name) => env[name],
    readFile: (path) => readFile(path, 'utf8'),
    readInput: () => text(process.stdin),
    askSecret: hiddenLine,
    inputLines: (signal) => createInterface({ input: process.stdin, signal }),
    openBrowser,
    now: Date.now,
    interrupted: interruption(),
  };
}

/** The terminal would show what is typed; an interface that writes nowhere does not. */
async function hiddenLine(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  process.stderr.write(question);
  try {
    return await new Promise((resolve) => lines.once('line', resolve).once('close', () => resolve('')));
  } finally {
    process.stderr.write('\n');
    lines.close();
  }
}

function output(stream: NodeJS.WriteStream): Output {
  // A reader that went away (`| head`) is not a failure worth a stack trace.
  stream.on('error', () => process.exit(0));
  return { write: (chunk) => void stream.write(chunk), isTerminal: stream.isTTY, columns: stream.columns };
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}
