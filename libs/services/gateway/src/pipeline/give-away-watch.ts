import { Refusal } from '@gatehouse/kernel';
import type { LeasedCredential } from '../credentials/leased-credential.js';

const NOTHING = Buffer.alloc(0);

/** Looks for the credential in a stream of pieces; keeps the end of each, since a secret may lie across two. */
export class GiveAwayWatch {
  #tail = NOTHING;

  constructor(private readonly lease: LeasedCredential | undefined) {}

  /** Refuses with `response_blocked`, before the piece that completes the secret goes out. */
  push(chunk: Buffer): void {
    if (this.lease === undefined) return;
    const seen = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    if (this.lease.isGivenAwayIn(seen)) throw new Refusal('response_blocked');
    this.#tail = Buffer.from(seen.subarray(Math.max(0, seen.length - this.lease.longestNeedle + 1)));
  }
}
