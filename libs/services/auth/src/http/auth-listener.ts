import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { asRefusalOrFault, errorRow, Fault, Refusal } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { followTlsFiles, readTlsFiles, type TlsFiles } from './tls-files.js';
import { html, sendPage } from '../pages/page.js';

/** What the listener is made of. */
export interface ListenerParts {
  /** The public origin: Host and scheme are pinned to it, whatever a request says (auth.md A1). */
  origin: string;
  log: Logger;
  /** Our authorization server, which reads its requests raw. */
  authorizationServer: { handle: RequestListener };
  /** Routes of the other areas. */
  areas: readonly ((app: FastifyInstance) => void)[];
}

/** The door of auth: a request handler, and where it listens when it does. */
export interface AuthListener {
  readonly handle: RequestListener;
  /** Listens for edges in other processes; resolves with the port bound. */
  listen(at: { host: string; port: number }, tls?: TlsFiles): Promise<number>;
  close(): Promise<void>;
}

const BODY_BYTES = 64 * 1_024;
const OWN_PATHS = new Set(['/authorize', '/token', '/register', '/revoke', '/par', '/jwks', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']);
const LIMITS = { maxHeaderSize: 16 * 1_024, headersTimeout: 10_000, requestTimeout: 30_000 };

/**
 * Builds the listener. In one process the edge calls `handle` itself; between processes it listens on an
 * address that only edges reach. It trusts the address an edge names (`x-forwarded-for`) for its limits
 * and nothing else of what a request says about where it came from.
 */
export async function openAuthListener(parts: ListenerParts): Promise<AuthListener> {
  const app = fastify({ trustProxy: true, bodyLimit: BODY_BYTES, routerOptions: { maxParamLength: 200 }, serverFactory: (handler) => createServer(handler) });
  pinOrigin(app, new URL(parts.origin));
  app.addHook('onRequest', (request, reply, done) => {
    if (!isAuthorizationServers(request.raw.url)) return done();
    reply.hijack();
    parts.authorizationServer.handle(request.raw, reply.raw as ServerResponse & { req: IncomingMessage });
  });
  readForms(app);
  answerTrouble(app, parts.log);
  for (const register of parts.areas) register(app);
  await app.ready();
  const servers: Server[] = [];
  const followed: (() => void)[] = [];
  const encrypted = (listener: RequestListener, tls: TlsFiles): Server => {
    const server = createTlsServer({ ...LIMITS, ...readTlsFiles(tls) }, listener);
    followed.push(followTlsFiles(server, tls, parts.log));
    return server;
  };
  const handle: RequestListener = (request, response) => app.routing(request, response);
  return {
    handle,
    listen: async (at, tls) => {
      const server = tls === undefined ? createServer(LIMITS, handle) : encrypted(handle, tls);
      servers.push(server);
      await bound(server, at);
      return (server.address() as AddressInfo).port;
    },
    close: async () => {
      for (const stop of followed) stop();
      await Promise.all(servers.map(closed));
      await app.close();
    },
  };
}

function isAuthorizationServers(url = '/'): boolean {
  const path = url.split('?', 1)[0]!;
  return OWN_PATHS.has(path) || path.startsWith('/authorize/') || path.startsWith('/register/');
}

function pinOrigin(app: FastifyInstance, { host, protocol }: URL): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw;
    headers.host = host;
    headers['x-forwarded-proto'] = protocol.slice(0, -1);
    delete headers['x-forwarded-host'];
    delete headers['forwarded'];
    done();
  });
}

// A parameter that stands twice is read in two ways by two readers: nothing of ours repeats one.
function readForms(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    const form = new URLSearchParams(body as string);
    const repeated = [...form.keys()].length !== new Set(form.keys()).size;
    done(repeated ? new Refusal('bad_request', { problem: 'a field stands twice' }) : null, form);
  });
}

function answerTrouble(app: FastifyInstance, log: Logger): void {
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new Refusal('not_found')));
  app.setErrorHandler((thrown: unknown, request, reply) => {
    const error = asRefusalOrFault(asRefusal(thrown));
    if (error instanceof Fault) log.error({ faultId: error.id, err: error.cause ?? error }, error.message);
    return sendProblem(request, reply, error);
  });
}

function asRefusal(thrown: unknown): unknown {
  const status = (thrown as { statusCode?: number } | null)?.statusCode;
  if (status === undefined || status >= 500 || thrown instanceof Refusal) return thrown;
  if (status === 413) return new Refusal('too_large');
  return new Refusal(status === 415 ? 'unsupported_media_type' : 'bad_request');
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, error: Refusal | Fault): FastifyReply {
  const row = errorRow(error.code);
  if (row.retryable && row.status === 503) void reply.header('retry-after', '1');
  if (request.headers.accept?.includes('text/html') === true) {
    const id = error instanceof Fault ? html`<p class="faint">Error id <code>${error.id}</code></p>` : undefined;
    return sendPage(reply, row.status, 'This did not work', html`<p>${row.sentence}</p>${id}`);
  }
  const details = error instanceof Fault ? { faultId: error.id } : error.details;
  const body = { ...details, type: `https://gatehouse.dev/errors/${error.code}`, title: row.sentence, status: row.status, code: error.code };
  return reply.status(row.status).header('cache-control', 'no-store').type('application/problem+json').send(JSON.stringify(body));
}

function bound(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new Fault(`auth cannot listen on ${host}:${port}`, { cause })));
    server.listen(port, host, () => resolve());
  });
}

function closed(server: Server): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), 5_000).unref();
  return done;
}
