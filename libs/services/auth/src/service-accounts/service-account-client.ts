import { accessContracts } from '@gatehouse/contracts';
import type { JsonObject } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { z } from 'zod';
import { keptSecret } from '../authorization-server/client-secrets.js';
import { sealToEdge } from '../tokens/seal-to-edge.js';
import { CLIENT_SECRET_PREFIX, newSecretText } from '../tokens/token-text.js';
import { publicJwks, type ClientJwk } from './client-jwks.js';

/** How a service account is to prove itself. */
export type WantedAuth = z.output<typeof accessContracts.serviceAccountAuth>;

/** What the token endpoint checks a client by, as its metadata spells it (RFC 7591). */
export type ClientProof = { client_secret: string; token_endpoint_auth_method: 'client_secret_basic' } | { jwks: { keys: ClientJwk[] }; token_endpoint_auth_method: 'private_key_jwt' };

/** A proof that was just made; `sealedSecret` is shown once. No proof: the account cannot ask for access tokens. */
export interface NewProof {
  proof: ClientProof | undefined;
  sealedSecret: string | null;
}

/** The grant that access tokens of this account carry since its `generation`-th proof. */
export const grantIdOf = (id: string, generation: number): string => `${id}-${generation}`;

/** Makes the proof that was asked for; a secret leaves sealed under `clientSecretContext`. Refuses with `bad_request` bad keys. */
export function newProof(id: string, auth: WantedAuth, edgeKey: string): NewProof {
  if (auth.method === 'none') return { proof: undefined, sealedSecret: null };
  if (auth.method === 'private_key_jwt') {
    return { proof: { jwks: publicJwks(auth.jwks as { keys: JsonObject[] }), token_endpoint_auth_method: 'private_key_jwt' }, sealedSecret: null };
  }
  const secret = newSecretText(CLIENT_SECRET_PREFIX);
  try {
    const proof = { client_secret: keptSecret(secret.toString('ascii')), token_endpoint_auth_method: 'client_secret_basic' as const };
    return { proof, sealedSecret: sealToEdge(edgeKey, secret, accessContracts.clientSecretContext(id)) };
  } finally {
    secret.fill(0);
  }
}

/** Who the client is, and which proof it has. */
export interface AccountClient {
  id: string;
  name: string;
  generation: number;
  proof: ClientProof | undefined;
  nowMs: number;
}

/** Replaces the account's OAuth client, or removes it when there is no proof. */
export async function writeClient(tx: Transaction, { id, name, generation, proof, nowMs }: AccountClient): Promise<void> {
  if (proof === undefined) return removeClient(tx, id);
  const metadata = {
    client_id: id,
    client_name: name,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    ...proof,
    gh_generation: generation,
  };
  await tx.query(
    `INSERT INTO clients (id, kind, name, status, metadata, created_at) VALUES ($1, 'service-account', $2, 'allowed', $3, $4)
     ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, metadata = EXCLUDED.metadata`,
    [id, name, metadata, nowMs],
  );
}

/** Removes the account's OAuth client. */
export async function removeClient(tx: Transaction, id: string): Promise<void> {
  await tx.query(`DELETE FROM clients WHERE id = $1 AND kind = 'service-account'`, [id]);
}
