import { describe, expect, it } from '@jest/globals';
import { defineConfig } from './config-schema.js';
import { describeConfig } from './describe-config.js';
import { FIELDS, listenField, required } from './fields.js';
import { loadConfig } from './load-config.js';
import { parseListen } from './text-schemas.js';

const SCHEMA = defineConfig({ listen: listenField('127.0.0.1:8080'), ...FIELDS });
const load = (env: Record<string, string>) => loadConfig(SCHEMA, env);

describe('the settings that services share', () => {
  it('have defaults that work', () => {
    expect(load({})).toMatchObject({ listen: '127.0.0.1:8080', metricsListen: '127.0.0.1:9464', logLevel: 'info', databaseUrl: undefined });
    expect(load({ GATEHOUSE_DATA_DIR: 'data' }).dataDir).toMatch(/^\/.*\/data$/);
  });

  it.each([
    ['GATEHOUSE_LISTEN', '8080'],
    ['GATEHOUSE_LISTEN', '127.0.0.1:65536'],
    ['GATEHOUSE_LISTEN', '::1:8080'],
    ['GATEHOUSE_LOG_LEVEL', 'verbose'],
    ['GATEHOUSE_NATS_URL', 'http://nats:4222'],
    ['GATEHOUSE_REDIS_URL', 'localhost:6379'],
    ['GATEHOUSE_DATABASE_URL', 'mysql://db/x'],
    ['GATEHOUSE_PUBLIC_URL', 'https://gate.example/path'],
    ['GATEHOUSE_PUBLIC_URL', 'https://user@gate.example'],
    ['GATEHOUSE_PUBLIC_URL', 'ftp://gate.example'],
  ])('refuse %s=%s', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(name);
  });

  it.each(['http://gate.example', 'http://10.0.0.1:8080', 'http://127.0.0.1.example'])('refuse the readable public URL %s', (url) => {
    expect(() => load({ GATEHOUSE_PUBLIC_URL: url })).toThrow('must be https');
  });

  it.each(['https://gate.example', 'http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080'])('take the public URL %s', (url) => {
    expect(load({ GATEHOUSE_PUBLIC_URL: `${url}/` }).publicUrl).toBe(url);
  });

  it('refuse a database password out of an example, except on this machine, and do not show it', () => {
    const remote = { GATEHOUSE_DATABASE_URL: 'postgres://gatehouse:ChangeMe@db.example/gatehouse' };
    expect(() => load(remote)).toThrow('GATEHOUSE_DATABASE_URL uses a password that everybody knows; choose another one');
    expect(load({ GATEHOUSE_DATABASE_URL: 'postgres://gatehouse:gatehouse@127.0.0.1:5432/postgres' }).databaseUrl).toBeDefined();
    expect(() => load({ GATEHOUSE_DATABASE_URL: 'postgres://u:%zz@db/x' })).not.toThrow(URIError);
  });

  it('can be required where nothing stands in', () => {
    const strict = defineConfig({ databaseUrl: required(FIELDS.databaseUrl) });
    expect(() => loadConfig(strict, {})).toThrow('GATEHOUSE_DATABASE_URL is required: PostgreSQL 15 to 18.');
    const { databaseUrl } = loadConfig(strict, { GATEHOUSE_DATABASE_URL: 'postgres://u:p@db/x' });
    expect(databaseUrl.use((bytes) => bytes.toString())).toBe('postgres://u:p@db/x');
  });

  it('describe themselves for the reference page', () => {
    const rows = describeConfig(SCHEMA);
    expect(rows.find(({ env }) => env === 'GATEHOUSE_NATS_URL')).toMatchObject({ fileEnv: 'GATEHOUSE_NATS_URL_FILE', required: false, secret: true });
    expect(rows.find(({ env }) => env === 'GATEHOUSE_LOG_LEVEL')).toMatchObject({ default: 'info', fileEnv: undefined, required: false });
    expect(describeConfig(defineConfig({ natsUrl: required(FIELDS.natsUrl) }))[0]).toMatchObject({ required: true });
    expect(rows.every(({ describe: sentence }) => sentence.endsWith('.'))).toBe(true);
  });
});

describe('parseListen', () => {
  it.each([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['gateway:80', { host: 'gateway', port: 80 }],
    ['host:port', undefined],
  ])('reads %s', (text, expected) => {
    expect(parseListen(text)).toEqual(expected);
  });
});
