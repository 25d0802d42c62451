import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { onCall, pour, type HostileAnswer } from './hostile-answer.js';

/** Packs about 1000:1. Small enough that packing does not stall the process that serves it. */
const EXPANDED_BYTES = 16 * 1024 * 1024;

const zeros = (): Buffer => Buffer.alloc(EXPANDED_BYTES, '0');
const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

const ENCODERS: readonly [string, () => Buffer][] = [
  ['gzip', () => gzipSync(zeros())],
  ['deflate', () => deflateSync(zeros())],
  ['br', () => brotliCompressSync(zeros(), fast)],
  // No encoder for it before Node.js 22; the label alone must be refused.
  ['zstd', () => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0])],
  [Array(100).fill('gzip').join(', '), () => gzipSync('{}')],
];

/** Answers that grow in memory (E-27). */
export const BOMBS: readonly HostileAnswer[] = [
  ...ENCODERS.map(([encoding, encode]) =>
    onCall('E-27', 'refused', `a bomb encoded as ${encoding.slice(0, 20)}`, ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(encode());
    }),
  ),
  onCall('E-27', 'refused', 'a bomb encoded as gzip inside an event stream', ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
    response.end(gzipSync(Buffer.alloc(EXPANDED_BYTES, ': comment\n\n')));
  }),
  onCall('E-27', 'cut', 'a JSON text that never ends', ({ rpc, response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(`{"jsonrpc":"2.0","id":${JSON.stringify(rpc.id)},"result":{"content":[{"type":"text","text":"`);
    pour(response, 'a');
  }),
];
