import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';

/** What a proof is made for. */
export interface ProofWish {
  /** P-256, PKCS #8 DER in base64url. */
  key: string;
  method: string;
  url: string;
  /** The token it goes with; none at the token endpoint. */
  token?: string;
}

/** A key to bind tokens to: P-256, PKCS #8 DER in base64url. */
export function newBoundKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url');
}

/** A proof of possession (RFC 9449 section 4.2), made by another library than the one under test. */
export function makeProof({ key, method, url, token }: ProofWish): Promise<string> {
  const privateKey = createPrivateKey({ key: Buffer.from(key, 'base64url'), format: 'der', type: 'pkcs8' });
  const { kty, crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
  const claims = { htm: method, htu: url, ...ath };
  const jwk = { kty: kty!, crv: crv!, x: x!, y: y! };
  return new SignJWT(claims).setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk }).setIssuedAt().setJti(randomUUID()).sign(privateKey);
}
