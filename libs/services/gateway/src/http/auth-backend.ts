import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { Refusal } from '@gatehouse/kernel';
import { answerHeaders, RECORD_HEADER } from './auth-headers.js';

/** One exchange, already admitted and with the headers that auth may see. */
export interface AuthExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For a body whose length is not announced; in one process auth bounds what it reads itself. */
  readonly maxBodyBytes: number;
  /** Told the record header of the answer before its head goes out. */
  readonly onRecord: (value: unknown) => void;
  /** Told what went wrong; the head is not out then, unless the answer broke off. */
  readonly onTrouble: (refusal: Refusal) => void;
}

/** Where auth is: in this process or at an address. */
export interface AuthBackend {
  answer(exchange: AuthExchange): void;
  close(): void;
}

/** Auth in this process: its handler gets request and response themselves, and what it says passes the same list. */
export function sameProcessBackend(listener: RequestListener): AuthBackend {
  return {
    answer: ({ request, response, onRecord }) => {
      filterHead(response, onRecord);
      listener(request, response);
    },
    close: () => undefined,
  };
}

// Every head goes through writeHead, the implied one too.
function filterHead(response: ServerResponse, onRecord: (value: unknown) => void): void {
  const write = response.writeHead.bind(response);
  response.writeHead = ((status: number, ...rest: unknown[]) => {
    const given = rest.find((each) => typeof each === 'object' && each !== null);
    put(response, given);
    onRecord(response.getHeader(RECORD_HEADER));
    const passed = answerHeaders(response.getHeaders());
    for (const name of response.getHeaderNames()) if (!(name in passed)) response.removeHeader(name);
    return write(status);
  }) as typeof response.writeHead;
}

// As Node takes them: an object, pairs, or names and values in turn, where a name may come again.
function put(response: ServerResponse, given: unknown): void {
  if (Array.isArray(given)) {
    const flat = given.flat(1) as string[];
    for (let at = 0; at < flat.length; at += 2) response.appendHeader(flat[at]!, flat[at + 1]!);
    return;
  }
  for (const [name, value] of Object.entries((given ?? {}) as OutgoingHttpHeaders)) if (value !== undefined) response.setHeader(name, value);
}

const SOCKETS = 128;

/** Auth at an address; `trustedCas` are PEM texts trusted besides the well-known authorities. */
export function remoteBackend(url: URL, trustedCas: readonly string[]): AuthBackend {
  const isTls = url.protocol === 'https:';
  const pool = { keepAlive: true, maxSockets: SOCKETS };
  const agent = isTls ? new TlsAgent({ ...pool, ca: [...rootCertificates, ...trustedCas] }) : new PlainAgent(pool);
  const open = (exchange: AuthExchange): ClientRequest => {
    const { method, url: path, headers } = exchange.request;
    const at = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || (isTls ? 443 : 80), method, path, headers, agent, setHost: false };
    return isTls ? tlsRequest({ ...at, servername: url.hostname }) : plainRequest(at);
  };
  return { answer: (exchange) => pass(exchange, open(exchange)), close: () => agent.destroy() };
}

function pass(exchange: AuthExchange, call: ClientRequest): void {
  const { request, response, onTrouble } = exchange;
  const fail = (refusal: Refusal): void => {
    call.destroy();
    onTrouble(refusal);
  };
  call.on('error', () => fail(new Refusal('service_unavailable')));
  call.on('response', (answer) => relay(answer, exchange, fail));
  // When the client left, and when the answer took too long.
  response.once('close', () => call.destroy());
  request.once('error', () => call.destroy());
  pour(request, call, exchange.maxBodyBytes, fail);
}

function relay(answer: IncomingMessage, { response, onRecord }: AuthExchange, fail: (refusal: Refusal) => void): void {
  onRecord(answer.headers[RECORD_HEADER]);
  answer.on('error', () => fail(new Refusal('service_unavailable')));
  response.writeHead(answer.statusCode ?? 502, answerHeaders(answer.headers));
  answer.pipe(response);
}

function pour(request: IncomingMessage, call: ClientRequest, maxBytes: number, fail: (refusal: Refusal) => void): void {
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) {
      request.removeAllListeners('data').pause();
      return fail(new Refusal('too_large', { limitBytes: maxBytes }));
    }
    if (!call.write(chunk)) request.pause();
  });
  call.on('drain', () => request.resume());
  request.once('end', () => call.end());
}
