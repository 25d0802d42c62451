import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';

/** How a client comes to be known: it registers itself, or names the document that describes it. */
export type Registration = { kind: 'dynamic' } | { kind: 'metadata-document'; url: string };

type Information = Awaited<ReturnType<OAuthClientProvider['clientInformation']>>;
type Tokens = Awaited<ReturnType<OAuthClientProvider['tokens']>>;

/** Where every client of a story is answered. */
export const CLIENT_REDIRECT = 'http://127.0.0.1:33418/callback';

/** What an application using an official SDK keeps for sign-in, in memory; the same for both versions. */
export class OAuthMemory implements OAuthClientProvider {
  information: Information;
  kept: Tokens;
  verifier = '';
  /** Where the application was told to send the person. */
  asked: URL | undefined;
  readonly clientMetadataUrl?: string;

  constructor(registration: Registration) {
    if (registration.kind === 'metadata-document') this.clientMetadataUrl = registration.url;
  }

  get redirectUrl(): string {
    return CLIENT_REDIRECT;
  }

  get clientMetadata() {
    return { client_name: 'Story client', redirect_uris: [CLIENT_REDIRECT], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
  }

  clientInformation(): Information {
    return this.information;
  }

  saveClientInformation(information: NonNullable<Information>): void {
    this.information = information;
  }

  tokens(): Tokens {
    return this.kept;
  }

  saveTokens(tokens: NonNullable<Tokens>): void {
    this.kept = tokens;
  }

  redirectToAuthorization(url: URL): void {
    this.asked = url;
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }

  codeVerifier(): string {
    return this.verifier;
  }
}
