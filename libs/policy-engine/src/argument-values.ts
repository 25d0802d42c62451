import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { JsonObject, JsonValue } from '@gatehouse/kernel';

const MAX_DEPTH = 64;
const MAX_VALUES = 2_000;
const MAX_CHARS = 131_072;
/** Cedar's JSON reads objects with these members as entities and functions: a caller could forge types with them. */
const RESERVED = new Set(['__entity', '__extn', '__expr']);
const LONE_SURROGATE = /\p{Surrogate}/u;
const DECIMAL_LIMIT = 922_337_203_685_477;

/** Arguments that cannot be put before Cedar within the limits; whoever asks denies. */
export class Unrepresentable extends Error {
  override readonly name = 'Unrepresentable';
}

const opaque = (id: 'null' | 'number'): CedarValueJson => ({ __entity: { type: 'Gatehouse::Json', id } });

function fromNumber(value: number): CedarValueJson {
  if (Number.isSafeInteger(value)) return value;
  const text = value.toFixed(4);
  const fits = Math.abs(value) < DECIMAL_LIMIT && Number(text) === value;
  return fits ? { __extn: { fn: 'decimal', arg: text } } : opaque('number');
}

/**
 * Turns JSON arguments into Cedar values. Nothing is left out, because `has` would then say no to something that is
 * there: `null` and numbers that are neither whole nor of at most four decimals become `Gatehouse::Json::"null"` and
 * `"number"`, which equal nothing else and fail in any comparison; other fractions become `decimal`.
 */
export class ArgumentValues {
  #values = 0;
  #chars = 0;
  /** Length of the longest string so far. */
  longest = 0;

  /** Throws Unrepresentable for more than 2,000 values, 128 Ki characters, 64 levels, for broken Unicode and reserved names. */
  convert(value: JsonValue, depth = 0): CedarValueJson {
    this.#values += 1;
    if (depth > MAX_DEPTH || this.#values > MAX_VALUES) throw new Unrepresentable('arguments are too large for policies that read them');
    if (value === null) return opaque('null');
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return fromNumber(value);
    if (typeof value === 'boolean') return value;
    if (Array.isArray(value)) return value.map((item) => this.convert(item, depth + 1));
    return this.#record(value, depth);
  }

  /** A string within the limits, as it is. */
  text(value: string): string {
    this.#chars += value.length;
    this.longest = Math.max(this.longest, value.length);
    if (this.#chars > MAX_CHARS) throw new Unrepresentable('arguments are too large for policies that read them');
    if (LONE_SURROGATE.test(value)) throw new Unrepresentable('a string is not valid Unicode');
    return value;
  }

  #record(value: JsonObject, depth: number): CedarValueJson {
    // Without a prototype, `__proto__` is a member like any other.
    const record = Object.create(null) as Record<string, CedarValueJson>;
    for (const [name, member] of Object.entries(value)) {
      if (RESERVED.has(name)) throw new Unrepresentable('a member name is reserved');
      record[this.text(name)] = this.convert(member, depth + 1);
    }
    return record;
  }
}
