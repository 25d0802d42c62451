import { Refusal } from '@gatehouse/kernel';

/** Containers inside containers that the scanner can follow; a limit above this is not possible. */
export const DEEPEST = 64;

// Objects of a request have a handful of members: comparing bytes with each of them beats building a
// set. Above this many, or when a name is written with escapes, a set of decoded names takes over, so
// an object of ten thousand members costs ten thousand steps and not their square.
const COMPARED = 16;
const UNDERSCORE = 0x5f;
const PROTO = Buffer.from('__proto__');

/**
 * The member names seen so far in each open object, so that a second one of the same name is found
 * (JSON.parse keeps the last, other parsers the first: policy would judge what the server never sees).
 *
 * `__proto__` is refused wherever it stands: `JSON.parse` makes it a harmless own member, but one later
 * `Object.assign` or `target[name] = value` would turn it into a prototype. `constructor` and
 * `prototype` are ordinary own members for every such operation and pass.
 */
export class MemberNames {
  private readonly starts = new Int32Array((DEEPEST + 1) * COMPARED);
  private readonly ends = new Int32Array((DEEPEST + 1) * COMPARED);
  private readonly counts = new Int32Array(DEEPEST + 1);
  private readonly sets: (Set<string> | undefined)[] = new Array<undefined>(DEEPEST + 1).fill(undefined);

  /** An object was opened at `depth` (1 is the outermost container). */
  open(depth: number): void {
    this.counts[depth] = 0;
    this.sets[depth] = undefined;
  }

  /**
   * Takes the name between `start` and `end` (without quotes) into the object at `depth`. Refuses
   * `ambiguous_json` when the object has it already, compared after decoding escapes.
   */
  // eslint-disable-next-line max-params -- called per member on the path of every call: an object here costs a tenth of the scan
  add(bytes: Uint8Array, start: number, end: number, depth: number, escaped: boolean): void {
    const count = this.counts[depth] as number;
    if (escaped || count === COMPARED || this.sets[depth] !== undefined) {
      this.addToSet(bytes, start, end, depth);
      return;
    }
    const first = depth * COMPARED;
    for (let slot = first; slot < first + count; slot++) {
      if (this.same(bytes, slot, start, end)) throw ambiguous('duplicate_member', start);
    }
    if (end - start === PROTO.length && bytes[start] === UNDERSCORE && isProto(bytes, start)) throw ambiguous('proto_member', start);
    this.starts[first + count] = start;
    this.ends[first + count] = end;
    this.counts[depth] = count + 1;
  }

  private same(bytes: Uint8Array, slot: number, start: number, end: number): boolean {
    let other = this.starts[slot] as number;
    if ((this.ends[slot] as number) - other !== end - start) return false;
    let at = start;
    while (at < end && bytes[at] === bytes[other]) {
      at++;
      other++;
    }
    return at === end;
  }

  private addToSet(bytes: Uint8Array, start: number, end: number, depth: number): void {
    const set = this.sets[depth] ?? this.makeSet(bytes, depth);
    const name = decodeName(bytes, start, end);
    if (name === '__proto__') throw ambiguous('proto_member', start);
    if (set.has(name)) throw ambiguous('duplicate_member', start);
    set.add(name);
  }

  private makeSet(bytes: Uint8Array, depth: number): Set<string> {
    const set = new Set<string>();
    const first = depth * COMPARED;
    for (let slot = first; slot < first + (this.counts[depth] as number); slot++) {
      set.add(decodeName(bytes, this.starts[slot] as number, this.ends[slot] as number));
    }
    this.sets[depth] = set;
    return set;
  }
}

function isProto(bytes: Uint8Array, start: number): boolean {
  return PROTO.every((byte, index) => bytes[start + index] === byte);
}

function decodeName(bytes: Uint8Array, start: number, end: number): string {
  const quoted = Buffer.from(bytes.buffer, bytes.byteOffset + start - 1, end - start + 2);
  return JSON.parse(quoted.toString('utf8')) as string;
}

function ambiguous(reason: string, at: number): Refusal {
  return new Refusal('ambiguous_json', { reason, at });
}
