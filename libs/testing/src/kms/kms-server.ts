import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the service received it. */
export interface KmsRequest {
  method: string;
  /** Path with its query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One answer, sent as JSON. */
export interface KmsReply {
  status: number;
  json: unknown;
  headers?: Record<string, string>;
}

/** Answers a request; undefined lets it wait until the caller hangs up. */
export type KmsAnswer = (request: KmsRequest) => KmsReply | undefined;

/** An HTTP server that can go away and come back on its port. */
export class KmsServer {
  private server: Server | undefined;
  private port = 0;
  private received: KmsRequest[] = [];

  constructor(private readonly answer: KmsAnswer) {}

  /** Address without a path. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What arrived since the start. */
  get requests(): readonly KmsRequest[] {
    return this.received;
  }

  /** Listens; after `stop` on the same port again. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.handle(request, response));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Cuts every connection and listens no more. Safe to call twice. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const received = { method, path, headers, body: await bodyOf(request) };
    this.received.push(received);
    const reply = this.answer(received);
    if (reply === undefined) return;
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(JSON.stringify(reply.json));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
