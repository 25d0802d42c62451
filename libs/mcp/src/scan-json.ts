import { isUtf8 } from 'node:buffer';
import { Refusal } from '@gatehouse/kernel';
import { DEEPEST, MemberNames } from './member-names.js';

/** How much structure a body may have. `maxDepth` counts containers inside one another (at most 64), `maxNodes` values. */
export interface ScanLimits {
  readonly maxDepth: number;
  readonly maxNodes: number;
}

/** What a client may send: 64 levels, 10,000 values. */
export const REQUEST_LIMITS: ScanLimits = { maxDepth: DEEPEST, maxNodes: 10_000 };

/** What an answer that has to be parsed may hold (a long list of tools with schemas): 64 levels, 250,000 values. */
export const ANSWER_LIMITS: ScanLimits = { maxDepth: DEEPEST, maxNodes: 250_000 };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const END = -1;
const NOTHING = new Uint8Array(0);
const WORDS = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]));
const SHORT_ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

/**
 * Walks the bytes of a JSON document once and refuses what two parsers could read differently, so that
 * what policy judges is what the server will run (RFC 8259 grammar, RFC 7493 I-JSON for names and
 * Unicode). Returns nothing: the document is then parsed with `JSON.parse` and forwarded as it is.
 *
 * Refuses `parse_error` (not strict JSON, not UTF-8, a byte order mark, raw control characters in a
 * string, a `\u` escape of half a surrogate pair), `ambiguous_json` (a name twice in one object, or
 * `__proto__`), `too_deep` (limits). Does not recurse.
 */
export function scanJson(bytes: Uint8Array, limits: ScanLimits = REQUEST_LIMITS): void {
  if (!isUtf8(bytes)) throw new Refusal('parse_error', { reason: 'not_utf8' });
  scanner.run(bytes, limits);
}

/** Where the result of a response stands in its bytes, braces included, and whether its `isError` is true. */
export interface ResultSpan {
  readonly start: number;
  readonly end: number;
  readonly isError: boolean;
}

/**
 * As `scanJson`, with the place of the result of a response, so that what nobody looks into need not be parsed.
 * Undefined when there is none, it is no object, or a name beside or in it is written with escapes.
 */
export function scanAnswer(bytes: Uint8Array, limits: ScanLimits = ANSWER_LIMITS): ResultSpan | undefined {
  scanJson(bytes, limits);
  return scanner.result;
}

const RESULT = Buffer.from('result');
const IS_ERROR = Buffer.from('isError');
const LOWER_T = 0x74;
const NOWHERE = -1;

class JsonScanner {
  private bytes: Uint8Array = NOTHING;
  private limits = REQUEST_LIMITS;
  private at = 0;
  private depth = 0;
  private nodes = 0;
  private resultStart = NOWHERE;
  private resultEnd = NOWHERE;
  private isError = false;
  private doubtful = false;
  private readonly isObject = new Uint8Array(DEEPEST + 1);
  private readonly names = new MemberNames();

  run(bytes: Uint8Array, limits: ScanLimits): void {
    this.bytes = bytes;
    this.limits = limits;
    this.at = 0;
    this.depth = 0;
    this.nodes = 0;
    this.resultStart = NOWHERE;
    this.resultEnd = NOWHERE;
    this.isError = false;
    this.doubtful = false;
    try {
      this.document();
    } finally {
      // One scanner serves the process: it must not keep the last caller's body alive.
      this.bytes = NOTHING;
    }
  }

  /** Of the document that was scanned last. */
  get result(): ResultSpan | undefined {
    if (this.doubtful || this.resultStart === NOWHERE) return undefined;
    return { start: this.resultStart, end: this.resultEnd, isError: this.isError };
  }

  private document(): void {
    let more = true;
    while (more) more = this.value() || this.next();
    if (this.skipSpace() !== END) throw this.broken('trailing_bytes');
  }

  /** Takes one value; true when it opened a container whose first value comes next. */
  private value(): boolean {
    if (++this.nodes > this.limits.maxNodes) throw new Refusal('too_deep', { reason: 'nodes', limit: this.limits.maxNodes });
    const byte = this.skipSpace();
    if (byte === QUOTE) this.string();
    else if (byte === OPEN_BRACE) return this.open(1, CLOSE_BRACE);
    else if (byte === OPEN_BRACKET) return this.open(0, CLOSE_BRACKET);
    else if (byte === MINUS || isDigit(byte)) this.number(byte);
    else this.word(byte);
    return false;
  }

  private open(isObject: 0 | 1, closer: number): boolean {
    if (this.depth >= Math.min(this.limits.maxDepth, DEEPEST)) throw new Refusal('too_deep', { reason: 'depth', limit: this.limits.maxDepth });
    this.at++;
    if (this.skipSpace() === closer) {
      this.at++;
      return false;
    }
    this.depth++;
    this.isObject[this.depth] = isObject;
    if (isObject === 1) {
      this.names.open(this.depth);
      this.member();
    }
    return true;
  }

