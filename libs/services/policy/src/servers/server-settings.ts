import type { serverContracts } from '@gatehouse/contracts';
import { Refusal, requireHeaderNames } from '@gatehouse/kernel';
import type { Transaction } from '@gatehouse/persistence';
import type { z } from 'zod';
import { requireCertificates } from './ca-certificate.js';
import { requireForwardNames } from './header-names.js';
import { requireOauthUrls } from './oauth-urls.js';
import { UNKNOWN_HEALTH } from './server-rows.js';
import { requireServerUrl } from './server-url.js';

/** What a server is registered with. */
export type ServerInput = z.output<typeof serverContracts.serverInput>;

/** What an administrator sets of a server and can change later. */
export type ServerSettings = Omit<ServerInput, 'id' | 'name'>;

/** What a grant can never give: the organisation has no private identity, and a person's sign-in no global one. */
const MODE_WITHOUT: Readonly<Record<NonNullable<ServerSettings['oauth']['grant']>, ServerSettings['identityMode'] | undefined>> = {
  authorization_code: undefined,
  client_credentials: 'private-required',
  token_exchange: 'global',
  id_jag: 'global',
};

/** Column and value of each setting, as the database takes them. */
const COLUMNS: { readonly [member in keyof ServerSettings]: readonly [column: string, value: (settings: ServerSettings) => unknown] } = {
  url: ['url', ({ url }) => url],
  stateless: ['stateless', ({ stateless }) => stateless],
  allowPrivateNetwork: ['allow_private_network', ({ allowPrivateNetwork }) => allowPrivateNetwork],
  caCertificate: ['ca_certificate', ({ caCertificate }) => caCertificate],
  transport: ['transport', ({ transport }) => transport],
  auth: ['auth', ({ auth }) => auth],
  oauth: ['oauth', ({ oauth }) => JSON.stringify(oauth)],
  signCalls: ['sign_calls', ({ signCalls }) => signCalls],
  forwardHeaders: ['forward_headers', ({ forwardHeaders }) => forwardHeaders],
  identityMode: ['identity_mode', ({ identityMode }) => identityMode],
  headers: ['headers', ({ headers }) => JSON.stringify(headers)],
  secretHeaders: ['secret_headers', ({ secretHeaders }) => secretHeaders],
};

const MEMBERS = Object.keys(COLUMNS) as (keyof ServerSettings)[];
const NAMES = MEMBERS.map((member) => COLUMNS[member][0]);
const valuesOf = (settings: ServerSettings): unknown[] => MEMBERS.map((member) => COLUMNS[member][1](settings));

const INSERT = `
  INSERT INTO servers (id, name, health, created_at, state, revision, ${NAMES.join(', ')})
  VALUES ($1, $2, $3, $4, 'running', 1, ${NAMES.map((_, index) => `$${index + 5}`).join(', ')})`;
const UPDATE = `UPDATE servers SET revision = revision + 1, ${NAMES.map((name, index) => `${name} = $${index + 2}`).join(', ')} WHERE id = $1`;
const SELECT = `SELECT ${MEMBERS.map((member) => `${COLUMNS[member][0]} AS "${member}"`).join(', ')} FROM servers WHERE id = $1`;

/** Adds a server that is running and was never looked at. */
export async function insertServer(tx: Transaction, { id, ...settings }: ServerInput, { name, now }: { name: string; now: number }): Promise<void> {
  await tx.query(INSERT, [id, name, JSON.stringify(UNKNOWN_HEALTH), now, ...valuesOf(settings)]);
}

/** Writes settings in place of what is there; the revision moves on. */
export async function writeSettings(tx: Transaction, serverId: string, settings: ServerSettings): Promise<void> {
  await tx.query(UPDATE, [serverId, ...valuesOf(settings)]);
}

/** The settings of a server that exists. */
export async function readSettings(tx: Transaction, serverId: string): Promise<ServerSettings> {
  const [settings] = await tx.query<ServerSettings>(SELECT, [serverId]);
  return { ...settings! };
}

/** Certificates as they are kept; refuses with `certificate_refused`. */
export function keptCertificate(text: string | null, now: number): string | null {
  return text === null ? null : requireCertificates(text, now);
}

/** The rules that settings keep together. Refuses with `url_refused`, `header_refused`, `bad_params`. */
export function requireSettings(settings: ServerSettings): void {
  const { url, allowPrivateNetwork, headers, secretHeaders, forwardHeaders, oauth } = settings;
  requireServerUrl(url, allowPrivateNetwork);
  const sent = [...headers.map(([name]) => name), ...secretHeaders];
  requireHeaderNames(sent);
  requireForwardNames(forwardHeaders, sent);
  requireOauthUrls(oauth, allowPrivateNetwork);
  const problem = contradictionIn(settings);
  if (problem !== undefined) throw new Refusal('bad_params', { problem });
}

/** Settings of which one would silently take the effect of the other. */
function contradictionIn({ auth, identityMode, secretHeaders, oauth: { grant } }: ServerSettings): string | undefined {
  if (secretHeaders.length > 0) return whyUnsent(auth, identityMode);
  if (auth === 'none' && identityMode !== null && identityMode !== 'none') return `auth none has no credential for identity mode ${identityMode}`;
  return grant === undefined || identityMode !== MODE_WITHOUT[grant] ? undefined : `a ${grant} grant makes no identity for identity mode ${identityMode}`;
}

function whyUnsent(auth: ServerSettings['auth'], identityMode: ServerSettings['identityMode']): string | undefined {
  if (auth === 'none' || auth === 'oauth') return `secret headers are not sent with auth ${auth}`;
  return identityMode === 'none' ? 'secret headers are not sent with identity mode none' : undefined;
}
