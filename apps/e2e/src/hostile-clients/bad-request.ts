/** Where a bad request goes, and as whom. */
export interface Target {
  host: string;
  server: string;
  token: string;
  session: string;
  /** User agent of this one request: its record is found by it. */
  agent: string;
}

/** One thing a client does wrong, and what it must hear. */
export interface BadRequest {
  name: string;
  /** Test cases of the threat model that it stands for. */
  covers: string;
  status: number;
  /** Code of the error table: in the answer and in the record. */
  code: string;
  bytes(target: Target): string | Buffer;
}

/** How a request differs from an ordinary POST of a tool call; `undefined` leaves a header out. */
export interface Difference {
  method?: string;
  path?: (target: Target) => string;
  headers?: Record<string, string | undefined>;
  /** Header lines as they are, after all others. */
  lines?: (target: Target) => string;
  body?: string | Buffer;
}

/** An ordinary tool call. */
export const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_issue', arguments: { id: 'a' } } });

/** The bytes of a request that differs from an ordinary tool call so. */
export function requestBytes(target: Target, difference: Difference): Buffer {
  const { method = 'POST', path = ({ server }) => `/mcp/${server}`, headers = {}, lines = () => '', body = CALL } = difference;
  const bytes = Buffer.from(body as string);
  const given: Record<string, string | undefined> = {
    host: target.host,
    'user-agent': target.agent,
    authorization: `Bearer ${target.token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-session-id': target.session,
    'content-length': String(bytes.length),
    ...headers,
  };
  const text = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  return Buffer.concat([Buffer.from(`${method} ${path(target)} HTTP/1.1\r\n${text.join('')}${lines(target)}\r\n`, 'latin1'), bytes]);
}

/** A row of a table. */
export function bad(covers: string, [status, code]: readonly [number, string], name: string, difference: Difference): BadRequest {
  return { name, covers, status, code, bytes: (target) => requestBytes(target, difference) };
}
