import { randomBytes } from 'node:crypto';
import type { upstreamContracts } from '@gatehouse/contracts';
import type { Clock } from '@gatehouse/kernel';
import type { Outbound } from '@gatehouse/outbound';
import type { Database } from '@gatehouse/persistence';
import { scopesToAsk } from './asked-for.js';
import { clientsAt, insertClient, type UpstreamClient } from './client-rows.js';
import type { FoundServer } from './found-server.js';
import { CALLBACK_PATH, canShowDocument, DOCUMENT_PATH } from './own-client.js';
import { register, RegistrationRefused } from './registration.js';
import type { UpstreamSecrets } from './upstream-secrets.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What `UpstreamClients` works with. */
export interface UpstreamClientsParts {
  db: Database;
  secrets: UpstreamSecrets;
  outbound: Outbound;
  clock: Clock;
  publicOrigin: string;
}

/** A client must be registered by hand. `problem` is a sentence: why we cannot do it. */
export class ClientNeeded extends Error {
  override readonly name = 'ClientNeeded';

  constructor(readonly problem: string) {
    super(problem);
  }
}

/** What a sign-in wants of its client. */
export interface ClientWish {
  /** Our document was answered with silence. */
  avoidDocument: boolean;
  /** Scopes beyond the usual ones. */
  scopes: readonly string[];
}

const NO_WISH: ClientWish = { avoidDocument: false, scopes: [] };
const RENEW_MS = 24 * 3_600_000;

/**
 * Who Gatehouse is at an authorization server: the client that an administrator names, else our
 * metadata document where it is read, else one registered for the occasion (auth.md section 5).
 * Whatever it is, it is bound to the issuer it was made at.
 */
export class UpstreamClients {
  private readonly registering = new Map<string, Promise<UpstreamClient>>();

  constructor(private readonly parts: UpstreamClientsParts) {}

  /**
   * The client to sign in with from now on. Rejects with `ClientNeeded`, or with a `Refusal` for what
   * may pass.
   */
  async current(upstream: Upstream, found: FoundServer, { avoidDocument, scopes }: ClientWish = NO_WISH): Promise<UpstreamClient> {
    const { clientId } = upstream.oauth;
    if (clientId !== undefined) return this.fixed(upstream, found, { method: 'static', clientId });
    const present = await clientsAt(this.parts.db, upstream.id, found.issuer);
    const mayRegister = this.mayRegister(upstream, found);
    const isInVain = mayRegister && (avoidDocument || isDocumentRefused(present));
    if (!isInVain && this.readsDocument(upstream, found)) return this.fixed(upstream, found, { method: 'document', clientId: this.documentUrl });
    if (!mayRegister) throw new ClientNeeded('The authorization server knows neither client metadata documents nor registration.');
    return this.dynamic(upstream, found, { scopes, present });
  }

  private async dynamic(upstream: Upstream, found: FoundServer, { scopes, present }: { scopes: readonly string[]; present: readonly UpstreamClient[] }): Promise<UpstreamClient> {
    const wanted = scopesToAsk(upstream.oauth, found, scopes);
    return present.find((client) => this.isGood(client, wanted)) ?? this.registered(upstream, found, wanted);
  }

  /** Whether a client could be registered where the document is not taken. */
  mayRegister({ oauth }: Upstream, { metadata }: FoundServer): boolean {
    return oauth.registration !== 'document' && metadata.registration_endpoint !== undefined;
  }

  /** Where people are sent back to whose client an administrator registers. */
  get callbackUrl(): string {
    return `${this.parts.publicOrigin}${CALLBACK_PATH}`;
  }

  private get documentUrl(): string {
    return `${this.parts.publicOrigin}${DOCUMENT_PATH}`;
  }

  private readsDocument({ oauth }: Upstream, { metadata }: FoundServer): boolean {
    return oauth.registration !== 'dynamic' && metadata['client_id_metadata_document_supported'] === true && canShowDocument(this.parts.publicOrigin);
  }

  private fixed({ id: serverId }: Upstream, { issuer }: FoundServer, { method, clientId }: Pick<UpstreamClient, 'method' | 'clientId'>): Promise<UpstreamClient> {
    return insertClient(this.parts.db, { ...this.blank(serverId, issuer), method, clientId, redirectUri: this.callbackUrl });
  }

  private blank(serverId: string, issuer: string): Omit<UpstreamClient, 'method' | 'clientId' | 'redirectUri'> {
    const unknown = { authMethod: null, secretId: null, secretExpiresAt: null, provenAt: null, refusedAt: null };
    // In the path of its callback, so that an answer for one client is never taken for another's (RFC 9700 section 4.4.2).
    return { id: randomBytes(18).toString('base64url'), serverId, issuer, scopes: [], createdAt: this.parts.clock.now(), ...unknown };
  }

  private isGood(client: UpstreamClient, wanted: readonly string[]): boolean {
    const isLasting = client.secretExpiresAt === null || client.secretExpiresAt - this.parts.clock.now() > RENEW_MS;
    const isHere = client.redirectUri.startsWith(`${this.callbackUrl}/`);
    return client.method === 'dynamic' && client.refusedAt === null && isLasting && isHere && wanted.every((scope) => client.scopes.includes(scope));
  }

  private registered(upstream: Upstream, found: FoundServer, scopes: string[]): Promise<UpstreamClient> {
    const key = `${upstream.id} ${found.issuer} ${scopes.join(' ')}`;
    const registering = this.registering.get(key) ?? this.registerNow(upstream, found, scopes).finally(() => this.registering.delete(key));
    this.registering.set(key, registering);
    return registering;
  }

  private async registerNow(upstream: Upstream, found: FoundServer, scopes: string[]): Promise<UpstreamClient> {
    const blank = this.blank(upstream.id, found.issuer);
    const redirectUri = `${this.callbackUrl}/${blank.id}`;
    const made = await register(this.parts, { upstream, metadata: found.metadata, redirectUri, scopes }).catch((error: unknown) => {
      throw error instanceof RegistrationRefused ? new ClientNeeded(error.problem) : error;
    });
    const { clientId, authMethod, secret, secretExpiresAt } = made;
    const secretId = secret === null ? null : await this.parts.secrets.keep(secret);
    return insertClient(this.parts.db, { ...blank, method: 'dynamic', clientId, authMethod, secretId, secretExpiresAt, redirectUri, scopes });
  }
}

function isDocumentRefused(present: readonly UpstreamClient[]): boolean {
  return present.some(({ method, refusedAt }) => method === 'document' && refusedAt !== null);
}
