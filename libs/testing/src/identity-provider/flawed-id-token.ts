import { createHmac } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import type { ID_TOKEN_FLAWS } from './flaws.js';
import type { Claims, SigningAlg, SigningKeys } from './signing-keys.js';

type IdTokenFlaw = Exclude<(typeof ID_TOKEN_FLAWS)[number], 'id-token-missing'>;

const HOUR = 3_600;

/** Wrong claims, rightly signed. */
const WRONG_CLAIMS: { readonly [F in IdTokenFlaw]?: (claims: JWTPayload) => JWTPayload } = {
  'id-token-wrong-iss': (claims) => ({ ...claims, iss: 'https://idp.evil.example' }),
  'id-token-wrong-aud': (claims) => ({ ...claims, aud: 'another-client' }),
  'id-token-many-aud': (claims) => ({ ...claims, aud: [String(claims.aud), 'another-client'] }),
  'id-token-wrong-nonce': (claims) => ({ ...claims, nonce: 'a nonce of another sign-in' }),
  'id-token-no-nonce': ({ nonce: _dropped, ...claims }) => claims,
  'id-token-expired': (claims) => ({ ...claims, iat: (claims.iat ?? 0) - 2 * HOUR, exp: (claims.iat ?? 0) - HOUR }),
};

/** The id_token with one thing wrong, everything else as it was. */
export async function flawedIdToken(token: string, flaw: IdTokenFlaw, keys: SigningKeys, clientSecret: string): Promise<string> {
  const claims = decodeJwt(token);
  const header = decodeProtectedHeader(token);
  const alg = header.alg as SigningAlg;
  const wrong = WRONG_CLAIMS[flaw];
  if (wrong !== undefined) return keys.sign(wrong(claims), { alg });
  switch (flaw) {
    case 'id-token-alg-none':
      return unsignedJwt({ alg: 'none' }, claims);
    case 'id-token-unsigned':
      return unsignedJwt({ ...header }, claims);
    case 'id-token-hs256-secret':
      return hs256({ kid: header.kid }, claims, clientSecret);
    case 'id-token-hs256-public-key':
      return hs256({ kid: header.kid }, claims, keys.publicPem(alg));
    case 'id-token-unknown-kid':
      return keys.sign(claims, { alg, kid: 'never-published' });
    default:
      return keys.sign(claims, { alg, foreignKey: true });
  }
}

/** A token with this header and nothing after the last dot. */
export function unsignedJwt(header: Record<string, unknown>, claims: Claims): string {
  return `${encoded(header)}.${encoded(claims)}.`;
}

// By hand: a library refuses secrets that are too short or are public keys, which is the point here.
function hs256(header: Record<string, unknown>, claims: Claims, secret: string): string {
  const signed = `${encoded({ ...header, alg: 'HS256' })}.${encoded(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
