import { asRefusalOrFault } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import { errors, type Adapter } from 'oidc-provider';
import { RECORD_HEADER, recordHeader } from '../http/outcome-record.js';
import { html, pageText, PAGE_HEADERS } from '../pages/page.js';
import { RateLimits, type Rate } from './rate-limits.js';
import { handOver, readForm, type PlainContext } from './requests.js';
import { RESOURCE_SCOPES, type Resources } from './resources.js';
import type { PublicSigningKey } from './signing-keys.js';

/** What stands before the library. */
export interface Gate {
  resources: Resources;
  limits: RateLimits;
  log: Logger;
  /** Every key a token of ours may be signed with, for `/jwks`. */
  publicKeys: () => readonly PublicSigningKey[];
  /** Ends a JWT access token of ours that its own client gives back (RFC 7009). */
  revokeAccessToken: (token: string, clientId: string) => Promise<void>;
  /** Whether a client may register itself now; throws the error to answer. */
  admitRegistration: (ctx: PlainContext) => Promise<void>;
  /** Reads how clients may come, for decisions about their metadata that cannot wait. */
  lookAtSettings: () => Promise<void>;
}

/** Codes that were given and are not over. */
export type Codes = Pick<Adapter, 'find'>;

/** Per address: enough for an office behind one address, far too few to fill a table or guess a code. */
const RATES: Readonly<Record<string, Rate>> = {
  '/register': { burst: 60, perMinute: 30 },
  '/authorize': { burst: 200, perMinute: 200 },
  '/par': { burst: 200, perMinute: 200 },
  '/token': { burst: 600, perMinute: 600 },
  '/revoke': { burst: 200, perMinute: 200 },
};
/** All addresses together: a registration is a row. */
const ALL_REGISTRATIONS: Rate = { burst: 1_000, perMinute: 300 };
const OPEN_TO_PAGES = new Set(['/register', '/token', '/revoke', '/par']);
const ACCOUNT_SCOPES = new Set(['openid', 'offline_access']);

/**
 * Runs before the library on every request: limits, then what clients in the field send differently
 * than the library accepts (auth.md A5-A11, A15). Nothing here loosens a check: it only spells what was
 * meant, and what cannot be spelled is refused before a code or a refresh token is used up by it.
 */
export function beforeProvider(gate: Gate, codes: Codes): (ctx: PlainContext, next: () => Promise<void>) => Promise<void> {
  return async (ctx, next) => {
    if (OPEN_TO_PAGES.has(ctx.path) && openToPages(ctx)) return;
    if (!withinLimits(ctx, gate.limits)) return;
    if (ctx.path === '/jwks') return sendKeys(ctx, gate.publicKeys());
    try {
      if (RATES[ctx.path] !== undefined) await gate.lookAtSettings();
      const form = await rewritten(ctx, gate, codes);
      await next();
      if (ctx.path === '/revoke' && form !== undefined) await revoked(ctx, form, gate);
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) gate.log.warn({ path: ctx.path, code: asRefusalOrFault(error).code, err: error }, 'authorization request failed');
      sendOauthError(ctx, error);
    }
  };
}

// By then the library knows who the client is, and refuses only what it did not store: our JWTs.
async function revoked(ctx: PlainContext, form: URLSearchParams, gate: Gate): Promise<void> {
  const clientId = ctx.oidc?.client?.clientId;
  if (clientId === undefined || (ctx.body as { error?: string } | undefined)?.error !== 'unsupported_token_type') return;
  await gate.revokeAccessToken(form.get('token') ?? '', clientId);
  ctx.status = 200;
  ctx.body = '';
  ctx.set(RECORD_HEADER, recordHeader({ kind: 'token_revoked', code: null, clientId }));
}

// Browser-based clients register and fetch tokens from their own pages; no cookie means anything here, so none is allowed (A15).
function openToPages(ctx: PlainContext): boolean {
  ctx.set('access-control-allow-origin', '*');
  ctx.set('access-control-expose-headers', 'WWW-Authenticate, DPoP-Nonce');
  if (ctx.method !== 'OPTIONS') return false;
  ctx.set('access-control-allow-methods', 'POST');
  ctx.set('access-control-allow-headers', 'authorization, content-type, dpop, mcp-protocol-version');
  ctx.set('access-control-max-age', '3600');
  ctx.status = 204;
  return true;
}

function withinLimits(ctx: PlainContext, limits: RateLimits): boolean {
  const rate = RATES[ctx.path];
  if (rate === undefined) return true;
  const waits = [limits.take(`${ctx.path} ${ctx.ip}`, rate), ctx.path === '/register' ? limits.take('registrations', ALL_REGISTRATIONS) : 0];
  const seconds = Math.max(...waits);
  if (seconds === 0) return true;
  ctx.status = 429;
  ctx.set('retry-after', String(seconds));
  if (ctx.path === '/authorize') sendTrouble(ctx);
  else ctx.body = { error: 'temporarily_unavailable', error_description: 'too many requests; try again later' };
  return false;
}

