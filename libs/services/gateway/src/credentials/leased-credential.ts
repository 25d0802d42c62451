import type { Secret } from '@gatehouse/kernel';

const SHORTEST_NEEDLE = 8;

/** How long a lease may be used, and the credential behind it; monotonic milliseconds. */
export interface LeaseTerms {
  readonly expiresAt: number;
  /** When to ask the vault anew, in the background. */
  readonly refreshAt: number;
  /** The credential's, as the vault counts. */
  readonly version: number;
  /** When to ask for a new credential in the background, since this one is about to end; infinite when its end is not known. */
  readonly renewAt: number;
  /** The credential's own end; infinite when it is not known. */
  readonly endsAt: number;
}

/** The secret headers of one identity as leased, with the shapes in which an answer might give them away. */
export class LeasedCredential {
  readonly #needles: readonly Buffer[];
  /** The server took it: its no to the same one later means that it ended, not that it is no good. */
  wasAccepted = false;

  constructor(
    readonly lines: readonly (readonly [name: string, value: Secret])[],
    readonly terms: LeaseTerms,
  ) {
    this.#needles = lines.flatMap(([, value]) => value.use(needlesOf));
  }

  /** Whether `bytes` hold one of the secrets, raw, JSON-escaped, hex or base64 (an upstream that reflects it: E-39). */
  isGivenAwayIn(bytes: Buffer): boolean {
    return this.#needles.some((needle) => bytes.includes(needle));
  }

  /** Longest needle, so that a scanner of a stream knows how much of the last piece to keep. */
  get longestNeedle(): number {
    return this.#needles.reduce((longest, needle) => Math.max(longest, needle.length), 0);
  }

  /** Overwrites the secrets; the credential cannot be used afterwards. */
  wipe(): void {
    for (const [, value] of this.lines) value.wipe();
    for (const needle of this.#needles) needle.fill(0);
  }
}

// "Bearer abc" is given away when "abc" is: the scheme word is not part of the secret.
function needlesOf(value: Buffer): Buffer[] {
  const space = value.indexOf(0x20);
  const core = space > 0 && value.length - space - 1 >= SHORTEST_NEEDLE ? value.subarray(space + 1) : value;
  if (core.length < SHORTEST_NEEDLE) return [];
  const text = core.toString('latin1');
  const shapes = [
    text,
    JSON.stringify(text).slice(1, -1),
    core.toString('hex'),
    core.toString('base64').replace(/=+$/, ''),
    core.toString('base64url'),
  ];
  return [...new Set(shapes)].map((shape) => Buffer.from(shape, 'latin1'));
}
