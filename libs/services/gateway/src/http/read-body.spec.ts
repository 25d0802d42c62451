import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { asRefusalOrFault } from '@gatehouse/kernel';
import { readBody } from './read-body.js';

const MAX_BYTES = 1_000;
const LIMIT_MS = 150;

describe('readBody', () => {
  let server: Server;
  let read: (body: { text?: string; code?: string; held: number }) => void = () => undefined;

  beforeAll(async () => {
    server = createServer((request, response) => void take(request).then(() => response.end()));
    server.on('clientError', (_error, socket) => socket.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const take = async (request: IncomingMessage): Promise<void> => {
    let held = 0;
    request.on('data', (chunk: Buffer) => (held += chunk.length));
    try {
      read({ text: (await readBody(request, MAX_BYTES, LIMIT_MS)).toString('utf8'), held });
    } catch (error) {
      read({ code: asRefusalOrFault(error).code, held });
    }
  };

  const sending = async (write: (socket: Socket) => void): Promise<{ text?: string; code?: string; held: number }> => {
    const answer = new Promise<{ text?: string; code?: string; held: number }>((resolve) => (read = resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    write(socket);
    const outcome = await answer;
    socket.destroy();
    return outcome;
  };

  const head = (more: string): string => `POST / HTTP/1.1\r\nHost: h\r\n${more}\r\n\r\n`;

  it('reads what arrives in one piece, in many, and nothing', async () => {
    expect(await sending((socket) => socket.write(`${head('Content-Length: 5')}hello`))).toMatchObject({ text: 'hello' });
    const pieces = head('Transfer-Encoding: chunked') + '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';
    expect(await sending((socket) => socket.write(pieces))).toMatchObject({ text: 'hello' });
    expect(await sending((socket) => socket.write(head('Content-Length: 0')))).toMatchObject({ text: '' });
  });

  it('refuses an announced length over the limit without reading (E-06)', async () => {
    expect(await sending((socket) => socket.write(head(`Content-Length: ${MAX_BYTES + 1}`)))).toEqual({ code: 'too_large', held: 0 });
  });

  it('takes the last byte of the limit and refuses the one after it', async () => {
    const exact = 'x'.repeat(MAX_BYTES);
    expect(await sending((socket) => socket.write(head(`Content-Length: ${MAX_BYTES}`) + exact))).toMatchObject({ text: exact });
    const over = `${head('Transfer-Encoding: chunked')}${MAX_BYTES.toString(16)}\r\n${exact}\r\n1\r\nx\r\n0\r\n\r\n`;
    expect(await sending((socket) => socket.write(over))).toMatchObject({ code: 'too_large' });
  });

  it('refuses a body that has no length when it passes the limit, and holds no more than that', async () => {
    const outcome = await sending((socket) => {
      socket.write(head('Transfer-Encoding: chunked'));
      for (let piece = 0; piece < 50; piece++) socket.write(`190\r\n${'x'.repeat(400)}\r\n`);
    });
    expect(outcome.code).toBe('too_large');
    expect(outcome.held).toBeLessThan(70_000);
  });

  it('refuses what trickles (E-22)', async () => {
    expect(await sending((socket) => socket.write(`${head('Content-Length: 10')}x`))).toMatchObject({ code: 'request_timeout' });
  });

  it('refuses what ends early', async () => {
    expect(await sending((socket) => socket.write(`${head('Content-Length: 10')}x`, () => setTimeout(() => socket.destroy(), 20)))).toMatchObject({ code: 'bad_request' });
  });
});
