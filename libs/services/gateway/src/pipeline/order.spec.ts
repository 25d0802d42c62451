import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const PIPELINE = fileURLToPath(new URL('.', import.meta.url));
const COMPILER = join(ROOT, 'node_modules/typescript-native/bin/tsc');

const HEAD = `
import type { IncomingMessage } from 'node:http';
import type { Edge } from '../edge.js';
import { authenticate, type Caller } from './authenticate.js';
import { authorize, Authorized } from './authorize.js';
import { credential, type Armed } from './credential.js';
import { forward, type Presence } from './forward.js';
import { identify, type Identified } from './identify.js';
import { inspect } from './inspect.js';
import { read, type Read } from './read.js';
import type { Received } from './receive.js';
import { resolve, type Resolved } from './resolve.js';
declare const edge: Edge, presence: Presence, received: Received, caller: Caller, body: Read, resolved: Resolved, authorized: Authorized, identified: Identified, armed: Armed;
`;

const RIGHT = `
export async function right() {
  const known = await authenticate(received, edge);
  const permitted = authorize(await resolve(await read(known), edge));
  return inspect(await forward(await credential(await identify(permitted, edge), edge), presence, edge), edge);
}
`;

/** Each tries to get a call out past a step. */
const WRONG: Readonly<Record<string, string>> = {
  'forwards what nobody authorized': 'await forward(resolved, presence, edge);',
  'chooses a credential for what nobody authorized': 'await identify(resolved, edge);',
  'attaches a credential to what nobody authorized': 'await credential(resolved, edge);',
  'attaches a credential before it is known whose': 'await credential(authorized, edge);',
  'forwards what has no credential step behind it': 'await forward(authorized, presence, edge);',
  'decides before it is known what is asked': 'authorize(body);',
  'reads a body of nobody': 'await read(received);',
  'resolves what was not read': 'await resolve(caller, edge);',
  'answers what was not inspected': 'inspect(armed, edge);',
  'makes a permission by hand': 'new Authorized(resolved, authorized.decision);',
  'passes a look-alike of a permission': 'await identify({ resolved, decision: authorized.decision }, edge);',
  'passes a copy of a permission': 'await identify({ ...authorized }, edge);',
  'passes a choice of its own': 'await credential({ ...identified }, edge);',
  'passes a look-alike of an armed call': 'await forward({ resolved, destination: armed.destination, headers: {}, lease: undefined }, presence, edge);',
};

/** Lines on which the compiler complains, by file. */
function complaints(folder: string): Promise<Map<string, number>> {
  return new Promise((done) => {
    execFile(process.execPath, [COMPILER, '-p', folder, '--pretty', 'false'], { cwd: ROOT }, (_error, stdout) => {
      const found = new Map<string, number>();
      for (const [, file] of stdout.matchAll(/([^/\s(]+\.ts)\(\d+,\d+\): error TS/g)) found.set(file!, (found.get(file!) ?? 0) + 1);
      done(found);
    });
  });
}

describe('the order of the steps', () => {
  let folder: string;
  let found: Map<string, number>;
  const names = Object.keys(WRONG);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-order-'));
    const options = { noEmit: true, composite: false, declaration: false, sourceMap: false, incremental: false, typeRoots: [join(ROOT, 'node_modules/@types')] };
    const head = HEAD.replaceAll("'../", `'${join(PIPELINE, '..')}/`).replaceAll("'./", `'${PIPELINE}`);
    const write = (file: string, text: string): Promise<void> => writeFile(join(folder, file), head + text);
    await write('right.ts', RIGHT);
    for (const [at, name] of names.entries()) await write(`wrong-${at}.ts`, `export async function wrong() {\n  ${WRONG[name]!}\n}\n`);
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(ROOT, 'tsconfig.base.json'), compilerOptions: options, include: ['*.ts'] }));
    found = await complaints(folder);
  }, 60_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('compiles when it is kept', () => {
    expect([...found.keys()].filter((file) => !file.startsWith('wrong-'))).toEqual([]);
  });

  it.each([...names.entries()])('%i: does not compile when one %s', (at) => {
    expect(found.get(`wrong-${at}.ts`)).toBe(1);
  });
});
