import { setTimeout as sleep } from 'node:timers/promises';
import { answerHonestly, honestMessage, type RawExchange } from '../raw-upstream.js';
import { event, onCall, pour, rawAnswer, type HostileAnswer } from './hostile-answer.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const DRIP_MS = 1;

/** Heads that break HTTP or flood it (E-31). */
export const BROKEN_HEADS: readonly HostileAnswer[] = [
  onCall('E-31', 'refused', 'a header with a bare CR inside', (call) => rawAnswer(call, `${OK}x-a: a\rx-injected: b\r\n${sized(call)}`)),
  onCall('E-31', 'refused', 'a header with NUL inside', (call) => rawAnswer(call, `${OK}x-a: a\0b\r\n${sized(call)}`)),
  onCall('E-31', 'refused', '500 headers', (call) => rawAnswer(call, `${OK}${lines(500)}${sized(call)}`)),
  onCall('E-31', 'refused', 'a header of 20 KB', (call) => rawAnswer(call, `${OK}x-long: ${'a'.repeat(20_480)}\r\n${sized(call)}`)),
  onCall('E-31', 'refused', 'a broken status line', (call) => rawAnswer(call, `HTTP/9.9 two hundred\r\n\r\n${bodyOf(call)}`)),
  onCall('E-31', 'refused', 'no status line', (call) => rawAnswer(call, bodyOf(call))),
  onCall('E-31', 'refused', 'two different content lengths', (call) => rawAnswer(call, `${OK}content-length: 5\r\n${sized(call)}`)),
  onCall('E-31', 'refused', 'a length and chunks', (call) => rawAnswer(call, `${OK}transfer-encoding: chunked\r\n${sized(call)}`)),
  onCall('E-31', 'refused', 'informational answers without end', ({ socket }) => pour(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n')),
  onCall('E-31', 'refused', 'a change of protocol', (call) => rawAnswer(call, 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')),
  onCall('E-31', 'cleaned', 'a second answer behind the first', (call) => {
    const whole = `${OK}${sized(call)}`;
    call.socket.write(whole + whole.replaceAll('issue', 'forge'));
  }),
];

/** Bodies that stop, drip or never start (E-32). */
export const BROKEN_BODIES: readonly HostileAnswer[] = [
  onCall('E-32', 'refused', 'a body shorter than its length', (call) => rawAnswer(call, `${OK}content-length: 5000\r\n\r\n${bodyOf(call)}`)),
  onCall('E-32', 'refused', 'a reset inside the body', (call) => {
    call.socket.write(`${OK}content-length: 5000\r\n\r\n${bodyOf(call)}`, () => call.socket.resetAndDestroy());
  }),
  onCall('E-32', 'refused', 'a hang-up before the head', ({ socket }) => socket.destroy()),
  onCall('E-32', 'refused', 'silence before the head', () => undefined),
  onCall('E-32', 'refused', 'silence after the head', ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  }),
  onCall('E-32', 'cut', 'silence inside an event stream', ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': waiting\n\n');
  }),
  onCall('E-32', 'passed', 'one byte at a time', (call) => void drip(call)),
  onCall('E-32', 'refused', 'another content type', ({ rpc, response }) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(JSON.stringify(honestMessage(rpc)));
  }),
  onCall('E-32', 'refused', 'no content where an answer belongs', ({ response }) => response.writeHead(204).end()),
  onCall('E-32', 'refused', 'accepted where an answer belongs', ({ response }) => response.writeHead(202).end()),
  onCall('E-32', 'refused', 'a server error with a stack trace', ({ response }) => response.writeHead(500).end('Error: at /srv/app/secret.js:1:1')),
];

/** Headers that are for the gateway's eyes, not the client's (E-24). */
export const HEADERS_TO_DROP: readonly HostileAnswer[] = [
  onCall('E-24', 'cleaned', 'headers that must not be passed on', ({ rpc, response }) => {
    response.setHeader('set-cookie', 'session=stolen');
    response.setHeader('www-authenticate', 'Basic realm="give me your password"');
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('server', 'internal-host-7');
    response.setHeader('x-powered-by', 'internal');
    response.setHeader('mcp-session-id', 'another-session');
    answerHonestly(rpc, response);
  }),
  onCall('E-24', 'cleaned', 'the same headers on an event stream', ({ rpc, response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'set-cookie': 'session=stolen', 'mcp-session-id': 'another-session' });
    response.end(event(honestMessage(rpc)));
  }),
];

function bodyOf({ rpc }: Pick<RawExchange, 'rpc'>): string {
  return JSON.stringify(honestMessage(rpc));
}

function sized(call: Pick<RawExchange, 'rpc'>): string {
  const body = bodyOf(call);
  return `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `x-${index}: a\r\n`).join('');
}

async function drip(call: RawExchange): Promise<void> {
  call.response.writeHead(200, { 'content-type': 'application/json' });
  for (const byte of Buffer.from(bodyOf(call)).toString('latin1')) {
    if (call.response.destroyed) return;
    call.response.write(Buffer.from(byte, 'latin1'));
    await sleep(DRIP_MS);
  }
  call.response.end();
}
