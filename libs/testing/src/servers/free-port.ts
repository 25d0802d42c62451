import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below what systems give to outgoing connections (Linux 32768, macOS 49152): a port from there may be
// taken by anybody's connection before the server that it was looked up for listens.
const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES = 100;

/** A port of 127.0.0.1 that nobody listens on now; for servers that cannot be told "any port" themselves. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port in ${TRIES} tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
