import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';

/** One request of the browser. */
export interface Sending {
  url: URL;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** One answer, read to its end. */
export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** How the browser reaches the network. */
export interface Reach {
  /** PEM of the authority that https servers of the test are signed by. */
  ca: string | undefined;
  /** The origin to really connect to (`http://127.0.0.1:8080`) in place of the one in the URL. */
  resolve: ((origin: string) => string | undefined) | undefined;
  timeoutMs: number;
  /** The address of this machine that a request is sent from. */
  from?: (() => string) | undefined;
}

const MAX_BODY = 5 * 1024 * 1024;

/** Sends one request over its own connection and reads the answer, 5 MiB at most. */
export function exchange(sending: Sending, reach: Reach): Promise<Received> {
  const target = new URL(reach.resolve?.(sending.url.origin) ?? sending.url.origin);
  const isTls = target.protocol === 'https:';
  const options: RequestOptions & { servername?: string } = {
    host: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port || (isTls ? 443 : 80),
    path: `${sending.url.pathname}${sending.url.search}`,
    method: sending.method,
    // The name in the URL, not the machine that stands in for it.
    headers: { host: sending.url.host, ...sending.headers, ...(sending.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(sending.body)) }) },
    agent: false,
    ...(reach.from === undefined ? {} : { localAddress: reach.from() }),
    signal: AbortSignal.timeout(reach.timeoutMs),
  };
  const secured = isTls ? { ...options, ca: reach.ca, ...serverName(sending.url) } : options;
  return new Promise((resolve, reject) => {
    const request = (isTls ? requestHttps : requestHttp)(secured, (response) => readAll(response).then(resolve, reject));
    request.on('error', reject);
    request.end(sending.body);
  });
}

function serverName(url: URL): { servername?: string } {
  return /^[\d.]+$/.test(url.hostname) || url.hostname.startsWith('[') ? {} : { servername: url.hostname };
}

async function readAll(response: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error(`the answer is larger than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') };
}
