import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One request as it arrived. */
export interface Arrived {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  /** The body as JSON, where it is JSON. */
  body: unknown;
  /** The body as a form, where it is one; else empty. */
  form: URLSearchParams;
}

/** What to answer: a status (default 200) and a JSON body. */
export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Answers by `METHOD /path`; a list is answered one by one, the last for ever. */
export type Routes = Record<string, Answer | Answer[] | ((request: Arrived) => Answer | Promise<Answer>)>;

/** A gateway as the command line sees one: HTTP on a free port that says what the test wants. */
export interface GatewayWorld {
  url: string;
  arrived: Arrived[];
  close(): Promise<void>;
}

/** Starts the world; paths without a route are 404 problems. */
export async function startGatewayWorld(routes: Routes): Promise<GatewayWorld> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await read(request);
    arrived.push(seen);
    const { status = 200, body, headers = {} } = await answerTo(routes, seen);
    response.writeHead(status, { 'content-type': status >= 400 ? 'application/problem+json' : 'application/json', ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<Arrived> {
  const url = new URL(request.url ?? '/', 'http://world');
  const body = await text(request);
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: body === '' || isForm ? undefined : JSON.parse(body),
    form: new URLSearchParams(isForm ? body : ''),
  };
}

async function answerTo(routes: Routes, request: Arrived): Promise<Answer> {
  const route = routes[`${request.method} ${request.path}`];
  if (route === undefined) return refusal(404, 'not_found', 'There is nothing here by that name.');
  if (typeof route === 'function') return route(request);
  if (!Array.isArray(route)) return route;
  return (route.length > 1 ? route.shift() : route[0]) ?? {};
}

/** An RFC 9457 problem as the admin API answers. */
export function refusal(status: number, code: string, title: string, more: object = {}): Answer {
  return { status, body: { type: `urn:gatehouse:${code}`, title, status, code, ...more } };
}
