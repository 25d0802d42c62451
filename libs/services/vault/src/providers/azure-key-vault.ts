import { createHash, timingSafeEqual } from 'node:crypto';
import type { JsonObject } from '@gatehouse/kernel';
import { z } from 'zod';
import { contextBytes, type KeyContext } from '../sealing/key-encryption-key.js';
import { BlobRefused } from '../sealing/secret-blob.js';
import type { KmsSettings } from './aws-kms.js';
import { readCredentials } from './credentials-file.js';
import { tokenOf } from './gcp-kms.js';
import type { KeyProvider, ProviderProblem, ProviderWrapped } from './key-provider.js';
import { KmsDoor, objectOf, sendKms, textOf, type KmsReply } from './kms-door.js';
import { Renewable, type Dated } from './renewable.js';

const NAME = 'Azure Key Vault';
const API = 'api-version=7.4';
const SCOPE = 'https://vault.azure.net/.default';
const WRAP = 'RSA-OAEP-256';
const SIGN = 'RS256';
const VERSION_BYTES = 16;
const LENGTH_BYTES = 2;
const credentialsSchema = z.object({
  tenantId: z.string().min(1),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  authority: z.url().default('https://login.microsoftonline.com'),
});

interface AzureBlob {
  version: string;
  wrapped: Buffer;
  signature: Buffer;
}

/**
 * An RSA key (2048 bits and more) of Azure Key Vault. `wrapKey` has no associated data, and anybody
 * can wrap with a public key: so the same key also signs the wrapped bytes with their context, and
 * what it would not sign again is not opened. Blob: `version 16 | length 2 | wrapped | signature`.
 */
export class AzureKeyVault implements KeyProvider {
  readonly id: string;
  private readonly door: KmsDoor<string>;

  /** `key` is the key's URL without a version. */
  constructor(private readonly o: KmsSettings) {
    this.id = `azure:${o.key}`;
    this.door = new KmsDoor({ ...o, name: NAME, access: new Renewable(() => this.token(), o.clock), judge });
  }

  async wrap(key: Buffer, context: KeyContext): Promise<ProviderWrapped> {
    const version = await this.newestVersion();
    const wrapped = await this.operate(version, 'wrapkey', { alg: WRAP, value: key.toString('base64url') });
    const signature = await this.sign({ version, wrapped }, context);
    return { blob: encode({ version, wrapped, signature }), version };
  }

  async unwrap(blob: Buffer, context: KeyContext): Promise<Buffer> {
    const { version, wrapped, signature } = decode(blob);
    const expected = await this.sign({ version, wrapped }, context);
    if (expected.length !== signature.length || !timingSafeEqual(expected, signature)) throw new BlobRefused();
    return this.operate(version, 'unwrapkey', { alg: WRAP, value: wrapped.toString('base64url') });
  }

  // PKCS #1 v1.5 signs the same bytes to the same signature, so comparing is verifying.
  private sign({ version, wrapped }: { version: string; wrapped: Buffer }, context: KeyContext): Promise<Buffer> {
    const digest = createHash('sha256').update(contextBytes(context)).update(version).update(wrapped).digest();
    return this.operate(version, 'sign', { alg: SIGN, value: digest.toString('base64url') });
  }

  private async newestVersion(): Promise<string> {
    const answer = await this.door.call((token) => ({ url: `${this.o.key}?${API}`, method: 'GET', headers: bearer(token) }));
    return textOf(objectOf(answer, 'key'), 'kid', NAME).split('/').at(-1)!;
  }

  private async operate(version: string, operation: string, members: JsonObject): Promise<Buffer> {
    const body = JSON.stringify(members);
    const url = `${this.o.key}/${version}/${operation}?${API}`;
    const answer = await this.door.call((token) => ({ url, headers: { ...bearer(token), 'content-type': 'application/json' }, body }));
    return Buffer.from(textOf(answer, 'value', NAME), 'base64url');
  }

  /** Client credentials at Entra ID (RFC 6749 section 4.4). */
  private async token(): Promise<Dated<string>> {
    const { tenantId, clientId, clientSecret, authority } = readCredentials(this.o.credentialsFile, credentialsSchema);
    const url = new URL(`/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`, authority).href;
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope: SCOPE }).toString();
    return tokenOf(await sendKms({ ...this.o, name: NAME }, { url, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }), NAME);
  }
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

function encode({ version, wrapped, signature }: AzureBlob): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(wrapped.length);
  return Buffer.concat([Buffer.from(version, 'hex'), length, wrapped, signature]);
}

function decode(blob: Buffer): AzureBlob {
  const head = VERSION_BYTES + LENGTH_BYTES;
  const end = blob.length < head ? Number.MAX_SAFE_INTEGER : head + blob.readUInt16BE(VERSION_BYTES);
  if (blob.length <= end) throw new BlobRefused();
  return { version: blob.toString('hex', 0, VERSION_BYTES), wrapped: blob.subarray(head, end), signature: blob.subarray(end) };
}

function judge({ status, json }: KmsReply): ProviderProblem | 'blob' {
  if (status === 429) return 'throttled';
  if (status === 401) return 'credentials';
  if (status === 403 || status === 404) return 'key';
  return objectOf(json, 'error')['code'] === 'BadParameter' ? 'blob' : 'answer';
}
