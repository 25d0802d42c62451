import type { IncomingMessage } from 'node:http';
import { Refusal } from '@gatehouse/kernel';

/**
 * Reads a body of at most `maxBytes` within `limitMs`. Refuses with `too_large` before holding more
 * than the limit, with `request_timeout` when it trickles, with `bad_request` when the client goes away.
 */
export function readBody(request: IncomingMessage, maxBytes: number, limitMs: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) return Promise.reject(new Refusal('too_large', { limitBytes: maxBytes }));
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let size = 0;
    const timer = setTimeout(() => fail(new Refusal('request_timeout')), limitMs);
    const done = (): void => {
      clearTimeout(timer);
      request.removeAllListeners('data');
    };
    const fail = (refusal: Refusal): void => {
      done();
      request.pause();
      reject(refusal);
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) return fail(new Refusal('too_large', { limitBytes: maxBytes }));
      if (first === undefined) first = chunk;
      else (rest ??= [first]).push(chunk);
    });
    request.once('end', () => {
      done();
      resolve(rest === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(rest, size));
    });
    request.once('error', () => fail(new Refusal('bad_request', { problem: 'the body ended early' })));
  });
}
