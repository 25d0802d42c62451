import { Refusal, type JsonValue } from '@gatehouse/kernel';
import { isMessageLookAlike } from './look-alike-names.js';
import { DEEPEST } from './member-names.js';
import { isRequestId, type RequestId } from './parse-message.js';
import { Utf8Stream } from './utf8-stream.js';

/** What the outermost object of a message says about itself. `id` is null when the message says so, undefined when absent. */
export interface Envelope {
  readonly id: RequestId | null | undefined;
  readonly result: boolean;
  readonly error: boolean;
  readonly method: boolean;
}

type Phase = 'start' | 'first_name' | 'name' | 'in_name' | 'colon' | 'value' | 'in_text' | 'in_scalar' | 'in_container' | 'after' | 'done';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const PLAIN = 1;
const BRACKET = 2;
const STRING = 3;
const SPACE = 4;
/** What a byte outside strings may be; 0 stands nowhere in JSON. */
const KIND = new Uint8Array(256);
for (const byte of Buffer.from('truefalsn0123456789+-.eE,:')) KIND[byte] = PLAIN;
for (const byte of Buffer.from('{}[]')) KIND[byte] = BRACKET;
for (const byte of Buffer.from(' \t\r\n')) KIND[byte] = SPACE;
KIND[QUOTE] = STRING;

const PROTOCOL_NAMES: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const OBJECT_NAMES: ReadonlySet<string> = new Set(['params', 'result', 'error']);
// Long enough for any id; a protocol name has at most 42 bytes, written with escapes throughout.
const MAX_TOKEN_BYTES = 1024;
const LOOKED_AT_SINGLY = 24;

/**
 * Looks over a large JSON-RPC answer while it streams by, without holding it: one outermost object,
 * balanced brackets at most 64 deep, closed strings, UTF-8, and at the top level strict grammar, no
 * protocol member twice and none that only folds to one. Inside values it does not check order of
 * commas, numbers or names: the client's parser does, and nothing here is decided on them.
 *
 * `push` and `end` refuse `upstream_invalid` {reason}; what was passed on before cannot be called back.
 */
export class EnvelopeScanner {
  private readonly utf8 = new Utf8Stream();
  private readonly closers = new Uint8Array(DEEPEST + 1);
  private readonly seen = new Set<string>();
  private phase: Phase = 'start';
  private depth = 0;
  private inString = false;
  private escaped = false;
  private token: Buffer[] = [];
  private tokenBytes = 0;
  private name = '';
  private id: RequestId | null | undefined;

  /** Takes the next bytes of the answer. */
  push(chunk: Buffer): void {
    this.utf8.push(chunk);
    let at = 0;
    while (at < chunk.length) {
      if (this.inString) at = this.string(chunk, at);
      else if (this.depth > 1) at = this.inside(chunk, at);
      else at = this.top(chunk, at);
    }
  }

  /** The answer is complete. Without `method` it must have exactly one of `result` and `error`. */
  end(): Envelope {
    this.utf8.end();
    if (this.phase !== 'done') throw invalid('truncated');
    const envelope = { id: this.id, result: this.seen.has('result'), error: this.seen.has('error'), method: this.seen.has('method') };
    if (!this.seen.has('jsonrpc')) throw invalid('jsonrpc');
    if (envelope.method ? envelope.result || envelope.error : envelope.result === envelope.error) throw invalid('result_or_error');
    return envelope;
  }

  private string(chunk: Buffer, at: number): number {
    const from = this.escaped ? at + 1 : at;
    this.escaped = false;
    let quote = findQuote(chunk, from);
    let unchecked = from;
    while (quote < chunk.length && isEscaped(chunk, unchecked, quote)) {
      unchecked = quote + 1;
      quote = findQuote(chunk, unchecked);
    }
    const end = Math.min(quote + 1, chunk.length);
    if (this.depth === 1) this.capture(chunk, at, end);
    if (quote === chunk.length) this.escaped = isEscaped(chunk, unchecked, quote);
    else this.stringEnded();
    return end;
  }

  private stringEnded(): void {
    this.inString = false;
    if (this.depth > 1) return;
    if (this.phase === 'in_name') {
      this.phase = 'colon';
      this.takeName();
    } else {
      this.phase = 'after';
      this.takeValue();
    }
  }

