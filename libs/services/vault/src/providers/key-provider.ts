import { randomBytes } from 'node:crypto';
import type { KeyContext } from '../sealing/key-encryption-key.js';

/** A wrapped key, and the version of the provider's key that wrapped it. */
export interface ProviderWrapped {
  blob: Buffer;
  /** Empty where the provider rotates out of sight (AWS KMS) or has no versions (a key file). */
  version: string;
}

/**
 * Where the key-encryption key lives: a key file or a key service. Both methods reject with
 * `KeyProviderFailure` when the provider does not work and with `BlobRefused` for a blob that was
 * altered, moved to another context, or wrapped by another key. The caller wipes plaintext keys.
 */
export interface KeyProvider {
  /** Names the key, not its version; stored beside everything it wrapped, never reused. */
  readonly id: string;
  /** Wraps up to 150 bytes, bound to the context. */
  wrap(key: Buffer, context: KeyContext): Promise<ProviderWrapped>;
  unwrap(blob: Buffer, context: KeyContext): Promise<Buffer>;
}

/** Why a provider does not work. Each can end without a restart. */
export type ProviderProblem = 'unreachable' | 'timeout' | 'throttled' | 'credentials' | 'key' | 'answer';

const SENTENCES: Record<ProviderProblem, string> = {
  unreachable: 'cannot be reached or fails',
  timeout: 'did not answer in time',
  throttled: 'refuses because of too many requests',
  credentials: 'refuses the credentials',
  key: 'has no such key, or it is disabled, or may not be used with these credentials',
  answer: 'gave an answer that is none',
};

/** The provider does not work: said in one line, for operators, without anything secret. */
export class KeyProviderFailure extends Error {
  override readonly name = 'KeyProviderFailure';

  constructor(
    readonly provider: string,
    readonly problem: ProviderProblem,
    options?: { cause?: unknown },
  ) {
    super(`${provider} ${SENTENCES[problem]}`, options);
  }
}

/**
 * Whether the provider works: a key is wrapped and unwrapped, which needs no permission besides those
 * two. Resolves to the version that wraps now; rejects as the provider does.
 */
export async function probeProvider(provider: KeyProvider, environment: string): Promise<string> {
  const context = { environment, purpose: 'probe', keyId: 'probe', version: 1 };
  return (await wrapChecked(provider, randomBytes(32), context)).version;
}

/** Wraps, and opens what came back before anybody relies on it: a key that was lost on its way is lost with all it seals. */
export async function wrapChecked(provider: KeyProvider, key: Buffer, context: KeyContext): Promise<ProviderWrapped> {
  const wrapped = await provider.wrap(key, context);
  const opened = await provider.unwrap(wrapped.blob, context);
  const isSame = opened.equals(key);
  opened.fill(0);
  if (!isSame) throw new KeyProviderFailure(provider.id, 'answer');
  return wrapped;
}
