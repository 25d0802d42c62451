import { Fault } from '@gatehouse/kernel';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../metrics/metrics.js';
import type { HealthChecks, HealthReport } from './health-checks.js';

/** What the listener serves. */
export interface MetricsListenerOptions {
  /** `host:port`, IPv6 in brackets; port 0 lets the system choose. */
  listen: string;
  metrics: Metrics;
  health: HealthChecks;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const REQUEST_LIMIT_MS = 10_000;

/**
 * Serves `/metrics`, `/livez` (this answers), `/readyz` and `/startupz` (200, or 503 naming what is
 * missing) on a port of its own, apart from what clients reach. Rejects with a `Fault` when the
 * address is taken or malformed.
 */
export async function startMetricsListener(o: MetricsListenerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => void serve(o, request, response));
  server.requestTimeout = REQUEST_LIMIT_MS;
  server.headersTimeout = REQUEST_LIMIT_MS;
  await listen(server, o.listen);
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function serve(o: MetricsListenerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A collector that throws must cost one scrape, not the process.
  const { status, type, body } = await answerTo(o, request).catch(() => json(500, { status: 'failed' }));
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerTo({ metrics, health }: MetricsListenerOptions, { method, url = '' }: IncomingMessage): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { status: 'method not allowed' });
  switch (url.split('?', 1)[0]) {
    case '/metrics':
      return { status: 200, type: METRICS_TYPE, body: metrics.render() };
    case '/livez':
      return json(200, { status: 'live' });
    case '/readyz':
      return healthAnswer(await health.report());
    case '/startupz':
      return healthAnswer(await health.startup());
    default:
      return json(404, { status: 'not found' });
  }
}

function healthAnswer(report: HealthReport): Answer {
  return json(report.ready ? 200 : 503, report);
}

function json(status: number, value: object): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}

function listen(server: Server, address: string): Promise<void> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const port = Number(address.slice(colon + 1));
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new Fault(`cannot listen on ${address}`, { cause })));
    if (colon < 1 || !Number.isInteger(port) || port < 0 || port > 65_535) reject(new Fault(`${address} is not host:port`));
    else server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
