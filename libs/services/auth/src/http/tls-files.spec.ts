import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { createLogger } from '@gatehouse/telemetry';
import { TestAuthority } from '@gatehouse/testing';
import { describe, expect, it } from '@jest/globals';
import { followTlsFiles, readTlsFiles } from './tls-files.js';

const serialAt = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });

describe('the certificate of the listener', () => {
  it('is exchanged without a restart, and kept while the new pair does not fit together', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-tls-'));
    const authority = new TestAuthority();
    const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    const write = async ({ cert, key }: { cert?: string; key?: string }): Promise<void> => {
      if (cert !== undefined) await writeFile(files.certFile, cert);
      if (key !== undefined) await writeFile(files.keyFile, key);
    };
    await write(authority.issue({ names: ['auth'] }));
    const server = createServer(readTlsFiles(files), (_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const stop = followTlsFiles(server, files, createLogger({ service: 'auth', level: 'silent' }));
    const { port } = server.address() as AddressInfo;
    const first = await serialAt(port);
    const renewed = authority.issue({ names: ['auth'] });
    await write({ cert: renewed.cert });
    await sleep(2_500);
    expect(await serialAt(port)).toBe(first);
    await write({ key: renewed.key });
    for (const until = Date.now() + 10_000; (await serialAt(port)) === first && Date.now() < until; ) await sleep(100);
    expect(await serialAt(port)).not.toBe(first);
    stop();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);
});
