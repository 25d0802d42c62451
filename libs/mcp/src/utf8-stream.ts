import { isUtf8 } from 'node:buffer';
import { Refusal } from '@gatehouse/kernel';

const NOTHING = Buffer.alloc(0);

/** Checks that chunks make valid UTF-8 together, wherever they are cut; keeps at most three bytes. */
export class Utf8Stream {
  private started: Buffer = NOTHING;

  /** Refuses `upstream_invalid` as soon as a chunk cannot be the continuation. */
  push(chunk: Buffer): void {
    const from = this.started.length === 0 ? 0 : this.finish(chunk);
    const to = chunk.length - bytesOfStartedCharacter(chunk, from);
    requireUtf8(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
    if (to < chunk.length) this.started = Buffer.from(chunk.subarray(to));
  }

  /** Refuses `upstream_invalid` when the last character is cut off. */
  end(): void {
    requireUtf8(this.started);
  }

  /** Completes the character that the last chunk started; returns where the rest begins. */
  private finish(chunk: Buffer): number {
    const missing = lengthByLead(this.started[0] as number) - this.started.length;
    const character = Buffer.concat([this.started, chunk.subarray(0, missing)]);
    if (chunk.length < missing) {
      this.started = character;
      return chunk.length;
    }
    requireUtf8(character);
    this.started = NOTHING;
    return missing;
  }
}

function bytesOfStartedCharacter(chunk: Buffer, from: number): number {
  for (let back = 1; back <= 3 && chunk.length - back >= from; back++) {
    const byte = chunk[chunk.length - back] as number;
    if (byte >= 0xc0) return lengthByLead(byte) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

function lengthByLead(byte: number): number {
  if (byte >= 0xf0) return 4;
  return byte >= 0xe0 ? 3 : 2;
}

function requireUtf8(bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new Refusal('upstream_invalid', { reason: 'not_utf8' });
}