  /** After a value: closes what ends here; true when a comma announces another value. */
  private next(): boolean {
    while (this.depth > 0) {
      if (this.depth === 1 && this.isInResult()) this.resultEnd = this.at;
      const inObject = this.isObject[this.depth] === 1;
      const byte = this.skipSpace();
      if (byte === COMMA) {
        this.at++;
        if (inObject) this.member();
        return true;
      }
      if (byte !== (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) throw this.broken('syntax');
      this.at++;
      this.depth--;
    }
    return false;
  }

  private member(): void {
    if (this.skipSpace() !== QUOTE) throw this.broken('syntax');
    const start = this.at + 1;
    const escaped = this.string();
    this.names.add(this.bytes, start, this.at - 1, this.depth, escaped);
    const end = this.at - 1;
    if (this.skipSpace() !== COLON) throw this.broken('syntax');
    this.at++;
    if (this.depth === 1) this.topMember(start, end, escaped);
    else if (this.depth === 2 && this.isInResult()) this.resultMember(start, end, escaped);
  }

  private isInResult(): boolean {
    return this.resultStart !== NOWHERE && this.resultEnd === NOWHERE;
  }

  private topMember(start: number, end: number, escaped: boolean): void {
    if (escaped) this.doubtful = true;
    else if (this.isName(RESULT, start, end) && this.skipSpace() === OPEN_BRACE) this.resultStart = this.at;
  }

  // The first byte is enough: what begins as `true` and is not it does not get through the scan.
  private resultMember(start: number, end: number, escaped: boolean): void {
    if (escaped) this.doubtful = true;
    else if (this.isName(IS_ERROR, start, end)) this.isError = this.skipSpace() === LOWER_T;
  }

  private isName(name: Uint8Array, start: number, end: number): boolean {
    if (end - start !== name.length) return false;
    let at = 0;
    while (at < name.length && this.bytes[start + at] === name[at]) at++;
    return at === name.length;
  }

  /** Takes a string from its opening quote on; true when it holds escapes. */
  private string(): boolean {
    const { bytes } = this;
    const end = bytes.length;
    let escaped = false;
    let at = this.at + 1;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.at = at + 1;
        return escaped;
      }
      if (byte === BACKSLASH) {
        escaped = true;
        at = this.escape(at);
      } else if (byte < 0x20) {
        this.at = at;
        throw this.broken('control_character');
      } else at++;
    }
    this.at = at;
    throw this.broken('syntax');
  }

  /** Checks the escape at `at` and returns where it ends; half a surrogate pair is no character in UTF-8. */
  private escape(at: number): number {
    const kind = this.bytes[at + 1];
    if (kind !== LOWER_U) {
      if (kind !== undefined && SHORT_ESCAPES.has(kind)) return at + 2;
      throw this.broken('escape');
    }
    const unit = this.codeUnit(at + 2);
    return unit < 0xd800 || unit > 0xdfff ? at + 6 : this.surrogatePair(unit, at + 6);
  }

  private surrogatePair(high: number, at: number): number {
    const paired = high < 0xdc00 && this.bytes[at] === BACKSLASH && this.bytes[at + 1] === LOWER_U;
    const low = paired ? this.codeUnit(at + 2) : 0;
    if (low < 0xdc00 || low > 0xdfff) throw this.broken('lone_surrogate');
    return at + 6;
  }

  private codeUnit(at: number): number {
    let unit = 0;
    for (let index = at; index < at + 4; index++) {
      const digit = hexDigit(this.bytes[index] ?? END);
      if (digit < 0) throw this.broken('escape');
      unit = unit * 16 + digit;
    }
    return unit;
  }

  private number(first: number): void {
    if (first === MINUS) this.at++;
    const start = this.at;
    this.digits();
    if (this.bytes[start] === ZERO && this.at - start > 1) throw this.broken('number');
    if (this.byteAt(this.at) === DOT) {
      this.at++;
      this.digits();
    }
    if ((this.byteAt(this.at) | 0x20) !== LOWER_E) return;
    const sign = this.byteAt(++this.at);
    if (sign === PLUS || sign === MINUS) this.at++;
    this.digits();
  }

  private digits(): void {
    const start = this.at;
    while (isDigit(this.byteAt(this.at))) this.at++;
    if (this.at === start) throw this.broken('number');
  }

  private word(first: number): void {
    const word = WORDS.get(first);
    if (word === undefined) throw this.broken('syntax');
    for (let index = 0; index < word.length; index++) {
      if (this.bytes[this.at + index] !== word[index]) throw this.broken('syntax');
    }
    this.at += word.length;
  }

  private skipSpace(): number {
    const { bytes } = this;
    const end = bytes.length;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break;
      at++;
    }
    this.at = at;
    return at < end ? (bytes[at] as number) : END;
  }

  private byteAt(at: number): number {
    return at < this.bytes.length ? (this.bytes[at] as number) : END;
  }

  private broken(reason: string): Refusal {
    return new Refusal('parse_error', { reason, at: this.at });
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const scanner = new JsonScanner();
