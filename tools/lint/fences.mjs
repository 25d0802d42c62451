const NETWORK_MODULES = ['http', 'https', 'http2', 'net', 'tls', 'dgram', 'dns', 'dns/promises'];
const networkPaths = NETWORK_MODULES.flatMap((name) => [name, `node:${name}`]).concat('undici');
/** Parts of node:net that look at addresses and open nothing. */
const ADDRESS_CHECKS = { allowImportNames: ['isIP', 'isIPv4', 'isIPv6', 'BlockList'] };
const MESSAGE = 'Sockets are opened by libs/outbound and the doors in tools/lint/fences.mjs only.';

/** Who may open sockets: what reaches out, what listens, and what starts the world for tests. */
export const NETWORK_DOORS = [
  'libs/outbound/src/**',
  'libs/services/gateway/src/http/**',
  'libs/services/auth/src/http/**',
  'libs/telemetry/src/**/*listener*.ts',
  'libs/persistence/src/**',
  'libs/bus/src/**',
  'libs/ephemeral/src/**',
  'libs/demo-server/src/**',
  'libs/testing/src/**',
  'apps/cli/src/**',
  'apps/e2e/**',
  'deploy/image/healthcheck.mjs',
  'tools/**',
];

/** Who may read the environment. The CLI has one file for it; the others are not part of a running service. */
export const ENVIRONMENT_DOORS = [
  'libs/config/src/**',
  'libs/testing/src/**',
  'apps/cli/src/surroundings.ts',
  'apps/e2e/**',
  'deploy/image/entry.mjs',
  'tools/**',
  '*.config.mjs',
];

/** Who may hold a cipher in its hands. */
export const CIPHER_DOORS = ['libs/kernel/src/sealing/**', 'libs/services/vault/src/sealing/**'];

/** Who may print: everything else has a logger. */
export const CONSOLE_DOORS = ['apps/cli/**', 'apps/e2e/**', 'tools/**', 'libs/telemetry/src/log/library-output*.ts'];

const network = {
  'no-restricted-imports': [
    'error',
    { paths: networkPaths.map((name) => ({ name, allowTypeImports: true, message: MESSAGE, ...(name === 'node:net' ? ADDRESS_CHECKS : {}) })) },
  ],
  'no-restricted-globals': [
    'error',
    { name: 'fetch', message: 'Reaching out goes through libs/outbound.' },
    { name: 'WebSocket', message: 'Reaching out goes through libs/outbound.' },
    { name: 'EventSource', message: 'Reaching out goes through libs/outbound.' },
  ],
};

const environment = {
  selector: "MemberExpression[object.name='process'][property.name='env'], MemberExpression[object.name='process'][property.value='env']",
  message: 'The environment is read by libs/config; take a slice of the configuration as a parameter.',
};
const environmentImport = {
  selector: "ImportDeclaration[source.value=/^(node:)?process$/]",
  message: 'Use the global process: an import of it would get past the rule about process.env.',
};
const ciphers = {
  selector: 'Identifier[name=/^create(Cipher|Decipher)iv$/]',
  message: 'Ciphers live in kernel/src/sealing and services/vault/src/sealing.',
};
const shapes = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: "ExportSpecifier[exported.name='default']", message: 'Named exports only.' },
  { selector: 'ExportAllDeclaration[exported=null]', message: 'A door is a plain list of exports.' },
  { selector: 'TSEnumDeclaration', message: 'A union of literals does it.' },
  { selector: 'TSInterfaceDeclaration[id.name=/^I[A-Z][a-z]/]', message: 'No I prefix.' },
  {
    selector: "CallExpression[callee.property.name=/^(only|skip|todo)$/][callee.object.name=/^(describe|it|test)$/]",
    message: 'A test runs, or it is not there.',
  },
  { selector: 'CallExpression[callee.name=/^(fdescribe|fit|xdescribe|xit|xtest)$/]', message: 'A test runs, or it is not there.' },
];

const syntax = (...more) => ({ 'no-restricted-syntax': ['error', ...shapes, ...more] });

/**
 * The fences as config blocks. `no-restricted-syntax` is one rule for several fences, so each door
 * repeats those that still hold for it.
 */
export const fences = [
  { files: ['**/*.ts', '**/*.mjs'], rules: { ...network, ...syntax(environment, environmentImport, ciphers), 'no-console': 'error' } },
  { files: NETWORK_DOORS, rules: { 'no-restricted-imports': 'off', 'no-restricted-globals': 'off' } },
  { files: ENVIRONMENT_DOORS, rules: syntax(ciphers) },
  { files: CIPHER_DOORS, rules: syntax(environment, environmentImport) },
  { files: CONSOLE_DOORS, rules: { 'no-console': 'off' } },
];
