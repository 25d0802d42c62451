import { event, onCall, pour, type HostileAnswer } from './hostile-answer.js';

const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: '.' } };

const STREAMS: readonly [string, string, string, string][] = [
  ['E-28', 'one event that never ends', 'data: "', 'a'],
  ['E-28', 'one line that never ends', '', ':'],
  ['E-28', 'data lines without an end of the event', '', 'data: a\n'],
  ['E-29', 'tiny events without end', '', event(log)],
  ['E-29', 'comments without end', '', ': still here\n\n'],
  ['E-29', 'event ids without end', '', 'id: 1\ndata:\n\n'],
];

/** Event streams that never come to the answer (E-28, E-29). */
export const ENDLESS_STREAMS: readonly HostileAnswer[] = STREAMS.map(([covers, name, start, repeated]) =>
  onCall(covers, 'cut', name, ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(start);
    pour(response, repeated);
  }),
);
