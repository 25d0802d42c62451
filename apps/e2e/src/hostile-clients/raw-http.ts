import { connect } from 'node:net';

/** Everything that came back on one connection. */
export interface RawAnswer {
  /** Status of the first answer; 0 when there was none. */
  status: number;
  /** Head of the first answer, lower case. */
  head: string;
  body: string;
  /** How many answers came. */
  answers: number;
  /** Whether the other side closed the connection. */
  closed: boolean;
}

const SETTLE_MS = 150;
const LIMIT_MS = 5_000;

/**
 * Writes bytes to an edge as they are and collects what comes back: until the edge closes, or until
 * nothing more has come for a moment after a whole answer.
 */
export function rawExchange(edge: string, bytes: string | Buffer, limitMs = LIMIT_MS): Promise<RawAnswer> {
  const { hostname, port } = new URL(edge);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    let closed = false;
    let settle: NodeJS.Timeout | undefined;
    const limit = setTimeout(() => socket.destroy(), limitMs);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      clearTimeout(settle);
      settle = setTimeout(() => socket.destroy(), SETTLE_MS);
    });
    socket.on('end', () => (closed = true));
    // A reset is one way of being closed.
    socket.on('error', () => (closed = true));
    socket.on('close', () => {
      clearTimeout(limit);
      clearTimeout(settle);
      resolve(answerIn(Buffer.concat(chunks).toString('latin1'), closed));
    });
    socket.write(bytes);
  });
}

function answerIn(text: string, closed: boolean): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  const answers = text.match(/^HTTP\/1\.1 \d{3}/gm)?.length ?? 0;
  return { status, head: text.slice(0, Math.max(0, end)).toLowerCase(), body: text.slice(end + 4), answers, closed };
}

/** A connection that sends when told. */
export interface SlowConnection {
  write(text: string): void;
  /** Milliseconds until the edge closed it, and what it said. */
  readonly ended: Promise<{ afterMs: number; status: number }>;
  destroy(): void;
}

/** Opens a connection and sends the beginning. */
export function slowConnection(edge: string, beginning: string): SlowConnection {
  const { hostname, port } = new URL(edge);
  const started = Date.now();
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(beginning);
  const ended = new Promise<{ afterMs: number; status: number }>((resolve) => {
    socket.on('close', () => resolve({ afterMs: Date.now() - started, status: answerIn(text, true).status }));
  });
  return { write: (more) => void socket.write(more), ended, destroy: () => void socket.destroy() };
}
