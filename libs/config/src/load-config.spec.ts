import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Secret } from '@gatehouse/kernel';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { z } from 'zod';
import { ConfigError } from './config-error.js';
import { defineConfig } from './config-schema.js';
import { loadConfig, type Environment } from './load-config.js';
import { isTooOpen } from './secret-file.js';
import { integer, onOff } from './text-schemas.js';

const SIBLING = defineConfig({ issuer: { env: 'GATEHOUSE_OIDC_ISSUER', schema: z.string().optional(), describe: 'Issuer.' } });
const SCHEMA = defineConfig(
  {
    workers: { env: 'GATEHOUSE_WORKERS', schema: integer({ min: 1, max: 64 }), default: '4', unit: 'workers', describe: 'Workers.' },
    demo: { env: 'GATEHOUSE_DEMO', schema: onOff(), default: 'off', describe: 'Sample server.' },
    name: { env: 'GATEHOUSE_NAME', schema: z.string(), describe: 'The name.' },
    key: { env: 'GATEHOUSE_KEY', schema: z.string().min(8, 'must have 8 characters or more').optional(), secret: true, describe: 'Key.' },
  },
  [SIBLING],
);

const problems = (env: Environment): readonly string[] => {
  try {
    loadConfig(SCHEMA, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};
const reveal = (secret: Secret | undefined): string | undefined => secret?.use((bytes) => bytes.toString());

describe('loadConfig', () => {
  it('reads values, takes defaults and leaves optional ones out', () => {
    const config = loadConfig(SCHEMA, { GATEHOUSE_NAME: 'n', GATEHOUSE_DEMO: 'on', PATH: '/bin' });
    expect(config).toEqual({ workers: 4, demo: true, name: 'n', key: undefined });
    const typed: { workers: number; demo: boolean; name: string; key: Secret | undefined } = config;
    expect(Object.isFrozen(typed)).toBe(true);
  });

  it('takes an empty variable for an unset one', () => {
    expect(loadConfig(SCHEMA, { GATEHOUSE_NAME: 'n', GATEHOUSE_WORKERS: '', GATEHOUSE_KEY: '' })).toMatchObject({ workers: 4, key: undefined });
  });

  it('tells all problems at once, one line each', () => {
    const env = { GATEHOUSE_WORKERS: '0', GATEHOUSE_DEMO: 'yes', GATEHOUSE_NAMES: 'x' };
    expect(problems(env)).toEqual([
      'GATEHOUSE_NAMES is not a setting; did you mean GATEHOUSE_NAME?',
      'GATEHOUSE_WORKERS must be a whole number from 1 to 64 (it is "0")',
      'GATEHOUSE_DEMO must be on or off (it is "yes")',
      'GATEHOUSE_NAME is required: The name.',
    ]);
    expect(() => loadConfig(SCHEMA, env)).toThrow(problems(env).join('\n'));
  });

  it('suggests nothing where nothing is near', () => {
    expect(problems({ GATEHOUSE_NAME: 'n', GATEHOUSE_FLUX_CAPACITOR: '1' })).toEqual(['GATEHOUSE_FLUX_CAPACITOR is not a setting']);
  });

  it('knows the names of siblings, of the client and of the platform', () => {
    const env = {
      GATEHOUSE_NAME: 'n',
      GATEHOUSE_OIDC_ISSUER: 'https://idp.example',
      GATEHOUSE_TOKEN: 't',
      GATEHOUSE_SERVICE_HOST: '10.0.0.1',
      GATEHOUSE_AUTH_SERVICE_PORT_HTTP: '80',
      GATEHOUSE_PORT: 'tcp://10.0.0.1:80',
      GATEHOUSE_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(problems(env)).toEqual([]);
    expect(problems({ GATEHOUSE_NAME: 'n', GATEHOUSE_PORT: '8080' })).toHaveLength(1);
  });

  it('gives a secret as a Secret and shows it nowhere', () => {
    const config = loadConfig(SCHEMA, { GATEHOUSE_NAME: 'n', GATEHOUSE_KEY: 'correct horse' });
    expect(reveal(config.key)).toBe('correct horse');
    expect(inspect(config) + JSON.stringify(config)).not.toContain('horse');
    expect(problems({ GATEHOUSE_NAME: 'n', GATEHOUSE_KEY: 'horse' })).toEqual(['GATEHOUSE_KEY must have 8 characters or more']);
  });
});

describe('a secret from a file', () => {
  let folder: string;
  let file: string;
  const withFile = (more: Environment = {}): Environment => ({ GATEHOUSE_NAME: 'n', GATEHOUSE_KEY_FILE: file, ...more });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
    file = join(folder, 'key');
    writeFileSync(file, 'correct horse\n', { mode: 0o600 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('loses its last line end and nothing else', () => {
    expect(reveal(loadConfig(SCHEMA, withFile()).key)).toBe('correct horse');
    writeFileSync(file, ' two\nlines \r\n');
    expect(reveal(loadConfig(SCHEMA, withFile()).key)).toBe(' two\nlines ');
  });

  it.each([0o644, 0o640, 0o604, 0o660, 0o620])('is refused with mode %o when the file is ours', (mode) => {
    chmodSync(file, mode);
    expect(problems(withFile())).toEqual([`GATEHOUSE_KEY_FILE names ${file}, which others can read; chmod 600 it`]);
  });

  it.each([
    [0o600, 7, false],
    [0o440, 7, true],
    [0o440, 0, false],
    [0o444, 0, true],
    [0o644, undefined, false],
  ])('with mode %o and owner 7 is too open for user %p: %p', (mode, self, expected) => {
    expect(isTooOpen({ mode, uid: 7 }, self)).toBe(expected);
  });

  it('is refused beside the variable itself, in one line', () => {
    expect(problems(withFile({ GATEHOUSE_KEY: 'correct horse' }))).toEqual(['GATEHOUSE_KEY_FILE and GATEHOUSE_KEY are both set; keep one']);
  });

  it('is refused when missing or empty', () => {
    writeFileSync(file, '\n');
    expect(problems(withFile())).toEqual([`GATEHOUSE_KEY_FILE names ${file}, which is empty`]);
    rmSync(file);
    expect(problems(withFile())).toEqual([`GATEHOUSE_KEY_FILE names ${file}, which cannot be read (ENOENT)`]);
  });

  it('exists for secrets only', () => {
    expect(problems({ GATEHOUSE_NAME_FILE: file, GATEHOUSE_NAME: 'n' })).toEqual(['GATEHOUSE_NAME_FILE is not a setting; did you mean GATEHOUSE_KEY_FILE?']);
  });
});
