import { Refusal, sealTo } from '@gatehouse/kernel';

/** Raw X25519 public key, base64url. */
const EDGE_KEY = /^[A-Za-z0-9_-]{43}$/;

/** Seals a secret that is shown once to the edge that asked for it; refuses with `bad_request` a key that is none. */
export function sealToEdge(edgeKey: string, secret: Buffer, context: string): string {
  if (!EDGE_KEY.test(edgeKey)) throw new Refusal('bad_request', { field: 'edgeKey', problem: 'is not an X25519 key' });
  return sealTo(edgeKey, secret, context);
}
