const METADATA = '/.well-known/oauth-protected-resource';

/**
 * The addresses that tokens are made for (RFC 8707), each in its one canonical spelling: they come from
 * the configured public address and never from what a request says of its host.
 */
export class Resources {
  /** The issuer of our own access tokens: the public origin, without a slash at its end. */
  readonly issuer: string;
  /** The admin API. */
  readonly api: string;

  constructor(publicUrl: URL) {
    this.issuer = publicUrl.origin;
    this.api = `${this.issuer}/api/v1`;
  }

  /** One endpoint is one audience: a token for one server is worth nothing at another. */
  endpoint(slug: string): string {
    return `${this.issuer}/mcp/${slug}`;
  }

  /** Where the metadata of a resource stands: the well-known part goes between origin and path (RFC 9728 section 3.1). */
  metadataOf(resource: string): string {
    return this.issuer + METADATA + resource.slice(this.issuer.length);
  }
}
