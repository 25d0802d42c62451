import { createPrivateKey, sign } from 'node:crypto';
import { systemClock, type JsonObject } from '@gatehouse/kernel';
import { z } from 'zod';
import { contextBytes, type KeyContext } from '../sealing/key-encryption-key.js';
import type { KmsSettings } from './aws-kms.js';
import { readCredentials } from './credentials-file.js';
import { KeyProviderFailure, type KeyProvider, type ProviderProblem, type ProviderWrapped } from './key-provider.js';
import { KmsDoor, objectOf, sendKms, textOf, type KmsReply } from './kms-door.js';
import { Renewable, type Dated } from './renewable.js';

const NAME = 'Google Cloud KMS';
const SCOPE = 'https://www.googleapis.com/auth/cloudkms';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ASSERTION_S = 600;
/** The part of a service account's key file that is used; it names the token endpoint itself. */
const accountSchema = z.object({ client_email: z.string().min(1), private_key: z.string().min(1), private_key_id: z.string().optional(), token_uri: z.url() });

/** A symmetric key of Google Cloud KMS; the context is its additional authenticated data. */
export class GcpKms implements KeyProvider {
  readonly id: string;
  private readonly door: KmsDoor<string>;
  private readonly url: string;

  constructor(private readonly o: KmsSettings) {
    this.id = `gcp:${o.key}`;
    this.url = new URL(`/v1/${o.key}`, o.endpoint ?? 'https://cloudkms.googleapis.com').href;
    this.door = new KmsDoor({ ...o, name: NAME, access: new Renewable(() => this.token(), o.clock), judge });
  }

  async wrap(key: Buffer, context: KeyContext): Promise<ProviderWrapped> {
    const answer = await this.call('encrypt', { plaintext: key.toString('base64'), additionalAuthenticatedData: contextBytes(context).toString('base64') });
    // projects/…/cryptoKeyVersions/7
    const version = textOf(answer, 'name', NAME).split('/').at(-1)!;
    return { blob: Buffer.from(textOf(answer, 'ciphertext', NAME), 'base64'), version };
  }

  async unwrap(blob: Buffer, context: KeyContext): Promise<Buffer> {
    const answer = await this.call('decrypt', { ciphertext: blob.toString('base64'), additionalAuthenticatedData: contextBytes(context).toString('base64') });
    return Buffer.from(textOf(answer, 'plaintext', NAME), 'base64');
  }

  private call(verb: string, members: JsonObject): Promise<JsonObject> {
    const body = JSON.stringify(members);
    const headers = { 'content-type': 'application/json' };
    return this.door.call((token) => ({ url: `${this.url}:${verb}`, headers: { ...headers, authorization: `Bearer ${token}` }, body }));
  }

  /** A service account's signed statement for an access token (RFC 7523 section 2.1). */
  private async token(): Promise<Dated<string>> {
    const account = readCredentials(this.o.credentialsFile, accountSchema);
    const body = new URLSearchParams({ grant_type: GRANT, assertion: assertion(account, (this.o.clock ?? systemClock).now()) }).toString();
    const reply = await sendKms({ ...this.o, name: NAME }, { url: account.token_uri, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
    return tokenOf(reply, NAME);
  }
}

/** The access token of a token endpoint's answer (RFC 6749 section 5.1); a `KeyProviderFailure` when it refused. */
export function tokenOf({ status, json }: KmsReply, provider: string): Dated<string> {
  if (status >= 500) throw new KeyProviderFailure(provider, 'unreachable');
  if (status === 429) throw new KeyProviderFailure(provider, 'throttled');
  if (status !== 200) throw new KeyProviderFailure(provider, 'credentials');
  return { value: textOf(json, 'access_token', provider), validMs: Number(json['expires_in'] ?? 0) * 1_000 };
}

function assertion(account: z.output<typeof accountSchema>, nowMs: number): string {
  const iat = Math.floor(nowMs / 1_000);
  const header = { alg: 'RS256', typ: 'JWT', ...(account.private_key_id === undefined ? {} : { kid: account.private_key_id }) };
  const claims = { iss: account.client_email, scope: SCOPE, aud: account.token_uri, iat, exp: iat + ASSERTION_S };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${signed(text, account.private_key).toString('base64url')}`;
}

function signed(text: string, pem: string): Buffer {
  try {
    return sign('sha256', Buffer.from(text), createPrivateKey(pem));
  } catch {
    // OpenSSL's message may quote the key.
    throw new KeyProviderFailure(NAME, 'credentials');
  }
}

function judge({ status, json }: KmsReply): ProviderProblem | 'blob' {
  if (status === 429) return 'throttled';
  if (status === 401) return 'credentials';
  if (status === 403 || status === 404) return 'key';
  const error = objectOf(json, 'error');
  if (error['status'] === 'FAILED_PRECONDITION') return 'key';
  return error['status'] === 'INVALID_ARGUMENT' ? 'blob' : 'answer';
}
