import { beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 30_000;
const BOUNDARY = '@nx/enforce-module-boundaries';
const root = fileURLToPath(new URL('..', import.meta.url));

interface Planted {
  says: string;
  path: string;
  text: string;
  rule: string | null;
}

const row = (says: string, path: string, text: string, rule: string | null): Planted => ({ says, path, text, rule });
const lines = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join('\n');

const PLANTED: readonly Planted[] = [
  row('a service imports another service', 'libs/services/vault/src/x.ts', "import '@gatehouse/service-policy';", BOUNDARY),
  row('a path reaches into another lib', 'libs/bus/src/x.ts', "import '../../kernel/src/index.js';", BOUNDARY),
  row('an app imports a foreign service', 'apps/vault/src/x.ts', "import '@gatehouse/service-policy';", BOUNDARY),
  row('the kernel imports Nest', 'libs/kernel/src/x.ts', "import '@nestjs/common';", BOUNDARY),
  row('contracts import the bus', 'libs/contracts/src/x.ts', "import '@gatehouse/bus';", BOUNDARY),
  row('a platform lib imports a service', 'libs/persistence/src/x.ts', "import '@gatehouse/service-audit';", BOUNDARY),
  row('the command line imports persistence', 'apps/cli/src/x.ts', "import '@gatehouse/persistence';", BOUNDARY),
  row('the gateway imports a database driver', 'libs/services/gateway/src/x.ts', "import 'pg';", BOUNDARY),
  row('audit imports a Redis client', 'libs/services/audit/src/x.ts', "import 'ioredis';", BOUNDARY),
  row('config imports an ORM', 'libs/config/src/x.ts', "import 'typeorm';", BOUNDARY),
  row('product code imports the test world', 'libs/bus/src/x.ts', "import '@gatehouse/testing';", BOUNDARY),
  row('a service reads the environment', 'libs/services/auth/src/x.ts', "/** . */\nexport const a = process.env['A'];", 'no-restricted-syntax'),
  row('another file of the command line reads the environment', 'apps/cli/src/x.ts', '/** . */\nexport const a = process.env;', 'no-restricted-syntax'),
  row('a service opens a socket', 'libs/services/policy/src/x.ts', "import 'node:https';", 'no-restricted-imports'),
  row('a service fetches', 'libs/services/policy/src/x.ts', "await fetch('http://x');", 'no-restricted-globals'),
  row('the gateway encrypts', 'libs/services/gateway/src/x.ts', "import { createCipheriv } from 'node:crypto';\ncreateCipheriv('a', 'b', 'c');", 'no-restricted-syntax'),
  row('a lib prints', 'libs/mcp/src/x.ts', "console.log('x');", 'no-console'),
  row('a default export', 'libs/mcp/src/x.ts', 'export default 1;', 'no-restricted-syntax'),
  row('a barrel', 'libs/mcp/src/x.ts', "export * from './y.js';", 'no-restricted-syntax'),
  row('an empty catch', 'libs/mcp/src/x.ts', 'try {\n  JSON.parse("1");\n} catch {}', 'no-empty'),
  row('an export without a comment', 'libs/mcp/src/x.ts', 'export const a = 1;', 'gatehouse/doc-comments'),
  row('a file that names nothing', 'libs/mcp/src/string-utils.ts', 'const a = 1;\nString(a);', 'gatehouse/file-names'),
  row('a focused test', 'libs/mcp/src/x.spec.ts', "describe.only('x', () => undefined);", 'no-restricted-syntax'),
  row('a skipped test', 'libs/mcp/src/x.spec.ts', "it.skip('x', () => undefined);", 'no-restricted-syntax'),
  row('a file of 301 lines', 'libs/mcp/src/x.ts', lines(301, (n) => `export const a${n} = ${n};`), 'max-lines'),
  row('a function of 51 lines', 'libs/mcp/src/x.ts', `/** . */\nexport function f() {\n${lines(50, (n) => `  String(${n});`)}\n}`, 'max-lines-per-function'),
  row('five parameters', 'libs/mcp/src/x.ts', '/** . */\nexport const f = (a, b, c, d, e) => [a, b, c, d, e];', 'max-params'),
  row('a service imports platform and kernel', 'libs/services/vault/src/x.ts', "import '@gatehouse/persistence';\nimport '@gatehouse/kernel';\nimport '@gatehouse/contracts';", null),
  row('the app of everything imports services', 'apps/gatehouse/src/x.ts', "import '@gatehouse/service-auth';\nimport '@gatehouse/demo-server';", null),
  row('a spec imports the test world', 'libs/bus/src/x.spec.ts', "import '@gatehouse/testing';", null),
  row('outbound opens sockets', 'libs/outbound/src/x.ts', "import 'undici';\nimport 'node:net';", null),
  row('a service looks at an address', 'libs/services/policy/src/x.ts', "import { isIP } from 'node:net';\nisIP('x');", null),
  row('a service connects', 'libs/services/policy/src/x.ts', "import { connect } from 'node:net';\nconnect(1);", 'no-restricted-imports'),
  row('config reads the environment', 'libs/config/src/x.ts', '/** . */\nexport const a = process.env;', null),
];

/** Lints all texts in one process: loading ESLint takes longer than all of them together. */
function lintTexts(files: readonly Planted[]): Promise<string[][]> {
  return new Promise((resolve, reject) => {
    const options = { cwd: root, timeout: LIMIT_MS, maxBuffer: 10_000_000 };
    const child = execFile(process.execPath, ['tools/lint/lint-texts.mjs'], options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as string[][]);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
    child.stdin?.end(JSON.stringify(files));
  });
}

describe('lint', () => {
  let broken: string[][] = [];
  beforeAll(async () => {
    broken = await lintTexts(PLANTED);
  }, LIMIT_MS);

  it.each(PLANTED.map((planted, index) => ({ ...planted, index })).filter(({ rule }) => rule !== null))('is red when $says', ({ rule, index }) => {
    expect(broken[index]).toContain(rule);
  });

  it.each(PLANTED.map((planted, index) => ({ ...planted, index })).filter(({ rule }) => rule === null))('is green when $says', ({ index }) => {
    expect(broken[index]).toEqual([]);
  });
});
