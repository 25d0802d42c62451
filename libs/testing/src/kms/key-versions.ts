import { randomBytes } from 'node:crypto';
import { AeadKey } from '@gatehouse/kernel';

const VERSION_BYTES = 4;

/** The versions of one symmetric key inside a key service. */
export class KeyVersions {
  private readonly keys = new Map<number, AeadKey>();
  private newest = 0;

  constructor() {
    this.rotate();
  }

  /** The version that encrypts. */
  get current(): number {
    return this.newest;
  }

  /** Adds a version that encrypts from now on. */
  rotate(): void {
    this.newest += 1;
    this.keys.set(this.newest, new AeadKey(`v${this.newest}`, randomBytes(32)));
  }

  /** Destroys all versions but the one that encrypts. */
  destroyOld(): void {
    for (const version of this.keys.keys()) if (version !== this.newest) this.keys.delete(version);
  }

  /** `version 4 | nonce | ciphertext | tag`, bound to the context. */
  encrypt(plaintext: Buffer, context: string): Buffer {
    const head = Buffer.alloc(VERSION_BYTES);
    head.writeUInt32BE(this.newest);
    return Buffer.concat([head, Buffer.from(this.keys.get(this.newest)!.seal(plaintext, context), 'base64url')]);
  }

  /** The plaintext; undefined for whatever was not encrypted here under this context. */
  decrypt(ciphertext: Buffer, context: string): Buffer | undefined {
    if (ciphertext.length <= VERSION_BYTES) return undefined;
    return this.keys.get(versionOf(ciphertext))?.open(ciphertext.toString('base64url', VERSION_BYTES), context);
  }
}

/** The version a ciphertext names. */
export function versionOf(ciphertext: Buffer): number {
  return ciphertext.readUInt32BE();
}

/** The rest of a ciphertext, after its version. */
export function boxOf(ciphertext: Buffer): Buffer {
  return ciphertext.subarray(VERSION_BYTES);
}

/** Puts the two together again. */
export function ciphertextOf(version: number, box: Buffer): Buffer {
  const head = Buffer.alloc(VERSION_BYTES);
  head.writeUInt32BE(version);
  return Buffer.concat([head, box]);
}
