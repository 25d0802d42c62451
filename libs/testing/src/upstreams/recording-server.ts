import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as an upstream received it. */
export interface RecordedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Every header line in order, for duplicates and spelling. */
  rawHeaders: string[];
  body: string;
  /** The body parsed, or undefined when it is not JSON. */
  json: unknown;
}

/** What every upstream of a test can be asked. */
export interface Upstream {
  /** The MCP endpoint, on 127.0.0.1. */
  readonly url: string;
  readonly port: number;
  /** HTTP requests that arrived since the start or the last `forget`. */
  hits(): number;
  /** The last requests that arrived (1,000 are kept). */
  requests(): readonly RecordedRequest[];
  /** Those of `requests` that carry this JSON-RPC method. */
  calls(rpcMethod: string): readonly RecordedRequest[];
  /** Answers that the other side hung up on before they were complete. */
  aborted(): number;
  /** Empties the record and the counters. */
  forget(): void;
  /** Cuts every connection and stops listening. Safe to call twice. */
  close(): Promise<void>;
}

/** A header that every request must carry, as a stored credential would. */
export interface RequiredHeader {
  name: string;
  value: string;
}

/** What the recording server of an upstream does besides recording. */
export interface RecordingOptions {
  requiredHeader?: RequiredHeader | undefined;
  /** False counts only: for load. */
  record?: boolean | undefined;
}

/** Answers one recorded request. */
export type Answer = (recorded: RecordedRequest, response: ServerResponse, request: IncomingMessage) => void;

const KEPT = 1_000;
const PATH = '/mcp';

/** Starts an HTTP server on a free loopback port that reads, records and then answers every request. */
export async function startRecordingServer(answer: Answer, options: RecordingOptions = {}): Promise<Upstream> {
  const recorder = new Recorder(options);
  const server = createServer((request, response) => void recorder.handle(request, response, answer));
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${PATH}`,
    port,
    hits: () => recorder.hits,
    requests: () => recorder.kept,
    calls: (rpcMethod) => recorder.kept.filter(({ json }) => rpcMethodOf(json) === rpcMethod),
    aborted: () => recorder.aborted,
    forget: () => recorder.forget(),
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The method of a JSON-RPC request or notification; undefined for anything else. */
export function rpcMethodOf(json: unknown): string | undefined {
  const method = (json as { method?: unknown } | null | undefined)?.method;
  return typeof method === 'string' ? method : undefined;
}

class Recorder {
  hits = 0;
  aborted = 0;
  kept: RecordedRequest[] = [];

  constructor(private readonly options: RecordingOptions) {}

  forget(): void {
    this.hits = 0;
    this.aborted = 0;
    this.kept = [];
  }

  async handle(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    this.hits += 1;
    const body = await bodyOf(request);
    if (body === undefined) return;
    const recorded = toRecord(request, body);
    if (this.options.record !== false) this.keep(recorded);
    response.on('close', () => void (response.writableFinished || (this.aborted += 1)));
    if (this.isUnauthorized(request)) response.writeHead(401, { 'www-authenticate': 'ApiKey' }).end();
    else answer(recorded, response, request);
  }

  private keep(recorded: RecordedRequest): void {
    this.kept.push(recorded);
    if (this.kept.length > KEPT) this.kept.shift();
  }

  private isUnauthorized(request: IncomingMessage): boolean {
    const { requiredHeader } = this.options;
    return requiredHeader !== undefined && request.headers[requiredHeader.name.toLowerCase()] !== requiredHeader.value;
  }
}

/** The whole body, or undefined when the sender hung up inside it. */
function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', () => resolve(undefined));
  });
}

function toRecord(request: IncomingMessage, body: string): RecordedRequest {
  const { method = '', url: path = '', headers, rawHeaders } = request;
  return { method, path, headers, rawHeaders, body, json: parsed(body) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Recorded as text; what is not JSON has no parsed form.
    return undefined;
  }
}
