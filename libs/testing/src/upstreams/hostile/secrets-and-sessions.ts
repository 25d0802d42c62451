import { answerHonestly, honestMessage } from '../raw-upstream.js';
import { json, onCall, onInitialize, rawAnswer, type HostileAnswer, type HostileOutcome } from './hostile-answer.js';

/** Answers that give back what they were sent, the injected credential included (E-39). */
export const REFLECTIONS: readonly HostileAnswer[] = [
  onCall('E-39', 'refused', 'the received headers in the result', (call) => {
    const text = JSON.stringify(call.request.headers);
    json(call, JSON.stringify({ jsonrpc: '2.0', id: call.rpc.id, result: { content: [{ type: 'text', text }] } }));
  }),
  onCall('E-39', 'refused', 'the received headers in the error', (call) => {
    const message = `bad request: ${JSON.stringify(call.request.headers)}`;
    json(call, JSON.stringify({ jsonrpc: '2.0', id: call.rpc.id, error: { code: -32000, message } }));
  }),
  onCall('E-39', 'refused', 'the received headers in the body of a 403', (call) => {
    call.response.writeHead(403, { 'content-type': 'text/plain' }).end(JSON.stringify(call.request.headers));
  }),
];

const SESSION_IDS: readonly [HostileOutcome, string, string][] = [
  ['refused', 'of 10 KB', 'a'.repeat(10_240)],
  ['refused', 'with spaces', 'a b c'],
  // Visible ASCII, so the protocol allows it: it goes back to its server in a header and nowhere else.
  ['cleaned', 'with path characters', '../../admin'],
  ['refused', 'with a tab', 'a\tb'],
];

/** Session ids that would do harm where they are stored or sent (E-40). */
export const SESSION_ID_ATTACKS: readonly HostileAnswer[] = [
  ...SESSION_IDS.map(([outcome, how, id]) =>
    onInitialize('E-40', outcome, `a session id ${how}`, ({ rpc, response }) => {
      response.setHeader('mcp-session-id', id);
      answerHonestly(rpc, response);
    }),
  ),
  onInitialize('E-40', 'refused', 'a session id beyond ASCII', (call) => {
    const body = JSON.stringify(honestMessage(call.rpc));
    rawAnswer(call, `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: \xfc\xe9\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  }),
  onInitialize('E-40', 'refused', 'two session ids', ({ rpc, response }) => {
    response.setHeader('mcp-session-id', ['one', 'two']);
    answerHonestly(rpc, response);
  }),
];
