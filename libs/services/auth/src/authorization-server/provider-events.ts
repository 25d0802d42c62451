import type { Logger } from '@gatehouse/telemetry';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { RECORD_HEADER, recordHeader } from '../http/outcome-record.js';
import type { ClientStore } from './client-store.js';

type Refused = Error & { error?: string; error_detail?: string };

const TROUBLE = ['grant.error', 'authorization.error', 'registration_create.error', 'revocation.error', 'pushed_authorization_request.error'] as const;

/**
 * What the library did, told on: to the record of the edge, and to the log with the reason that the
 * client is not told (A20: it hears one sentence for every failed grant).
 */
export function followProvider(provider: Provider, clients: ClientStore, log: Logger): void {
  for (const event of TROUBLE) provider.on(event as 'grant.error', ((ctx: KoaContextWithOIDC, error: Refused) => noteTrouble(ctx, error, log)) as never);
  provider.on('server_error', (ctx, error) => log.error({ path: ctx.path, err: error }, 'authorization server failed'));
  provider.on('grant.success', (ctx) => {
    noteSuccess(ctx, 'token_issued');
    const id = ctx.oidc.client?.clientId;
    if (id !== undefined) void clients.noteUse(id, grantOf(ctx)).catch((error: unknown) => log.warn({ err: error }, 'use of a client not noted'));
  });
  provider.on('registration_create.success', (ctx) => noteSuccess(ctx, 'client_registered'));
}

function noteSuccess(ctx: KoaContextWithOIDC, kind: string): void {
  const { oidc } = ctx;
  const callerId = oidc.account?.accountId ?? oidc.entities.ClientCredentials?.clientId ?? null;
  ctx.set(RECORD_HEADER, recordHeader({ kind, code: null, callerId, clientId: oidc.client?.clientId ?? null, target: targetOf(ctx) }));
}

function noteTrouble(ctx: KoaContextWithOIDC, error: Refused, log: Logger): void {
  const clientId = ctx.oidc?.client?.clientId ?? null;
  const code = error.error ?? 'server_error';
  log.info({ path: ctx.path, clientId, error: code, detail: error.error_detail ?? error.message }, 'authorization request refused');
  ctx.set(RECORD_HEADER, recordHeader({ kind: 'refused', code, clientId, target: targetOf(ctx) }));
}

function grantOf({ oidc }: KoaContextWithOIDC): string | undefined {
  return oidc.entities.AccessToken?.grantId;
}

const TARGET_CHARS = 200;

function targetOf(ctx: KoaContextWithOIDC): string | null {
  const resource: unknown = ctx.oidc?.params?.['resource'];
  return typeof resource === 'string' ? resource.slice(0, TARGET_CHARS) : null;
}
