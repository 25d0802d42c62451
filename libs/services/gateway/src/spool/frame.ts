import { crc32 } from 'node:zlib';

/** Length and CRC-32 of the body, both u32 big-endian, stand before it. */
export const FRAME_HEADER_BYTES = 8;

/** No body is longer: 64,000 UTF-16 units of at most three UTF-8 bytes. */
export const MAX_BODY_BYTES = 192_000;

// Every body starts so, and inside a JSON string the quotes would be escaped: after damage it marks where
// the next frame may start.
const BODY_START = Buffer.from('{"v":1,"');

/**
 * Writes one frame at `at` and returns where it ends; the tail takes the place of the text's closing brace.
 * Two writes, because joining the strings first would copy each once more. The caller made sure that it fits.
 */
export function writeFrame(into: Buffer, at: number, text: string, tail: string): number {
  const start = at + FRAME_HEADER_BYTES;
  const brace = into.write(text, start, 'utf8') - 1;
  const length = brace + into.write(tail, start + brace, 'latin1');
  into.writeUInt32BE(length, at);
  into.writeUInt32BE(crc32(into.subarray(start, start + length)), at + 4);
  return start + length;
}

/**
 * What stands at a place of a segment: a whole entry, damage with whole entries after it, or a torn
 * end with none after it.
 */
export interface Frame {
  readonly kind: 'entry' | 'damage' | 'torn';
  readonly start: number;
  readonly end: number;
}

/** Reads frames one after the other; after damage it goes on at the next whole one. */
export function* walkFrames(bytes: Buffer): Generator<Frame> {
  let at = 0;
  while (at < bytes.length) {
    const end = frameEnd(bytes, at);
    if (end !== undefined) {
      yield { kind: 'entry', start: at, end };
      at = end;
      continue;
    }
    const next = nextWholeFrame(bytes, at + 1);
    yield { kind: next === undefined ? 'torn' : 'damage', start: at, end: next ?? bytes.length };
    at = next ?? bytes.length;
  }
}

/** The body of an entry's frame as text. */
export function bodyOf(bytes: Buffer, frame: Frame): string {
  return bytes.toString('utf8', frame.start + FRAME_HEADER_BYTES, frame.end);
}

function frameEnd(bytes: Buffer, at: number): number | undefined {
  const start = at + FRAME_HEADER_BYTES;
  if (start > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at);
  const end = start + length;
  if (length === 0 || length > MAX_BODY_BYTES || end > bytes.length) return undefined;
  return crc32(bytes.subarray(start, end)) === bytes.readUInt32BE(at + 4) ? end : undefined;
}

function nextWholeFrame(bytes: Buffer, from: number): number | undefined {
  let body = bytes.indexOf(BODY_START, from + FRAME_HEADER_BYTES);
  while (body !== -1) {
    const at = body - FRAME_HEADER_BYTES;
    if (frameEnd(bytes, at) !== undefined) return at;
    body = bytes.indexOf(BODY_START, body + 1);
  }
  return undefined;
}
