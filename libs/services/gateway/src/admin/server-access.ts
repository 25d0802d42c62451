import { createPrivateKey } from 'node:crypto';
import type { api, serverContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';

type ServerBody = z.output<typeof api.serverBody>;
type Auth = ServerBody['auth'];
type Mode = serverContracts.Server['identityMode'];
type Given = { name: string; value?: string | undefined; secret: boolean };

/** A secret header with its value, on its way to the vault. */
export interface SecretHeader {
  readonly name: string;
  readonly value: string;
}

/** What a body says of how a server is signed in to, sorted by where it goes. */
export interface ServerAccess {
  /** For policy; nothing secret. */
  readonly auth: Auth['kind'];
  readonly oauth: serverContracts.Server['oauth'];
  readonly plain: [string, string][];
  readonly secretNames: string[];
  /** For an identity of the organisation; empty where each person brings their own. */
  readonly values: readonly SecretHeader[];
  /** For auth, of a client registered beforehand. */
  readonly client: ClientSecret | null;
}

/** What a client registered beforehand proves itself with. */
export interface ClientSecret {
  readonly kind: 'client_secret' | 'private_key';
  readonly text: string;
}

const PRINTABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Sorts what was given. Refuses with `bad_request` and `header_refused` what cannot be sent or contradicts itself. */
export function accessOf(auth: Auth, more: readonly SecretHeader[]): ServerAccess {
  const headers: Given[] = [...(auth.kind === 'headers' ? auth.headers : []), ...more.map((header) => ({ ...header, secret: false }))];
  requireSendable(headers);
  const secret = headers.filter((header) => header.secret);
  const values = secret.filter(hasValue);
  if (values.length > 0 && values.length < secret.length) throw new Refusal('bad_request', { problem: 'give the values of all secret headers or of none' });
  return {
    // With nothing secret among them, headers are no way to sign in: that is found out by looking.
    auth: auth.kind === 'headers' && secret.length === 0 ? 'auto' : auth.kind,
    oauth: settingsOf(auth),
    plain: headers.filter((header) => !header.secret).map(plainHeader),
    secretNames: secret.map(({ name }) => name),
    values: values.map(({ name, value }) => ({ name, value })),
    client: clientOf(auth),
  };
}

/** Refuses with `bad_request` where the mode leaves no use for what was given, or nothing to use. */
export function requireFitting({ auth, secretNames, values }: ServerAccess, mode: Mode | null): void {
  if (auth === 'none' && mode !== null && mode !== 'none') throw unfit(`identityMode ${mode} needs a way to sign in: auth none has none`);
  if (mode === 'none' && secretNames.length > 0) throw unfit('identityMode none sends no secret header');
  if (mode === 'private-required' && values.length > 0) throw unfit('with identityMode private-required each person brings their own: name the secret headers without values');
}

const unfit = (problem: string): Refusal => new Refusal('bad_request', { problem });

function settingsOf(auth: Auth): serverContracts.Server['oauth'] {
  if (auth.kind !== 'oauth') return {};
  const { kind: _kind, clientSecret: _secret, privateKey: _key, ...settings } = auth;
  return settings;
}

function clientOf(auth: Auth): ClientSecret | null {
  if (auth.kind !== 'oauth') return null;
  const { clientSecret, privateKey } = auth;
  if (clientSecret !== undefined && privateKey !== undefined) throw unfit('a client has a secret or a private key, not both');
  if (clientSecret !== undefined) return { kind: 'client_secret', text: clientSecret };
  return privateKey === undefined ? null : { kind: 'private_key', text: requireKey(privateKey) };
}

// Nobody can look at it once it is sealed, so that what is no key is said here and not at the first sign-in.
function requireKey(pem: string): string {
  try {
    createPrivateKey(pem);
    return pem;
  } catch {
    // What the parser says may quote the text.
    throw new Refusal('bad_request', { errors: [{ pointer: '/auth/privateKey', detail: 'a private key as PEM (PKCS #8), without passphrase' }] });
  }
}

const hasValue = <T extends Given>(header: T): header is T & { value: string } => header.value !== undefined;

function plainHeader(header: Given): [string, string] {
  if (!hasValue(header)) throw new Refusal('bad_request', { problem: `the header ${header.name} has no value: only secret ones may be brought by others` });
  return [header.name, header.value];
}

/** Refuses what would smuggle a header or a second request to the server (line breaks), and what is there twice. */
export function requireSendable(headers: readonly { name: string; value?: string | undefined }[]): void {
  const seen = new Set<string>();
  for (const { name, value = '' } of headers) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) throw new Refusal('header_refused', { header: name, reason: 'given twice' });
    if (!PRINTABLE.test(value)) throw new Refusal('header_refused', { header: name, reason: 'not printable' });
    seen.add(lower);
  }
}
