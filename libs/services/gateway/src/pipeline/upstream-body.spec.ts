import { describe, expect, it } from '@jest/globals';
import type { Dispatcher } from 'undici';
import { UpstreamBody } from './upstream-body.js';

/** The connection as undici shows it to a handler. */
class Connection {
  paused = false;
  aborted = false;
  reason: Error | null = null;
  readonly rawHeaders = null;
  readonly rawTrailers = null;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
  }
}

const opened = (): { connection: Connection; body: UpstreamBody } => {
  const connection = new Connection();
  return { connection, body: new UpstreamBody(connection as unknown as Dispatcher.DispatchController) };
};

const KIB = Buffer.alloc(1024, 'x');

describe('UpstreamBody', () => {
  it('hands pieces on in order and then ends', async () => {
    const { body } = opened();
    body.push(Buffer.from('a'));
    const later = body.next().then(() => body.next());
    body.push(Buffer.from('b'));
    expect(String(await later)).toBe('b');
    body.end();
    expect(await body.next()).toBeUndefined();
    expect(await body.next()).toBeUndefined();
  });

  it('stops reading from the socket while the reader is slower, and goes on when it caught up', async () => {
    const { connection, body } = opened();
    for (let kib = 0; kib < 63; kib++) body.push(KIB);
    expect(connection.paused).toBe(false);
    body.push(KIB);
    expect(connection.paused).toBe(true);
    await body.next();
    expect(connection.paused).toBe(false);
  });

  it('gives what arrived before a failure, then the failure', async () => {
    const { body } = opened();
    body.push(Buffer.from('a'));
    body.fail(new Error('reset'));
    expect(String(await body.next())).toBe('a');
    await expect(body.next()).rejects.toThrow('reset');
  });

  it('wakes a waiting reader when it is aborted, closes the connection, and keeps the first reason', async () => {
    const { connection, body } = opened();
    const waiting = body.next();
    body.abort(new Error('cut'));
    body.fail(new Error('aborted by us'));
    await expect(waiting).rejects.toThrow('cut');
    expect([connection.aborted, connection.reason?.message]).toEqual([true, 'cut']);
  });

  it('does not touch a connection whose answer is complete: it may carry the next one already', () => {
    const { connection, body } = opened();
    body.end();
    body.abort(new Error('late'));
    expect(connection.aborted).toBe(false);
  });
});
