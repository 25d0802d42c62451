import { hash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '@gatehouse/kernel';
import { errors, type Client, type Grant, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { ClientStore } from './client-store.js';
import { RateLimits, type Rate } from './rate-limits.js';
import type { Resources } from './resources.js';

const FETCHES_PER_HOST: Rate = { burst: 20, perMinute: 20 };
const REMEMBER_MS = 60_000;
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json\b/i;
const MOST_REMEMBERED = 1_000;
const MOST_BYTES = 5_120;
const ID_BYTES = 16;

interface Remembered {
  at: number;
  answer: Promise<FetchedDocument>;
}

interface FetchedDocument {
  status: number;
  headers: Headers;
  text: string;
}

/**
 * Clients that name themselves by the address of a document about them (CIMD). The library fetches and
 * checks the document; here is decided whether it may, and what changed since people agreed to it.
 */
export class ClientDocuments {
  /** What came of fetches that no client came of (yet): asked again within the minute, it is told from here (A12). */
  readonly #remembered = new Map<string, Remembered>();
  /** Addresses that are fetched as documents; keys of clients come by the same fetch. */
  readonly #documents = new Set<string>();

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
   * name and no address, not too many of one host. Rejects with a clear answer where documents are off.
   */
  async mayFetch(id: string): Promise<boolean> {
    if (!(await this.isOn())) throw documentsOff();
    const url = new URL(id);
    if (url.pathname === '/' || isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return false;
    if (this.#recall(id) === undefined && this.limits.take(`cimd ${url.host}`, FETCHES_PER_HOST) !== 0) return false;
    if (this.#documents.size >= MOST_REMEMBERED) this.#documents.clear();
    this.#documents.add(id);
    return true;
  }

  /** A fetch for documents and keys: JSON only (A14), and a document that no client comes of is fetched once a minute. */
  fetching(inner: typeof fetch): typeof fetch {
    return async (input, init) => {
      const url = String(input instanceof Request ? input.url : input);
      if (!this.#documents.has(url)) return asJson(await inner(input, init));
      const answer = this.#recall(url)?.answer ?? this.#remember(url, inner(input, init).then(read));
      const { status, headers, text } = await answer;
      return new Response(status === 204 || status === 304 ? null : text, { status, headers });
    };
  }

  #recall(url: string): Remembered | undefined {
    const held = this.#remembered.get(url);
    return held !== undefined && this.clock.monotonicMs() - held.at < REMEMBER_MS ? held : undefined;
  }

  #remember(url: string, answer: Promise<FetchedDocument>): Promise<FetchedDocument> {
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(url, { at: this.clock.monotonicMs(), answer });
    return answer;
  }

  /** Whether the client behind a document that was fetched is let in; notes what the document says now. */
  async admit(client: Client): Promise<boolean> {
    this.#remembered.delete(client.clientId);
    if (!(await this.isOn())) throw documentsOff();
    const noted = await this.store.noteDocument(client.clientId, client.metadata() as never, documentHash(client)!);
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
    return (await this.store.agreedTo(grantId, documentHash(client))) ? grant : undefined;
  }
}

/** What a client's document says, as one value; null for a client without a document. */
export function documentHash(client: Client): string | null {
  return client.clientId.startsWith('https://') ? hash('sha256', JSON.stringify(client.metadata()), 'base64url') : null;
}

function documentsOff(): Error {
  return Object.assign(new errors.InvalidClient(), { error_description: 'clients that describe themselves by a document are not let in here; ask an administrator of Gatehouse to register this one' });
}

async function read(response: Response): Promise<FetchedDocument> {
  const { status, headers } = asJson(response);
  const text = await response.text();
  if (Buffer.byteLength(text) > MOST_BYTES) throw new Error('larger than a document may be');
  return { status, headers, text };
}

function asJson(response: Response): Response {
  if (response.status === 200 && !JSON_TYPE.test(response.headers.get('content-type') ?? '')) throw new Error('not a JSON document');
  return response;
}
