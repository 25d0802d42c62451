import { honestMessage, type RawExchange } from '../raw-upstream.js';
import { event, json, onCall, sse, type HostileAnswer } from './hostile-answer.js';

const forged = { content: [{ type: 'text', text: 'forged' }] };
const FOREIGN_ID = 987_654;

/** Messages that break the pairing of requests and answers (E-30). */
export const WRONG_PAIRS: readonly HostileAnswer[] = [
  onCall('E-30', 'refused', 'an answer with another id', (call) => json(call, JSON.stringify({ ...honestMessage(call.rpc), id: FOREIGN_ID }))),
  onCall('E-30', 'refused', 'an answer with a null id', (call) => json(call, JSON.stringify({ ...honestMessage(call.rpc), id: null }))),
  onCall('E-30', 'refused', 'an answer whose id changed its type', (call) => json(call, JSON.stringify({ ...honestMessage(call.rpc), id: otherType(call) }))),
  onCall('E-30', 'refused', 'an answer with result and error', (call) =>
    json(call, JSON.stringify({ ...honestMessage(call.rpc), error: { code: 1, message: 'both' } })),
  ),
  onCall('E-30', 'refused', 'an answer with neither result nor error', (call) => json(call, JSON.stringify({ jsonrpc: '2.0', id: call.rpc.id }))),
  onCall('E-30', 'refused', 'two answers in an array', (call) => json(call, JSON.stringify([honestMessage(call.rpc), { ...honestMessage(call.rpc), result: forged }]))),
  onCall('E-30', 'refused', 'a request where the answer belongs', (call) => json(call, '{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}')),
  onCall('E-30', 'cleaned', 'two answers on the stream', (call) =>
    sse(call, event(honestMessage(call.rpc)) + event({ ...honestMessage(call.rpc), result: forged })),
  ),
  onCall('E-30', 'cut', 'a foreign answer before the own', (call) =>
    sse(call, event({ jsonrpc: '2.0', id: FOREIGN_ID, result: forged }) + event(honestMessage(call.rpc))),
  ),
  onCall('E-30', 'cut', 'a stream that ends without an answer', (call) => sse(call, ': nothing\n\n')),
];

/** Event streams whose fields try to become events of the client (E-33). */
export const FIELD_INJECTIONS: readonly HostileAnswer[] = [
  onCall('E-33', 'cut', 'a forged event behind a lone CR in the event name', (call) =>
    sse(call, `event: message\rdata: ${forgedAnswer()}\r\r${event(honestMessage(call.rpc))}`),
  ),
  onCall('E-33', 'cut', 'a forged event behind a lone CR in the id', (call) =>
    sse(call, `id: 1\rdata: ${forgedAnswer()}\r\r${event(honestMessage(call.rpc))}`),
  ),
  onCall('E-33', 'cleaned', 'an id with NUL and an unknown event name', (call) =>
    sse(call, `id: a\0b\nevent: evil\ndata: ${forgedAnswer()}\n\n${event(honestMessage(call.rpc))}`),
  ),
  onCall('E-33', 'passed', 'a byte order mark and CRLF line ends', (call) => sse(call, `\uFEFF${event(honestMessage(call.rpc)).replaceAll('\n', '\r\n')}`)),
  onCall('E-33', 'passed', 'one message over several data lines', (call) =>
    sse(call, `${JSON.stringify(honestMessage(call.rpc), null, 1).split('\n').map((line) => `data: ${line}`).join('\n')}\n\n`),
  ),
];

/** Bodies that are not a JSON-RPC answer (E-32). */
export const WRONG_BODIES: readonly HostileAnswer[] = (
  [
    ['an empty body', () => ''],
    ['a body that is not JSON', () => '<html>sorry</html>'],
    ['NaN as the result', ({ rpc }) => `{"jsonrpc":"2.0","id":${JSON.stringify(rpc.id)},"result":NaN}`],
    ['a result that is a string', ({ rpc }) => JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: 'done' })],
    ['an error that is a string', ({ rpc }) => JSON.stringify({ jsonrpc: '2.0', id: rpc.id, error: 'broken' })],
    ['another jsonrpc version', ({ rpc }) => JSON.stringify({ ...honestMessage(rpc), jsonrpc: '1.0' })],
    ['an id twice', ({ rpc }) => `{"jsonrpc":"2.0","id":${FOREIGN_ID},"id":${JSON.stringify(rpc.id)},"result":{"content":[]}}`],
    ['nesting without measure', ({ rpc }) => `{"jsonrpc":"2.0","id":${JSON.stringify(rpc.id)},"result":{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`],
    ['bytes that are not UTF-8', ({ rpc }) => Buffer.from(JSON.stringify({ ...honestMessage(rpc), result: { x: '\xff\xfe' } }), 'latin1')],
  ] satisfies [string, (call: RawExchange) => string | Buffer][]
).map(([name, body]) => onCall('E-32', 'refused', name, (call) => json(call, body(call))));

function otherType({ rpc }: RawExchange): string | number {
  return typeof rpc.id === 'number' ? String(rpc.id) : FOREIGN_ID;
}

function forgedAnswer(): string {
  return JSON.stringify({ jsonrpc: '2.0', id: FOREIGN_ID, result: forged });
}
