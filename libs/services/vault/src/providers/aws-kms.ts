import { systemClock, type Clock, type JsonObject } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import { z } from 'zod';
import type { KeyContext } from '../sealing/key-encryption-key.js';
import { signedHeaders, type AwsCredentials } from './aws-signature.js';
import { readCredentials } from './credentials-file.js';
import type { KeyProvider, ProviderProblem, ProviderWrapped } from './key-provider.js';
import { KmsDoor, textOf, type KmsReply } from './kms-door.js';
import { Renewable } from './renewable.js';

/** What every provider behind HTTP is made from. */
export interface KmsSettings {
  outbound: Outbound;
  /** The key's name at the provider. */
  key: string;
  credentialsFile: string;
  /** Another address than the provider's own: a private endpoint. */
  endpoint?: string | undefined;
  clock?: Clock | undefined;
  timeoutMs?: number | undefined;
}

const NAME = 'AWS KMS';
const REREAD_MS = 90_000;
const credentialsSchema = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1), sessionToken: z.string().optional() });

const PROBLEMS: Record<string, ProviderProblem | 'blob'> = {
  InvalidCiphertextException: 'blob',
  IncorrectKeyException: 'blob',
  ThrottlingException: 'throttled',
  LimitExceededException: 'throttled',
  DisabledException: 'key',
  KMSInvalidStateException: 'key',
  NotFoundException: 'key',
  InvalidKeyUsageException: 'key',
  AccessDeniedException: 'credentials',
  UnrecognizedClientException: 'credentials',
  InvalidClientTokenId: 'credentials',
  InvalidSignatureException: 'credentials',
  IncompleteSignatureException: 'credentials',
  MissingAuthenticationTokenException: 'credentials',
  ExpiredTokenException: 'credentials',
};

/**
 * A symmetric key of AWS KMS (`Encrypt`, `Decrypt`), bound by its encryption context. AWS keeps old
 * versions of a rotated key for good, so there are no versions to see here.
 */
export class AwsKms implements KeyProvider {
  readonly id: string;
  private readonly door: KmsDoor<AwsCredentials>;
  private readonly url: string;

  constructor(private readonly o: KmsSettings & { region: string }) {
    this.id = `aws:${o.key}`;
    this.url = new URL('/', o.endpoint ?? `https://kms.${o.region}.amazonaws.com`).href;
    const access = new Renewable(async () => ({ value: readCredentials(o.credentialsFile, credentialsSchema), validMs: REREAD_MS }), o.clock);
    this.door = new KmsDoor({ ...o, name: NAME, access, judge });
  }

  async wrap(key: Buffer, context: KeyContext): Promise<ProviderWrapped> {
    const answer = await this.call('Encrypt', { Plaintext: key.toString('base64'), EncryptionContext: pairsOf(context) });
    return { blob: Buffer.from(textOf(answer, 'CiphertextBlob', NAME), 'base64'), version: '' };
  }

  async unwrap(blob: Buffer, context: KeyContext): Promise<Buffer> {
    const answer = await this.call('Decrypt', { CiphertextBlob: blob.toString('base64'), EncryptionContext: pairsOf(context) });
    return Buffer.from(textOf(answer, 'Plaintext', NAME), 'base64');
  }

  private call(operation: string, members: JsonObject): Promise<JsonObject> {
    const body = JSON.stringify({ KeyId: this.o.key, ...members });
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` };
    return this.door.call((credentials) => {
      const request = { url: this.url, headers, body, atMs: (this.o.clock ?? systemClock).now() };
      return { url: this.url, headers: signedHeaders(request, credentials, { region: this.o.region, service: 'kms' }), body };
    });
  }
}

/** Shown in CloudTrail with every use of the key. */
function pairsOf({ environment, purpose, keyId, version }: KeyContext): JsonObject {
  return { app: 'gatehouse', environment, purpose, keyId, version: String(version) };
}

function judge({ json }: KmsReply): ProviderProblem | 'blob' {
  const type = String(json['__type']).split('#').at(-1)!;
  return PROBLEMS[type] ?? 'answer';
}
