import { createHmac, generateKeyPairSync, hash, randomUUID, sign, type KeyObject } from 'node:crypto';
import type { directoryContracts } from '@gatehouse/contracts';

/** Claims or header members as a test wants them; `undefined` leaves one out. */
export type Members = Record<string, unknown>;

/** A key that tokens are signed with. */
export interface MintKey {
  kid: string;
  alg: 'ES256' | 'RS256' | 'PS256' | 'EdDSA';
  publicKey: KeyObject;
  privateKey: KeyObject;
}

/** A new key under an id. */
export function newMintKey(kid: string, alg: MintKey['alg'] = 'ES256'): MintKey {
  if (alg === 'EdDSA') return { kid, alg, ...generateKeyPairSync('ed25519') };
  if (alg === 'ES256') return { kid, alg, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
  return { kid, alg, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

/** The key as the directory lists it. */
export function listed({ kid, publicKey }: MintKey): directoryContracts.Directory['keys'][number] {
  return { id: kid, jwk: publicKey.export({ format: 'jwk' }) as directoryContracts.VerificationJwk };
}

/** Text as base64url. */
export function b64(value: string | object | Buffer): string {
  const bytes = typeof value === 'string' || Buffer.isBuffer(value) ? Buffer.from(value) : Buffer.from(JSON.stringify(value));
  return bytes.toString('base64url');
}

/** Signs header and payload as they are, whatever they are. */
export function signed(header: string | object, payload: string | object | Buffer, key: MintKey): string {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${signatureOf(text, key).toString('base64url')}`;
}

/** The signature alone. */
export function signatureOf(text: string, { alg, privateKey }: MintKey): Buffer {
  const bytes = Buffer.from(text);
  if (alg === 'EdDSA') return sign(null, bytes, privateKey);
  if (alg === 'ES256') return sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return alg === 'RS256' ? sign('sha256', bytes, privateKey) : sign('sha256', bytes, { key: privateKey, padding: 6, saltLength: 32 });
}

/** An HMAC in place of a signature: what a verifier accepts that takes the algorithm from the token. */
export function hmacSigned(header: object, payload: object, secret: Buffer | string): string {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Header of an access token of ours. */
export function headerFor({ alg, kid }: MintKey): Members {
  return { alg, typ: 'at+jwt', kid };
}

/** Claims of an access token of ours as the authorization server makes them, for `sub` at `aud`. */
export function claimsFor(sub: string, aud: string, more: Members = {}): Members {
  const now = Math.floor(Date.now() / 1_000);
  const issued = { iss: new URL(aud).origin, aud, sub, client_id: 'dcr_client', scope: 'mcp:access', iat: now, exp: now + 3_600 };
  return { ...issued, jti: randomUUID(), gid: `grant-of-${sub.slice(-8)}`, ...more };
}

/** Header and claims of a proof of possession (RFC 9449 section 4.2) for one request with `token`. */
export function proofParts(token: string, key: MintKey, { htm = 'POST', htu }: { htm?: string; htu: string }): { header: Members; claims: Members } {
  const ath = hash('sha256', token, 'base64url');
  const header = { typ: 'dpop+jwt', alg: key.alg, jwk: key.publicKey.export({ format: 'jwk' }) };
  return { header, claims: { jti: randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1_000), ath } };
}