  private inside(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      const byte = chunk[at++] as number;
      const kind = KIND[byte];
      if (kind === PLAIN || kind === SPACE) continue;
      if (kind === STRING) {
        this.inString = true;
        return at;
      }
      if (kind !== BRACKET) throw invalid('syntax');
      this.bracket(byte);
      if (this.depth === 1) return at;
    }
    return at;
  }

  private bracket(byte: number): void {
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (this.depth === DEEPEST) throw invalid('too_deep');
      this.closers[++this.depth] = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
      return;
    }
    if (byte !== this.closers[this.depth]) throw invalid('syntax');
    this.depth--;
    if (this.depth === 1) this.phase = 'after';
    else if (this.depth === 0) this.phase = 'done';
  }

  /** Takes one byte at the top level; returns where to go on. */
  private top(chunk: Buffer, at: number): number {
    const byte = chunk[at] as number;
    if (this.phase === 'in_scalar' && KIND[byte] === PLAIN && byte !== COMMA) this.capture(chunk, at, at + 1);
    else if (KIND[byte] === SPACE) this.endScalar();
    else this.structure(byte);
    return at + 1;
  }

  private structure(byte: number): void {
    this.endScalar();
    switch (this.phase) {
      case 'value':
        return this.startValue(byte);
      case 'start':
        return this.openTop(byte);
      case 'first_name':
      case 'name':
        return this.nameOrEnd(byte);
      case 'colon':
        return this.step(byte, COLON, 'value');
      case 'after':
        return byte === CLOSE_BRACE ? this.bracket(byte) : this.step(byte, COMMA, 'name');
      default:
        throw invalid('syntax');
    }
  }

  private step(byte: number, expected: number, next: Phase): void {
    if (byte !== expected) throw invalid('syntax');
    this.phase = next;
  }

  private openTop(byte: number): void {
    this.step(byte, OPEN_BRACE, 'first_name');
    this.bracket(byte);
  }

  private nameOrEnd(byte: number): void {
    if (byte === QUOTE) this.startString('in_name');
    else if (byte === CLOSE_BRACE && this.phase === 'first_name') this.bracket(byte);
    else throw invalid('syntax');
  }

  private startString(phase: Phase): void {
    this.phase = phase;
    this.inString = true;
    this.startToken(QUOTE);
  }

  private startValue(byte: number): void {
    if (byte === QUOTE) return this.startString('in_text');
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (!mayHold(this.name, byte)) throw invalid(this.name);
      this.phase = 'in_container';
      return this.bracket(byte);
    }
    if (KIND[byte] !== PLAIN || byte === COMMA || byte === COLON) throw invalid('syntax');
    this.phase = 'in_scalar';
    this.startToken(byte);
  }

  private endScalar(): void {
    if (this.phase !== 'in_scalar') return;
    this.phase = 'after';
    this.takeValue();
  }

  private startToken(byte: number): void {
    this.token = [Buffer.of(byte)];
    this.tokenBytes = 1;
  }

  // A copy, since the chunk is the caller's; what is longer than any token that matters is only counted.
  private capture(chunk: Buffer, from: number, to: number): void {
    this.tokenBytes += to - from;
    if (this.tokenBytes <= MAX_TOKEN_BYTES) this.token.push(Buffer.from(chunk.subarray(from, to)));
  }

  private takeName(): void {
    this.name = this.tokenBytes > MAX_TOKEN_BYTES ? '' : String(this.tokenValue());
    if (isMessageLookAlike(this.name)) throw invalid('look_alike_member');
    if (!PROTOCOL_NAMES.has(this.name)) return;
    if (this.seen.has(this.name)) throw invalid('duplicate_member');
    this.seen.add(this.name);
  }

  private takeValue(): void {
    if (this.tokenBytes > MAX_TOKEN_BYTES) {
      if (PROTOCOL_NAMES.has(this.name)) throw invalid(this.name);
      return;
    }
    const value = this.tokenValue();
    if (this.name === 'jsonrpc' && value !== '2.0') throw invalid('jsonrpc');
    if (OBJECT_NAMES.has(this.name)) throw invalid(this.name);
    if (this.name !== 'id') return;
    if (value !== null && !isRequestId(value)) throw invalid('id');
    this.id = value;
  }

  private tokenValue(): JsonValue {
    const text = Buffer.concat(this.token).toString('utf8');
    try {
      return JSON.parse(text) as JsonValue;
    } catch (error) {
      if (error instanceof SyntaxError) throw invalid('syntax');
      throw error;
    }
  }
}

function mayHold(name: string, opener: number): boolean {
  return OBJECT_NAMES.has(name) ? opener === OPEN_BRACE : !PROTOCOL_NAMES.has(name);
}

// Most strings are short: a few steps here beat a call into native code, which wins for long ones.
function findQuote(chunk: Buffer, from: number): number {
  const near = Math.min(from + LOOKED_AT_SINGLY, chunk.length);
  for (let at = from; at < near; at++) if (chunk[at] === QUOTE) return at;
  const found = near < chunk.length ? chunk.indexOf(QUOTE, near) : -1;
  return found === -1 ? chunk.length : found;
}

function isEscaped(chunk: Buffer, from: number, at: number): boolean {
  let slashes = 0;
  while (at - slashes > from && chunk[at - slashes - 1] === BACKSLASH) slashes++;
  return slashes % 2 === 1;
}

function invalid(reason: string): Refusal {
  return new Refusal('upstream_invalid', { reason });
}
