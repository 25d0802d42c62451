import { createPublicKey, generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';

/** The claims of a token to be signed; an undefined one is left out. */
export type Claims = Readonly<Record<string, unknown>>;

/** The algorithms that the provider has keys for. */
export type SigningAlg = 'RS256' | 'ES256';

/** A private key as the provider and the signing of tests take it. */
export type SigningJwk = JsonWebKey & { kid: string; alg: SigningAlg; use: 'sig' };

/** Who signs a token, and under which name. */
export interface Signing {
  alg?: SigningAlg | undefined;
  typ?: string | undefined;
  /** Replaces the key's own name in the header. */
  kid?: string | undefined;
  /** True signs with a key that was never published. */
  foreignKey?: boolean | undefined;
}

const ALGS: readonly SigningAlg[] = ['RS256', 'ES256'];

/** The provider's keys: the first one of an algorithm signs, all of them are published. */
export class SigningKeys {
  private keys: SigningJwk[] = ALGS.map(newKey);

  /** Private halves, newest first. */
  all(): readonly SigningJwk[] {
    return this.keys;
  }

  /** The key that signs with this algorithm now. */
  current(alg: SigningAlg): SigningJwk {
    return this.keys.find((key) => key.alg === alg) ?? newKey(alg);
  }

  /** New keys sign from now on; the old ones stay published unless told otherwise. */
  rotate(options: { keepOld?: boolean } = {}): void {
    this.keys = [...ALGS.map(newKey), ...(options.keepOld === false ? [] : this.keys)];
  }

  /** Signs any claims: as the provider (RS256) unless told otherwise. */
  sign(claims: Claims, signing: Signing = {}): Promise<string> {
    const current = this.current(signing.alg ?? 'RS256');
    const { alg } = current;
    const key = signing.foreignKey === true ? newKey(alg) : current;
    const typ = signing.typ === undefined ? {} : { typ: signing.typ };
    return new SignJWT(claims as JWTPayload).setProtectedHeader({ alg, kid: signing.kid ?? current.kid, ...typ }).sign(key);
  }

  /** Every public half, as a key set document. */
  published(): { keys: object[] } {
    return {
      keys: this.keys.map((key) => {
        const { kid, alg, use } = key;
        return { ...createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' }), kid, alg, use };
      }),
    };
  }

  /** The public half of the current key as PEM: what an HS256 forger takes for a secret. */
  publicPem(alg: SigningAlg): string {
    return createPublicKey({ key: this.current(alg), format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
  }
}

function newKey(alg: SigningAlg): SigningJwk {
  const { privateKey } = alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: `${alg.toLowerCase()}-${randomBytes(6).toString('hex')}`, alg, use: 'sig' };
}
