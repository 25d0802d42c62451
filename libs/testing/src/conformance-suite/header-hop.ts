import { once } from 'node:events';
import { Agent, createServer, request as send, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A running hop. */
export interface HeaderHop {
  /** The target's path on the hop's own port. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Stands before a server and adds headers to every request, because the conformance suite cannot
 * send credentials. Streams both ways and hangs up when either side does. Host and Origin are
 * translated only when they name the hop itself, so that rebinding checks reach the target.
 */
export async function startHeaderHop(target: string, headers: Readonly<Record<string, string>>): Promise<HeaderHop> {
  const to = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => forward(incoming, outgoing, { to, agent, headers }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${to.pathname}${to.search}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

interface Way {
  to: URL;
  agent: Agent;
  headers: Readonly<Record<string, string>>;
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, { to, agent, headers }: Way): void {
  const ownHost = `127.0.0.1:${incoming.socket.localPort}`;
  const passed = { ...translated(incoming.headers, ownHost, to.host), ...headers };
  const { hostname, port } = to;
  const onward = send({ hostname, port, agent, path: incoming.url ?? '/', method: incoming.method ?? 'GET', headers: passed });
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    outgoing.flushHeaders();
    answer.pipe(outgoing);
    answer.on('error', () => outgoing.destroy());
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => onward.destroy());
  incoming.pipe(onward);
}

function translated(headers: IncomingHttpHeaders, ownHost: string, targetHost: string): IncomingHttpHeaders {
  const { host, origin } = headers;
  return {
    ...headers,
    ...(host === ownHost ? { host: targetHost } : {}),
    ...(origin === `http://${ownHost}` ? { origin: `http://${targetHost}` } : {}),
  };
}
