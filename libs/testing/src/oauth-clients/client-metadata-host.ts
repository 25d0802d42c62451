import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SigningKeys, type Claims, type Signing } from '../identity-provider/signing-keys.js';
import type { TestAuthority } from '../tls/test-authority.js';

/** How a host of client documents is set up; every part has a default. */
export interface ClientMetadataHostOptions {
  /** Serves https with a certificate of this authority. */
  authority?: TestAuthority;
  /** The name in the URLs, to be resolved to 127.0.0.1 by the caller; `127.0.0.1` unless told. */
  hostname?: string;
}

/** How the host answers at one path; a good answer unless told. */
export interface MetadataReply {
  /** An object is sent as JSON, a string as it is. */
  body?: object | string;
  status?: number;
  contentType?: string;
  /** `Location` and, unless told, status 302. */
  redirectTo?: string;
  headers?: Record<string, string>;
  /** Waited before the answer. */
  delayMs?: number;
  /** White space is added up to this size, which JSON permits. */
  padToBytes?: number;
  /** Cuts the connection in place of an answer. */
  hangUp?: boolean;
}

/** One request for a document. */
export interface MetadataFetch {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

/** The path at which the host publishes the keys for `clientAssertion`. */
export const CLIENT_KEYS_PATH = '/oauth/jwks.json';

const ASSERTION_LIFE_S = 60;

/** A web server of client makers: Client ID Metadata Documents at chosen paths, well or badly served. */
export class ClientMetadataHost {
  readonly port: number;
  private readonly replies = new Map<string, MetadataReply>();
  private readonly keys = new SigningKeys();
  private fetched: MetadataFetch[] = [];

  /** For `startClientMetadataHost`. */
  constructor(
    private readonly server: ReturnType<typeof createHttp>,
    private readonly base: string,
  ) {
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.handle(request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
    this.serve(CLIENT_KEYS_PATH, { body: this.keys.published() });
  }

  /** Scheme, name and port. */
  get origin(): string {
    return `${this.base}:${this.port}`;
  }

  /** Answers so at this path from now on; gives the URL, which is the client_id of a document there. */
  serve(path: string, reply: MetadataReply): string {
    this.replies.set(path, reply);
    return `${this.origin}${path}`;
  }

  /** Requests since the start or the last `forget`, for one path when named. */
  fetches(path?: string): readonly MetadataFetch[] {
    return path === undefined ? this.fetched : this.fetched.filter((fetch) => fetch.path === path);
  }

  /** Empties the record. */
  forget(): void {
    this.fetched = [];
  }

  /** A `private_key_jwt` client assertion (RFC 7523 section 3) by the published keys; any claim can be overridden. */
  clientAssertion(clientId: string, audience: string, claims: Claims = {}, signing: Signing = {}): Promise<string> {
    const iat = Math.floor(Date.now() / 1_000);
    const honest = { iss: clientId, sub: clientId, aud: audience, iat, exp: iat + ASSERTION_LIFE_S, jti: randomUUID() };
    return this.keys.sign({ ...honest, ...claims }, signing);
  }

  /** Cuts every connection and stops listening. Safe to call twice. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    this.fetched.push({ method: request.method ?? '', path, headers: request.headers });
    const reply = this.replies.get(path) ?? { status: 404, body: 'no such document', contentType: 'text/plain' };
    if (reply.delayMs !== undefined) await sleep(reply.delayMs);
    if (reply.hangUp === true) request.socket.destroy();
    else answer(response, reply);
  }
}

/** Starts a host of client documents on a free loopback port. */
export async function startClientMetadataHost(options: ClientMetadataHostOptions = {}): Promise<ClientMetadataHost> {
  const { authority, hostname = '127.0.0.1' } = options;
  const server = authority === undefined ? createHttp() : createHttps(authority.issue({ names: [hostname] }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new ClientMetadataHost(server, `${authority === undefined ? 'http' : 'https'}://${hostname}`);
}

function answer(response: ServerResponse, reply: MetadataReply): void {
  const { redirectTo, body = '', contentType = 'application/json' } = reply;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const location = redirectTo === undefined ? {} : { location: redirectTo };
  response.writeHead(reply.status ?? (redirectTo === undefined ? 200 : 302), { 'content-type': contentType, ...location, ...reply.headers });
  response.end(text.padEnd(reply.padToBytes ?? 0, ' '));
}
