import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

// The least a proxy can do: read the body, forward the bytes, collect the answer, send it.
const target = new URL(process.argv[2]!);
const pool = new Pool(target.origin, { connections: 256, pipelining: 1 });
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => forward(request, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), response));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}` });
process.once('disconnect', () => process.exit());

function forward({ headers, method }: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { host: _host, connection: _connection, 'content-length': _length, ...passed } = headers;
  const answered: Buffer[] = [];
  let status = 502;
  let head: Record<string, string | string[] | undefined> = {};
  pool.dispatch(
    { path: target.pathname, method: method as 'POST', headers: passed, body },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, code, names) => ([status, head] = [code, names]),
      onResponseData: (_controller, chunk) => answered.push(chunk),
      onResponseEnd: () => {
        const { connection: _hop, 'keep-alive': _kept, ...shown } = head;
        response.writeHead(status, shown).end(answered.length === 1 ? answered[0] : Buffer.concat(answered));
      },
      onResponseError: () => response.writeHead(502).end(),
    },
  );
}
