import { expect, it } from '@jest/globals';
import { askPort } from './ask-port.js';
import type { TestServer } from './child-server.js';
import type { ServerBinary } from './find-server-binary.js';
import { startNats } from './nats.js';
import { startPostgres } from './postgres.js';
import { startRedis } from './redis.js';
import { serverLeg } from './server-leg.js';

const KINDS: readonly [ServerBinary, () => Promise<TestServer>][] = [
  ['nats-server', startNats],
  ['redis-server', startRedis],
  ['postgres', startPostgres],
];

for (const [binary, start] of KINDS) {
  serverLeg(binary, `a test's own ${binary}`, () => {
    it('survives kill -9 and a restart on the same port, and is gone after stop', async () => {
      const server = await start();
      const url = server.url;
      await server.kill('SIGKILL');
      expect(await askPort(server.port, '')).toBeUndefined();
      await server.restart();
      expect(server.url).toBe(url);
      await server.restart();
      await server.stop();
      await server.stop();
      expect(await askPort(server.port, '')).toBeUndefined();
    }, 60_000);
  });
}

serverLeg('redis-server', 'data of a test server', () => {
  it('is kept over kill -9 and restart', async () => {
    const server = await startRedis(['--appendfsync', 'always']);
    await askPort(server.port, 'SET door open\r\n');
    await server.kill('SIGKILL');
    await server.restart();
    const answer = await askPort(server.port, 'GET door\r\n');
    await server.stop();
    expect(answer?.toString()).toContain('open');
  });
});
