import type { JsonObject } from '@gatehouse/kernel';
import { z } from 'zod';
import { contextBytes, type KeyContext } from '../sealing/key-encryption-key.js';
import { BlobRefused } from '../sealing/secret-blob.js';
import type { KmsSettings } from './aws-kms.js';
import { readCredentials, textOfFile } from './credentials-file.js';
import { KeyProviderFailure, type KeyProvider, type ProviderProblem, type ProviderWrapped } from './key-provider.js';
import { KmsDoor, objectOf, sendKms, textOf, type KmsReply } from './kms-door.js';
import { Renewable, type Dated } from './renewable.js';

const NAME = 'the transit engine';
const REREAD_MS = 90_000;
const VERSION_BYTES = 4;
const CIPHERTEXT = /^vault:v([1-9]\d{0,8}):([A-Za-z0-9+/]+={0,2})$/;
const appRoleSchema = z.object({ roleId: z.string().min(1), secretId: z.string().min(1) });

/**
 * A symmetric key (`aes256-gcm96`) of the transit engine of OpenBao or HashiCorp Vault; the context is
 * its associated data. Blob: `version 4 | what follows vault:vN:`, because base64 has spellings and
 * bytes have none.
 */
export class Transit implements KeyProvider {
  readonly id: string;
  private readonly door: KmsDoor<string>;
  private readonly path: { mount: string; key: string };

  /** `key` is mount and name: `transit/gatehouse`. */
  constructor(private readonly o: KmsSettings & { endpoint: string }) {
    this.id = `transit:${o.key}`;
    const slash = o.key.lastIndexOf('/');
    this.path = { mount: o.key.slice(0, slash), key: o.key.slice(slash + 1) };
    this.door = new KmsDoor({ ...o, name: NAME, access: new Renewable(() => this.token(), o.clock), judge });
  }

  async wrap(key: Buffer, context: KeyContext): Promise<ProviderWrapped> {
    const answer = await this.call('encrypt', { plaintext: key.toString('base64'), associated_data: contextBytes(context).toString('base64') });
    const found = CIPHERTEXT.exec(textOf(answer, 'ciphertext', NAME));
    if (found === null) throw new KeyProviderFailure(NAME, 'answer');
    const head = Buffer.alloc(VERSION_BYTES);
    head.writeUInt32BE(Number(found[1]));
    return { blob: Buffer.concat([head, Buffer.from(found[2]!, 'base64')]), version: found[1]! };
  }

  async unwrap(blob: Buffer, context: KeyContext): Promise<Buffer> {
    if (blob.length <= VERSION_BYTES) throw new BlobRefused();
    const ciphertext = `vault:v${blob.readUInt32BE()}:${blob.toString('base64', VERSION_BYTES)}`;
    const answer = await this.call('decrypt', { ciphertext, associated_data: contextBytes(context).toString('base64') });
    return Buffer.from(textOf(answer, 'plaintext', NAME), 'base64');
  }

  private async call(verb: string, members: JsonObject): Promise<JsonObject> {
    const { mount, key } = this.path;
    const url = new URL(`/v1/${mount}/${verb}/${key}`, this.o.endpoint).href;
    const body = JSON.stringify(members);
    const answer = await this.door.call((token) => ({ url, headers: { 'x-vault-token': token, 'content-type': 'application/json' }, body }));
    return objectOf(answer, 'data');
  }

  /** The file holds a token, or an AppRole to log in with. */
  private async token(): Promise<Dated<string>> {
    const { credentialsFile } = this.o;
    const text = textOfFile(credentialsFile);
    if (!text.startsWith('{')) return { value: text, validMs: REREAD_MS };
    const { roleId, secretId } = readCredentials(credentialsFile, appRoleSchema);
    const url = new URL('/v1/auth/approle/login', this.o.endpoint).href;
    const body = JSON.stringify({ role_id: roleId, secret_id: secretId });
    return sessionOf(await sendKms({ ...this.o, name: NAME }, { url, headers: { 'content-type': 'application/json' }, body }));
  }
}

function sessionOf({ status, json }: KmsReply): Dated<string> {
  if (status >= 500) throw new KeyProviderFailure(NAME, 'unreachable');
  if (status === 429) throw new KeyProviderFailure(NAME, 'throttled');
  if (status !== 200) throw new KeyProviderFailure(NAME, 'credentials');
  const auth = objectOf(json, 'auth');
  return { value: textOf(auth, 'client_token', NAME), validMs: Number(auth['lease_duration'] ?? 0) * 1_000 };
}

// The API has no codes, only sentences.
function judge({ status, json }: KmsReply): ProviderProblem | 'blob' {
  const sentences = JSON.stringify(json['errors'] ?? '');
  if (status === 429) return 'throttled';
  if (status === 403) return 'credentials';
  if (status === 404 || /key not found|disallowed by policy|deleted/.test(sentences)) return 'key';
  return /ciphertext|authentication failed|version/.test(sentences) ? 'blob' : 'answer';
}
