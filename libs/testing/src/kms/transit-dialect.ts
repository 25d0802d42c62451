import { randomUUID } from 'node:crypto';
import { FakeKms, type KmsDialect } from './fake-kms.js';
import type { KmsReply, KmsRequest } from './kms-server.js';
import { boxOf, ciphertextOf, KeyVersions, versionOf } from './key-versions.js';

const KEY = 'transit/gatehouse';
const STATIC_TOKEN = 'hvs.fake-static-token';
const ROLE_ID = '675a50e7-cfe0-be76-e35f-49ec009731ea';
const SECRET_ID = 'ed0a642f-2acf-c2da-232f-1b21300d5f29';

/** How a client of the transit engine proves who it is. */
export type TransitLogin = 'token' | 'approle';

/** The transit engine of OpenBao and HashiCorp Vault, reached with a token or an AppRole. */
export function startTransit(login: TransitLogin = 'approle'): Promise<FakeKms> {
  return FakeKms.start(transitDialect(login));
}

function transitDialect(loginWith: TransitLogin): KmsDialect {
  const keys = new KeyVersions();
  const oldest = { version: 1 };
  const tokens = new Set<string>();
  let disabled = false;
  const appRole = (secretId: string): string => JSON.stringify({ roleId: ROLE_ID, secretId });
  return {
    key: () => KEY,
    credentials: () => (loginWith === 'token' ? `${STATIC_TOKEN}\n` : appRole(SECRET_ID)),
    wrongCredentials: () => (loginWith === 'token' ? 'hvs.nobody' : appRole('wrong')),
    answer: (request) => {
      if (request.path === '/v1/auth/approle/login') return login(request, tokens);
      const token = String(request.headers['x-vault-token']);
      if (token !== STATIC_TOKEN && !tokens.has(token)) return refused(403, 'permission denied');
      return disabled ? refused(400, 'encryption key not found') : operate(keys, request, oldest.version);
    },
    throttled: refused(429, 'request path "transit/": rate limit quota exceeded'),
    failing: refused(503, 'Vault is sealed'),
    setDisabled: (value) => void (disabled = value),
    rotate: () => keys.rotate(),
    destroyOldVersions: () => {
      oldest.version = keys.current;
      keys.destroyOld();
    },
    endSessions: () => tokens.clear(),
  };
}

function login({ body }: KmsRequest, tokens: Set<string>): KmsReply {
  const { role_id: role, secret_id: secret } = JSON.parse(body) as Record<string, string>;
  if (role !== ROLE_ID || secret !== SECRET_ID) return refused(400, 'invalid role or secret ID');
  const token = `hvs.${randomUUID()}`;
  tokens.add(token);
  return { status: 200, json: { auth: { client_token: token, lease_duration: 1_200, renewable: true } } };
}

function operate(keys: KeyVersions, { path, body }: KmsRequest, oldest: number): KmsReply {
  const asked = JSON.parse(body) as Record<string, string>;
  const context = asked['associated_data'] ?? '';
  if (path === '/v1/transit/encrypt/gatehouse') {
    const sealed = keys.encrypt(Buffer.from(asked['plaintext'] ?? '', 'base64'), context);
    const version = versionOf(sealed);
    return { status: 200, json: { data: { ciphertext: `vault:v${version}:${boxOf(sealed).toString('base64')}`, key_version: version } } };
  }
  if (path !== '/v1/transit/decrypt/gatehouse') return refused(404, 'no handler for route');
  const found = /^vault:v(\d+):([A-Za-z0-9+/=]+)$/.exec(asked['ciphertext'] ?? '');
  if (found === null) return refused(400, 'invalid ciphertext: no prefix');
  const version = Number(found[1]);
  if (version > keys.current) return refused(400, 'invalid ciphertext: version is too new');
  if (version < oldest) return refused(400, 'ciphertext or signature version is disallowed by policy (too old)');
  const plaintext = keys.decrypt(ciphertextOf(version, Buffer.from(found[2]!, 'base64')), context);
  if (plaintext === undefined) return refused(400, 'cipher: message authentication failed');
  return { status: 200, json: { data: { plaintext: plaintext.toString('base64') } } };
}

function refused(status: number, error: string): KmsReply {
  return { status, json: { errors: [error] } };
}
