import { run } from '../src/run.js';
import type { Output, Surroundings } from '../src/surroundings.js';

/** What a run left behind. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** What differs from a signed-in run in a pipe. */
export interface Given {
  url?: string;
  token?: string | undefined;
  terminal?: boolean;
  files?: Record<string, string>;
  variables?: Record<string, string>;
  input?: string;
  /** What somebody types who is asked for a secret. */
  typed?: string;
  now?: number;
  dataDirNamed?: boolean;
  interrupted?: AbortSignal;
  /** File of logins; one that is not there unless told. */
  loginFile?: string;
  /** Somebody is at the terminal who can be asked to sign in. */
  interactive?: boolean;
  /** What the person does with the address that a browser opens at; without it there is no browser. */
  browser?: (url: string) => void;
  /** Lines that come on standard input, one by one. */
  lines?: (written: () => string) => AsyncIterable<string>;
  /** Called with everything written to stdout so far. */
  onOutput?: (out: string) => void;
}

/** Runs one command line in surroundings made of plain data. */
export async function invoke(args: readonly string[], given: Given = {}): Promise<Ran> {
  const ran: Ran = { code: -1, out: '', err: '' };
  ran.code = await run(args, surroundings(given, ran));
  return ran;
}

function surroundings(given: Given, ran: Ran): Surroundings {
  const { terminal = false, files = {}, variables = {}, input = '' } = given;
  const output = (write: (text: string) => void): Output => ({ write, isTerminal: terminal, columns: terminal ? 200 : undefined });
  return {
    url: given.url ?? 'http://127.0.0.1:9',
    token: 'token' in given ? given.token : 'ghp_gatehouse_test',
    adminTokenFile: '.gatehouse/admin.token',
    dataDirNamed: given.dataDirNamed ?? false,
    ...signingIn(given, ran),
    stdout: output((text) => {
      ran.out += text;
      given.onOutput?.(ran.out);
    }),
    stderr: output((text) => void (ran.err += text)),
    variable: (name) => variables[name],
    readFile: (path) => readFrom(files, path),
    readInput: () => Promise.resolve(input),
    askSecret: (question) => {
      ran.err += `${question}\n`;
      return Promise.resolve(given.typed ?? '');
    },
    now: () => given.now ?? 1_750_000_000_000,
    interrupted: given.interrupted ?? new AbortController().signal,
  };
}

function signingIn(given: Given, ran: Ran): Pick<Surroundings, 'loginFile' | 'interactive' | 'inputLines' | 'openBrowser'> {
  return {
    loginFile: given.loginFile ?? '/nowhere/gatehouse/login.json',
    interactive: given.interactive ?? false,
    inputLines: () => given.lines?.(() => ran.err) ?? noLines(),
    openBrowser: async (url) => {
      given.browser?.(url);
      return given.browser !== undefined;
    },
  };
}

async function* noLines(): AsyncGenerator<string> {
  // Standard input is at its end from the start.
}

async function readFrom(files: Record<string, string>, path: string): Promise<string> {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  return text;
}
