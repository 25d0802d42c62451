import { policyContracts } from '@gatehouse/contracts';
import type { Bus } from '@gatehouse/bus';
import { systemClock, type Clock } from '@gatehouse/kernel';
import { errors, type ResourceServer } from 'oidc-provider';
import { ACCESS_TOKEN_MS } from './end-grants.js';

/** Scope of an MCP endpoint, and of the admin API. */
export const RESOURCE_SCOPES = { endpoint: 'mcp:access', admin: 'admin' } as const;

const FRESH_MS = 5_000;
const STALE_MS = 3_600_000;
const MOST_KNOWN = 10_000;
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The resources tokens are minted for (RFC 8707): MCP endpoints that exist, and the admin API. Whether
 * an endpoint exists is policy's to say; while policy is away, what it said within the hour holds, so
 * that refreshing goes on.
 */
export class Resources {
  readonly #known = new Map<string, number>();

  constructor(
    private readonly bus: Bus,
    private readonly origin: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /** The admin API's address. */
  get admin(): string {
    return `${this.origin}/api/v1`;
  }

  /** The one spelling of a resource: clients add a slash or upper-case the host, tokens never (mcp-protocol.md 4.1). */
  canonical(resource: string): string {
    if (!URL.canParse(resource)) return resource;
    const url = new URL(resource);
    const isOurs = url.origin === this.origin && url.search === '' && !resource.includes('#') && url.username === '' && url.password === '';
    return isOurs ? this.origin + url.pathname.replace(/\/$/, '') : resource;
  }

  /** What the library wants to know of a resource; refuses with `invalid_target` for whatever is not served here. */
  async info(resource: string): Promise<ResourceServer> {
    const scope = resource === this.admin ? RESOURCE_SCOPES.admin : RESOURCE_SCOPES.endpoint;
    if (resource !== this.admin && !(await this.exists(resource))) throw new errors.InvalidTarget('resource is not an endpoint of this gateway');
    return { scope, audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: ACCESS_TOKEN_MS / 1_000, jwt: { sign: { alg: 'ES256' } } };
  }

  /** The resource of a client that names none (2025-03-26): the only endpoint, if there is only one. */
  async only(): Promise<string | undefined> {
    const { slug } = await this.bus.request(policyContracts.findEndpoint, { slug: null });
    return slug === null ? undefined : `${this.origin}/mcp/${slug}`;
  }

  private async exists(resource: string): Promise<boolean> {
    const prefix = `${this.origin}/mcp/`;
    const slug = resource.startsWith(prefix) ? resource.slice(prefix.length) : '';
    if (!SLUG.test(slug)) return false;
    const ageMs = this.clock.monotonicMs() - (this.#known.get(slug) ?? Number.NEGATIVE_INFINITY);
    return ageMs < FRESH_MS || this.ask(slug, ageMs);
  }

  private async ask(slug: string, ageMs: number): Promise<boolean> {
    try {
      const found = await this.bus.request(policyContracts.findEndpoint, { slug });
      if (found.slug === null) this.#known.delete(slug);
      else this.remember(slug);
      return found.slug !== null;
    } catch (error) {
      if (ageMs < STALE_MS) return true;
      throw error;
    }
  }

  private remember(slug: string): void {
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(slug, this.clock.monotonicMs());
  }
}
