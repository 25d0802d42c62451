import { inspect } from 'node:util';

const MASK = '[secret]';

/**
 * Bytes nobody may print. Kept as a Buffer because JS strings show up in heap snapshots and cannot
 * be wiped; every way of turning it into text by accident yields `[secret]`.
 * It does not stop code that calls `use` from copying the bytes.
 */
export class Secret {
  readonly #bytes: Buffer;
  #wiped = false;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Takes over `bytes`: the caller must not keep or change them. */
  static of(bytes: Buffer): Secret {
    return new Secret(bytes);
  }

  /** A secret from text that already exists as a string (a file's content, a form field). */
  static fromText(text: string): Secret {
    return new Secret(Buffer.from(text, 'utf8'));
  }

  /** Lends the bytes for the length of `use`; throws after `wipe`. */
  use<T>(use: (bytes: Buffer) => T): T {
    if (this.#wiped) throw new Error('secret was wiped');
    return use(this.#bytes);
  }

  /** Overwrites the bytes with zeros. */
  wipe(): void {
    this.#bytes.fill(0);
    this.#wiped = true;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.toPrimitive](): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
