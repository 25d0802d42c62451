import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invoke } from '../test/invoke.js';
import { commandTree } from './command-tree.js';
import { buildProgram } from './program.js';
import { processSurroundings } from './surroundings.js';

const tree = commandTree(buildProgram(processSurroundings()));
const verbs = tree.filter(({ children, words }) => children.length === 0 && words.length > 0);

describe('the command tree', () => {
  it('has the verbs that exist, and no others', () => {
    expect(verbs.map(({ words }) => words.join(' '))).toEqual([
      'login',
      'logout',
      'whoami',
      ...['add', 'set', 'list', 'show', 'tools', 'probe', 'logs', 'debug', 'restart', 'stop', 'start', 'rm'].map((name) => `server ${name}`),
      'connect',
      ...['list', 'prefer', 'share', 'rm', 'explain'].map((name) => `identity ${name}`),
      'catalogue list',
      'catalogue import',
      ...['list', 'show', 'set', 'rm'].map((name) => `preset ${name}`),
      'call',
      ...['list', 'show', 'apply', 'delete', 'test'].map((name) => `policy ${name}`),
      'audit query',
      ...['create', 'list', 'revoke'].map((name) => `token ${name}`),
      ...['list', 'show', 'add', 'update', 'link', 'disable', 'enable'].map((name) => `person ${name}`),
      ...['list', 'set', 'rm'].map((name) => `team ${name}`),
      ...['list', 'set', 'rm'].map((name) => `role ${name}`),
      ...['list', 'add', 'rotate', 'disable'].map((name) => `service-account ${name}`),
      ...['list', 'add', 'allow', 'deny', 'rm', 'registration show', 'registration apply'].map((name) => `client ${name}`),
      ...['list', 'revoke'].map((name) => `grant ${name}`),
      ...['list', 'set', 'rm', 'test'].map((name) => `identity-provider ${name}`),
      ...['list', 'set', 'rm'].map((name) => `token-issuer ${name}`),
      ...['list', 'rotate'].map((name) => `signing-key ${name}`),
      ...['show', 'rotate'].map((name) => `vault-key ${name}`),
    ]);
  });

  it.each(verbs.map(({ words }) => [words.join(' '), words] as const))('%s has an example in its help, and -o', async (name, words) => {
    const ran = await invoke([...words, '--help']);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(`Example:\n  gatehouse ${name}`);
    expect(ran.out).toContain('--output <format>');
  });

  it.each([[['lgin']], [['server']], [['server', 'list', '--nope']], [['server', 'show']], [['server', 'list', '-o', 'csv']], [[]]])('%j is usage: exit 2', async (args) => {
    expect((await invoke(args)).code).toBe(2);
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('%s knows every verb and its options', async (shell) => {
    const ran = await invoke(['completion', shell]);
    expect(ran.code).toBe(0);
    for (const word of ['whoami', 'server', 'apply', 'follow', 'secret-header']) expect(ran.out).toContain(word);
  });

  it.each([
    ['server pro', 'probe'],
    ['pol', 'policy'],
    ['audit query --dec', '--decision'],
    ['audit query --decision d', 'deny'],
    ['identity-provider set okta --prov', '--provisioning'],
    ['client registration ap', 'apply'],
    ['completion z', 'zsh'],
  ])('completes "gatehouse %s" to %s in bash', async (line, expected) => {
    const { out } = await invoke(['completion', 'bash']);
    const words = ['gatehouse', ...line.split(' ')];
    const script = `${out}\nCOMP_WORDS=(${words.join(' ')})\nCOMP_CWORD=${words.length - 1}\n_gatehouse\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim()).toBe(expected);
  });
});

describe('the bin', () => {
  it('says how to build when nothing is built', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bin-'));
    try {
      mkdirSync(join(folder, 'bin'));
      copyFileSync(fileURLToPath(new URL('../bin/gatehouse.mjs', import.meta.url)), join(folder, 'bin', 'gatehouse.mjs'));
      expect(() => execFileSync(process.execPath, [join(folder, 'bin', 'gatehouse.mjs')], { stdio: 'pipe' })).toThrow(/run npm start first/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
