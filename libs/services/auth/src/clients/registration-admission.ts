import { createHash } from 'node:crypto';
import type { Clock } from '@gatehouse/kernel';
import type { Database } from '@gatehouse/persistence';
import { errors } from 'oidc-provider';
import type { RegistrationSettings } from './registration-settings.js';

/** What admission is decided by. */
export interface AdmissionParts {
  db: Database;
  settings: RegistrationSettings;
  clock: Clock;
}

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/**
 * Whether a client may register itself now (RFC 7591 section 3): everybody, who holds a personal
 * access token with `clients:register` as the initial access token, or nobody. Throws the error to answer.
 */
export async function admitRegistration(parts: AdmissionParts, authorization: string | undefined): Promise<void> {
  const { dynamic } = await parts.settings.current();
  if (dynamic === 'open') return;
  if (dynamic === 'off') throw forbidden('clients cannot register themselves here; ask an administrator of Gatehouse to register this one');
  const [, token] = BEARER.exec(authorization ?? '') ?? [];
  if (token === undefined) throw unauthorized('registering a client takes a Gatehouse token with the scope clients:register');
  if (!(await mayRegister(parts, token))) throw unauthorized('this token does not let clients register');
}

async function mayRegister({ db, clock }: AdmissionParts, token: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT t.id FROM tokens t JOIN people p ON p.id = t.person_id AND p.status = 'active'
      WHERE t.digest = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2) AND 'clients:register' = ANY (t.scopes)`,
    [createHash('sha256').update(token).digest('base64url'), clock.now()],
  );
  return rows.length > 0;
}

/** An answer that says no for good: RFC 6749 names no code for it. */
export function forbidden(description: string): Error {
  return Object.assign(new errors.CustomOIDCProviderError('access_denied', description), { status: 403, statusCode: 403 });
}

function unauthorized(description: string): Error {
  return Object.assign(new errors.InvalidToken(), { error_description: description });
}
