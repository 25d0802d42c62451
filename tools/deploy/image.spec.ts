import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RUNS } from '../../deploy/image/runs.mjs';

const IMAGE = fileURLToPath(new URL('../../deploy/image/', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT_MS = 20_000;

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function entry(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(IMAGE, 'entry.mjs'), ...args], { env, timeout: LIMIT_MS }, (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }));
  });
}

describe('the Dockerfile', () => {
  const read = (): Promise<string> => readFile(join(IMAGE, 'Dockerfile'), 'utf8');

  it('ends without root, without a shell in any command, on exact bases', async () => {
    const lines = (await read()).split('\n');
    expect(lines.filter((line) => line.startsWith('USER')).at(-1)).toBe('USER 65532:65532');
    for (const line of lines.filter((text) => /^(RUN|ENTRYPOINT|CMD)/.test(text))) expect(line).toMatch(/^\w+ \[/);
    expect(await read()).toMatch(/ARG NODE_IMAGE=docker\.io\/library\/node:\d+\.\d+\.\d+-[a-z]+-slim$/m);
    expect(await read()).not.toContain('latest');
    // The image itself begins with nothing: what is in it was put in by name.
    expect(lines.filter((line) => line.startsWith('FROM')).at(-1)).toBe('FROM scratch');
  });

  it('installs from the lock file and runs no script of a package', async () => {
    for (const line of (await read()).split('\n').filter((text) => text.includes('"npm"'))) expect(line).toMatch(/"npm", "ci", "--ignore-scripts"/);
  });
});

describe('what goes into the image', () => {
  it('has the data beside the code that the services read', () => {
    const files = readdirSync(join(ROOT, 'libs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\/src\/.*\.ts$/.test(name) && !/\.(spec|conformance)\.ts$|^testing\//.test(name))
      .map((name) => join('libs', name));
    const read = files.flatMap((file) => [...readFileSync(join(ROOT, file), 'utf8').matchAll(/new URL\('([^']+)', import\.meta\.url\)/g)].map(([, path]) => relative(ROOT, join(ROOT, dirname(file), path!))));
    expect(read.length).toBeGreaterThan(0);
    for (const path of read) expect([path, RUNS.some((pattern) => path.startsWith(pattern))]).toEqual([path, true]);
  });
});

describe('the entry of the image', () => {
  it.each([[[]], [['shell']]])('refuses %j and names the roles there are', async (args) => {
    const { code, stderr } = await entry(args);
    expect(code).toBe(64);
    expect(stderr).toContain('gateway, auth, vault, policy, audit');
  });

  it.each([
    [200, 0],
    [503, 1],
  ])('says in its health check what readiness says: %i', async (status, code) => {
    const server = createServer((_request, response) => void response.writeHead(status).end('{"vault":"is starting"}')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ended = await entry(['healthcheck'], { GATEHOUSE_METRICS_LISTEN: `0.0.0.0:${port}` });
    expect(ended.code).toBe(code);
    if (code === 1) expect(ended.stderr).toContain('503 {"vault":"is starting"}');
    server.close();
  });

  it('is unhealthy where nothing listens', async () => {
    expect((await entry(['healthcheck'], { GATEHOUSE_METRICS_LISTEN: '127.0.0.1:1' })).code).toBe(1);
  });
});

describe('the secrets of an installation', () => {
  let folder: string;
  const make = (): Promise<Ended> => entry(['init-secrets'], { INIT_SECRETS_DIR: folder, INIT_POSTGRES: 'postgres:5432', INIT_NATS: 'nats:4222', INIT_REDIS: 'redis:6379', INIT_AUTH: 'auth,127.0.0.1' });
  const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-secrets-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are made without a word about them', async () => {
    const { code, stdout, stderr } = await make();
    expect([code, stdout, stderr]).toEqual([0, 'secrets are there\n', '']);
    expect(Buffer.from(await file('vault/kek.key'), 'base64')).toHaveLength(32);
    expect(await file('auth/admin.token')).toMatch(/^[\w-]{43}$/);
  });

  it('are completed where a start was cut off, and never made anew', async () => {
    await make();
    const [kek, password, url] = [await file('vault/kek.key'), await file('postgres/vault.password'), await file('vault/nats.url')];
    await Promise.all(['vault/database.url', 'nats/passwords.conf', 'auth/admin.token'].map((name) => rm(join(folder, name))));
    await make();
    expect([await file('vault/kek.key'), await file('vault/nats.url')]).toEqual([kek, url]);
    expect(await file('vault/database.url')).toBe(`postgres://vault:${password}@postgres:5432/gatehouse`);
    expect(await file('nats/passwords.conf')).toContain(`vault_password: "${new URL(url).password}"`);
  });

  it('hold for Redis no password, only what it hashes to', async () => {
    await make();
    const acl = await file('redis/users.acl');
    expect(acl).toContain('user default off');
    expect(acl).not.toContain(new URL(await file('auth/redis.url')).password);
  });

  it('hold a certificate for auth that answers for no other server', async () => {
    await make();
    const certificate = new X509Certificate(await file('gateway/auth.crt'));
    expect(certificate).toMatchObject({ subjectAltName: 'DNS:auth, IP Address:127.0.0.1', ca: false });
    expect(certificate.checkPrivateKey(createPrivateKey(await file('auth/tls.key')))).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  it('stop the start when a file cannot be read, rather than being replaced', async () => {
    await make();
    await rm(join(folder, 'vault'), { recursive: true });
    await writeFile(join(folder, 'vault'), 'not a folder');
    expect(await make()).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOTDIR') });
  });
});
