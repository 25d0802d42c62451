import { once } from 'node:events';
import { createServer as createHttp, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestAuthority } from '../tls/test-authority.js';

/** One request as it arrived. */
export interface Arrived {
  at: 'server' | 'authorization';
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Answers one request. */
export type Respond = (arrived: Arrived, response: ServerResponse) => void | Promise<void>;

/** A running listener. */
export interface Listener {
  readonly origin: string;
  close(): Promise<void>;
}

/** Starts an http(s) listener on a free loopback port that reads a request whole before it is answered. */
export async function startListener(at: Arrived['at'], where: { authority?: TestAuthority | undefined; hostname: string }, respond: Respond): Promise<Listener> {
  const { authority, hostname } = where;
  const server = authority === undefined ? createHttp() : createHttps(authority.issue({ names: [hostname] }));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => void handle(at, request, response, respond));
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${authority === undefined ? 'http' : 'https'}://${hostname}:${port}`,
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function handle(at: Arrived['at'], request: IncomingMessage, response: ServerResponse, respond: Respond): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://any.invalid');
  const { method = 'GET', headers } = request;
  try {
    const body = await bodyOf(request);
    await respond({ at, method, path: url.pathname, query: url.searchParams, headers, body }, response);
  } catch (error) {
    // A sender that hung up; anything else shows in the answer.
    if (response.headersSent || request.destroyed) response.destroy();
    else response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
