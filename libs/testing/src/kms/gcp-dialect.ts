import { createPublicKey, generateKeyPairSync, randomUUID, verify, type KeyObject } from 'node:crypto';
import { FakeKms, type KmsDialect } from './fake-kms.js';
import type { KmsReply, KmsRequest } from './kms-server.js';
import { KeyVersions, versionOf } from './key-versions.js';

const KEY = 'projects/acme/locations/europe-west3/keyRings/gatehouse/cryptoKeys/vault';
const ACCOUNT = 'gatehouse@acme.iam.gserviceaccount.com';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const SCOPE = 'https://www.googleapis.com/auth/cloudkms';

/** Google Cloud KMS (REST v1) with the token exchange of service accounts (RFC 7523). */
export function startGcpKms(): Promise<FakeKms> {
  return FakeKms.start(gcpDialect());
}

function gcpDialect(): KmsDialect {
  const keys = new KeyVersions();
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tokens = new Set<string>();
  let disabled = false;
  return {
    key: () => KEY,
    credentials: (url) => accountFile(pair.privateKey, url),
    wrongCredentials: (url) => accountFile(stranger.privateKey, url),
    answer: (request, url) => {
      if (request.path === '/token') return exchange(request, { tokens, publicKey: createPublicKey(pair.privateKey), audience: `${url}/token` });
      if (!tokens.has(String(request.headers.authorization).replace('Bearer ', ''))) return refused(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
      if (disabled) return refused(400, 'FAILED_PRECONDITION', `${KEY}/cryptoKeyVersions/1 is not enabled, current state is: DISABLED.`);
      return operate(keys, request);
    },
    throttled: refused(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.'),
    failing: refused(503, 'UNAVAILABLE', 'The service is currently unavailable.'),
    setDisabled: (value) => void (disabled = value),
    rotate: () => keys.rotate(),
    destroyOldVersions: () => keys.destroyOld(),
    endSessions: () => tokens.clear(),
  };
}

function accountFile(privateKey: KeyObject, url: string): string {
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  return JSON.stringify({ type: 'service_account', project_id: 'acme', private_key_id: 'k1', private_key: pem, client_email: ACCOUNT, token_uri: `${url}/token` });
}

interface Exchange {
  tokens: Set<string>;
  publicKey: KeyObject;
  audience: string;
}

function exchange({ method, body }: KmsRequest, { tokens, publicKey, audience }: Exchange): KmsReply {
  const form = new URLSearchParams(body);
  const claims = claimsOf(form.get('assertion') ?? '', publicKey);
  const isRight = claims['iss'] === ACCOUNT && claims['aud'] === audience && claims['scope'] === SCOPE;
  if (method !== 'POST' || form.get('grant_type') !== GRANT || !isRight || !isFresh(claims)) {
    return { status: 400, json: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } };
  }
  const token = `ya29.${randomUUID()}`;
  tokens.add(token);
  return { status: 200, json: { access_token: token, expires_in: 3_599, token_type: 'Bearer' } };
}

/** The claims of a signed statement; none when the account's key did not sign it. */
function claimsOf(assertion: string, publicKey: KeyObject): Record<string, unknown> {
  const [header = '', claims = '', signature = ''] = assertion.split('.');
  const isSigned = verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'));
  return isSigned ? (JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>) : {};
}

function isFresh(claims: Record<string, unknown>): boolean {
  const [issued, ends, now] = [Number(claims['iat']), Number(claims['exp']), Date.now() / 1_000];
  return issued <= now + 5 && ends > now && ends - issued <= 3_600;
}

function operate(keys: KeyVersions, { method, path, body }: KmsRequest): KmsReply {
  const asked = JSON.parse(body === '' ? '{}' : body) as Record<string, string>;
  const context = asked['additionalAuthenticatedData'] ?? '';
  if (method !== 'POST') return refused(404, 'NOT_FOUND', 'not found');
  if (path === `/v1/${KEY}:encrypt`) {
    const ciphertext = keys.encrypt(Buffer.from(asked['plaintext'] ?? '', 'base64'), context);
    return { status: 200, json: { name: `${KEY}/cryptoKeyVersions/${versionOf(ciphertext)}`, ciphertext: ciphertext.toString('base64'), protectionLevel: 'SOFTWARE' } };
  }
  if (path !== `/v1/${KEY}:decrypt`) return refused(404, 'NOT_FOUND', 'CryptoKey not found.');
  const plaintext = keys.decrypt(Buffer.from(asked['ciphertext'] ?? '', 'base64'), context);
  if (plaintext === undefined) return refused(400, 'INVALID_ARGUMENT', "Decryption failed: verify that 'name' refers to the correct CryptoKey.");
  return { status: 200, json: { plaintext: plaintext.toString('base64') } };
}

function refused(code: number, status: string, message: string): KmsReply {
  return { status: code, json: { error: { code, status, message } } };
}