function sendKeys(ctx: PlainContext, keys: readonly PublicSigningKey[]): void {
  ctx.set('access-control-allow-origin', '*');
  ctx.set('cache-control', 'public, max-age=300');
  ctx.status = 200;
  ctx.body = { keys: keys.map(({ id, publicJwk }) => ({ ...publicJwk, kid: id, alg: 'ES256', use: 'sig' })) };
}

/** The form that was read and handed on, if it was. */
async function rewritten(ctx: PlainContext, gate: Gate, codes: Codes): Promise<URLSearchParams | undefined> {
  if (ctx.path === '/authorize' && ctx.method === 'GET') {
    const params = new URLSearchParams(ctx.querystring);
    if (!params.has('request_uri')) await spellAuthorization(params, gate.resources);
    ctx.querystring = params.toString();
  }
  if (ctx.method !== 'POST') return undefined;
  if (ctx.path === '/register') await gate.admitRegistration(ctx);
  return ['/par', '/token', '/revoke'].includes(ctx.path) ? rewriteForm(ctx, gate, codes) : undefined;
}

async function rewriteForm(ctx: PlainContext, gate: Gate, codes: Codes): Promise<URLSearchParams> {
  const form = await readForm(ctx);
  if (ctx.path === '/par') await spellAuthorization(form, gate.resources);
  else spellResource(form, gate.resources);
  if (form.get('grant_type') === 'client_credentials' && !form.has('scope')) form.set('scope', scopeOf(form, gate.resources));
  if (ctx.path === '/token') await refuseOtherResource(form, codes);
  handOver(ctx, form);
  return form;
}

// Before the code is used up: the library looks at the resource after that (A10).
async function refuseOtherResource(form: URLSearchParams, codes: Codes): Promise<void> {
  const [asked, ...more] = form.getAll('resource');
  if (asked === undefined) return;
  if (more.length > 0) throw new errors.InvalidTarget('an access token is for one resource');
  const [code, ...others] = form.getAll('code');
  if (form.get('grant_type') !== 'authorization_code' || code === undefined || others.length > 0) return;
  const granted = (await codes.find(code))?.['resource'];
  if (granted !== undefined && ![granted].flat().includes(asked)) throw new errors.InvalidTarget('resource was not granted');
}

async function spellAuthorization(params: URLSearchParams, resources: Resources): Promise<void> {
  spellResource(params, resources);
  if (!params.has('resource')) await addOnlyResource(params, resources);
  if (params.getAll('scope').length > 1) return;
  params.set('scope', scopeOf(params, resources));
  if (!params.get('scope')!.split(' ').includes('openid')) params.delete('nonce');
}

// The catalogue of the resource stands in for a scope that is missing or means nothing here (A7); what the resource does not have cannot be asked of it.
function scopeOf(params: URLSearchParams, resources: Resources): string {
  const own = params.get('resource') === resources.admin ? RESOURCE_SCOPES.admin : RESOURCE_SCOPES.endpoint;
  const asked = (params.get('scope') ?? '').split(/[ ,]+/).filter((scope) => ACCOUNT_SCOPES.has(scope));
  return [...new Set([...asked, own])].join(' ');
}

function spellResource(params: URLSearchParams, resources: Resources): void {
  const named = params.getAll('resource');
  if (named.length === 0) return;
  params.delete('resource');
  const spelled = new Set(named.filter((each) => each !== '').map((each) => resources.canonical(each)));
  for (const resource of spelled) params.append('resource', resource);
}

async function addOnlyResource(params: URLSearchParams, resources: Resources): Promise<void> {
  const only = await resources.only();
  if (only !== undefined) params.set('resource', only);
}

function sendOauthError(ctx: PlainContext, error: unknown): void {
  const known = error instanceof errors.OIDCProviderError ? error : new errors.TemporarilyUnavailable();
  ctx.status = known instanceof errors.TemporarilyUnavailable ? 503 : known.statusCode;
  ctx.set('cache-control', 'no-store');
  if (ctx.path === '/authorize') return sendTrouble(ctx);
  ctx.body = { error: known.error, ...(known.error_description === undefined ? {} : { error_description: known.error_description }) };
}

// People stand here, not programs; and nobody knows yet whether the address they came from may be answered.
function sendTrouble(ctx: PlainContext): void {
  ctx.set({ ...PAGE_HEADERS });
  ctx.body = pageText('Not just now', html`<p>Gatehouse is too busy for this, or a part that it needs is not running. Go back to your client and connect again in a moment.</p>`);
}
