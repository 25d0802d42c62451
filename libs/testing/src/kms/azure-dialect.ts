import { constants, generateKeyPairSync, privateDecrypt, privateEncrypt, publicEncrypt, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { FakeKms, type KmsDialect } from './fake-kms.js';
import type { KmsReply, KmsRequest } from './kms-server.js';

const TENANT = '0b5d7a9e-1111-4222-8333-444455556666';
const CLIENT = '7c1e2f30-aaaa-4bbb-8ccc-ddddeeeeffff';
const CLIENT_SECRET = 'fake~client~secret';
const SCOPE = 'https://vault.azure.net/.default';
const NAME = 'gatehouse';
// PKCS #1 v1.5 over a digest that was made elsewhere: the service is given 32 bytes and says they are SHA-256.
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

interface Version {
  id: string;
  pair: { publicKey: KeyObject; privateKey: KeyObject };
}

interface State {
  versions: Version[];
  tokens: Set<string>;
  disabled: boolean;
}

/** Azure Key Vault keys (REST 7.4) with RSA keys, and the client credentials grant of Entra ID. */
export function startAzureKeyVault(): Promise<FakeKms> {
  return FakeKms.start(azureDialect());
}

function azureDialect(): KmsDialect {
  const state: State = { versions: [newVersion()], tokens: new Set(), disabled: false };
  const file = (secret: string, url: string): string => JSON.stringify({ tenantId: TENANT, clientId: CLIENT, clientSecret: secret, authority: url });
  return {
    key: (url) => `${url}/keys/${NAME}`,
    credentials: (url) => file(CLIENT_SECRET, url),
    wrongCredentials: (url) => file('wrong', url),
    answer: (request, url) => {
      if (request.path === `/${TENANT}/oauth2/v2.0/token`) return login(request, state);
      if (!state.tokens.has(String(request.headers.authorization).replace('Bearer ', ''))) return refused(401, 'Unauthorized');
      return operate(request, state, url);
    },
    throttled: refused(429, 'Throttled'),
    failing: refused(503, 'ServiceUnavailable'),
    setDisabled: (value) => void (state.disabled = value),
    rotate: () => void state.versions.push(newVersion()),
    destroyOldVersions: () => void (state.versions = state.versions.slice(-1)),
    endSessions: () => state.tokens.clear(),
  };
}

function newVersion(): Version {
  return { id: randomBytes(16).toString('hex'), pair: generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

function login({ body }: KmsRequest, { tokens }: State): KmsReply {
  const form = new URLSearchParams(body);
  const known = form.get('client_id') === CLIENT && form.get('client_secret') === CLIENT_SECRET;
  if (!known || form.get('grant_type') !== 'client_credentials' || form.get('scope') !== SCOPE) {
    return { status: 401, json: { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.' } };
  }
  const token = `eyJ0.${randomUUID()}`;
  tokens.add(token);
  return { status: 200, json: { token_type: 'Bearer', expires_in: 3_599, access_token: token } };
}

function operate({ method, path, body }: KmsRequest, { versions, disabled }: State, url: string): KmsReply {
  const { pathname, searchParams } = new URL(path, url);
  const [, kind, name, id, operation] = pathname.split('/');
  if (searchParams.get('api-version') !== '7.4') return refused(400, 'BadParameter');
  const version = id === undefined ? versions.at(-1) : versions.find((known) => known.id === id);
  if (kind !== 'keys' || name !== NAME || version === undefined) return refused(404, 'KeyNotFound');
  const kid = `${url}/keys/${NAME}/${version.id}`;
  if (method === 'GET') return { status: 200, json: { key: { kid, kty: 'RSA' }, attributes: { enabled: !disabled } } };
  if (disabled) return refused(403, 'Forbidden', 'KeyDisabled');
  const asked = JSON.parse(body) as { alg: string; value: string };
  const result = compute(version.pair, `${String(operation).toLowerCase()} ${asked.alg}`, Buffer.from(asked.value, 'base64url'));
  return result === undefined ? refused(400, 'BadParameter') : { status: 200, json: { kid, value: result.toString('base64url') } };
}

function compute({ publicKey, privateKey }: Version['pair'], operation: string, value: Buffer): Buffer | undefined {
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  try {
    if (operation === 'wrapkey RSA-OAEP-256') return publicEncrypt({ key: publicKey, ...padding }, value);
    if (operation === 'unwrapkey RSA-OAEP-256') return privateDecrypt({ key: privateKey, ...padding }, value);
  } catch {
    // What does not decrypt is answered like any other bad parameter.
    return undefined;
  }
  if (operation !== 'sign RS256' || value.length !== 32) return undefined;
  return privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([DIGEST_INFO, value]));
}

function refused(status: number, code: string, inner?: string): KmsReply {
  return { status, json: { error: { code, message: code, ...(inner === undefined ? {} : { innererror: { code: inner } }) } } };
}
