import { hash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '@gatehouse/kernel';
import { errors, type Client, type Grant, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { ClientStore } from './client-store.js';
import { RateLimits, type Rate } from './rate-limits.js';
import type { Resources } from './resources.js';

const FETCHES_PER_HOST: Rate = { burst: 20, perMinute: 20 };
const FORGET_FAILURE_MS = 60_000;
/** A document that just arrived is being looked at; parallel requests for it are no repetition. */
const LOOKED_AT_MS = 250;
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json\b/i;
const MOST_FAILURES = 5_000;
const ID_BYTES = 16;

/**
 * Clients that name themselves by the address of a document about them (CIMD). The library fetches and
 * checks the document; here is decided whether it may, and what changed since people agreed to it.
 */
export class ClientDocuments {
  /** Documents whose last fetch ended without a client, by when it ended. */
  readonly #fruitless = new Map<string, number>();

  constructor(
    private readonly store: ClientStore,
    private readonly limits: RateLimits,
    private readonly clock: Clock,
    private readonly isOn: () => Promise<boolean>,
  ) {}

  /** Id of a client that registers itself. */
  newClientId(): string {
    return `dcr_${randomBytes(ID_BYTES).toString('base64url')}`;
  }

  /**
   * Whether a document may be fetched: a path of its own (the root says nothing about a client), a
   * name and no address, not asked for and failed within the minute, not too many of one host (A12).
   */
  async mayFetch(id: string): Promise<boolean> {
    if (!(await this.isOn())) throw documentsOff();
    const url = new URL(id);
    if (url.pathname === '/' || isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return false;
    const now = this.clock.monotonicMs();
    const endedMs = now - (this.#fruitless.get(id) ?? Number.NEGATIVE_INFINITY);
    if (endedMs > LOOKED_AT_MS && endedMs < FORGET_FAILURE_MS) return false;
    return this.limits.take(`cimd ${url.host}`, FETCHES_PER_HOST) === 0;
  }

  /** A fetch for documents: JSON only (A14), and what was fetched counts as fruitless until a client came of it. */
  fetching(inner: typeof fetch): typeof fetch {
    return async (input, init) => {
      try {
        const response = await inner(input, init);
        const type = response.headers.get('content-type') ?? '';
        if (response.status === 200 && !JSON_TYPE.test(type)) throw new Error('not a JSON document');
        return response;
      } finally {
        if (this.#fruitless.size >= MOST_FAILURES) this.#fruitless.clear();
        this.#fruitless.set(String(input instanceof Request ? input.url : input), this.clock.monotonicMs());
      }
    };
  }

  /** Whether the client behind a document that was fetched is let in; notes what the document says now. */
  async admit(client: Client): Promise<boolean> {
    this.#fruitless.delete(client.clientId);
    if (!(await this.isOn())) throw documentsOff();
    const metadata = client.metadata();
    const noted = await this.store.noteDocument(client.clientId, metadata as never, hash('sha256', JSON.stringify(metadata), 'base64url'));
    if (noted?.requireDpop === true) (client as { dpopBoundAccessTokens?: boolean }).dpopBoundAccessTokens = true;
    return noted !== undefined;
  }

  /** What a token for this resource is; the admin API is for clients that an administrator registered, never for one that named itself. */
  async resourceFor(client: Client, resource: string, resources: Resources): Promise<ResourceServer> {
    if (resource === resources.admin && (client.clientId.startsWith('https://') || client.clientId.startsWith('dcr_'))) {
      throw new errors.InvalidTarget('the admin API is for registered clients only');
    }
    return resources.info(resource);
  }

  /** The grant a person gave this client before, unless the client's document says something else since. */
  async existingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
    const { oidc } = ctx;
    const client = oidc.client!;
    const fresh = (oidc.result as { consent?: { grantId?: string } } | undefined)?.consent?.grantId;
    const grantId = fresh ?? oidc.session?.grantIdFor(client.clientId);
    if (grantId === undefined) return undefined;
    const grant = await oidc.provider.Grant.find(grantId);
    if (grant === undefined || fresh !== undefined) return grant;
    return (await this.store.agreedTo(grantId, client.clientId)) ? grant : undefined;
  }
}

function documentsOff(): Error {
  return Object.assign(new errors.InvalidClient(), { error_description: 'clients that describe themselves by a document are not let in here; ask an administrator of Gatehouse to register this one' });
}
