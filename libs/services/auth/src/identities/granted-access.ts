import type { upstreamContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import { resourceToAsk, scopesToAsk } from '../upstreams/asked-for.js';
import type { UpstreamsArea } from '../upstreams/build-upstreams.js';
import { tokenProblem } from '../upstreams/token-endpoint.js';
import type { GrantedTokens } from '../upstreams/upstream-tokens.js';
import type { Assertions } from './assertions.js';
import type { IdentityRow } from './identity-rows.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What tokens that nobody signs in for are got with. */
export interface GrantedAccessParts {
  upstreams: Pick<UpstreamsArea, 'tokens' | 'servers' | 'clients'>;
  assertions: Assertions;
}

const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** Whether tokens come of such a grant: again whenever they are wanted, with no refresh token. */
export const needsNoSignIn = (grant: IdentityRow['grant']): boolean => grant !== null && grant !== undefined && grant !== 'authorization_code';

/**
 * Tokens that nobody signs in for at the authorization server: Gatehouse's own (client credentials), or
 * a person's, by what Gatehouse says of them (token exchange, ID-JAG). Rejects as `TokenRequests` does,
 * and refuses with `bad_request` a person who is disabled and subjects that are not at hand here.
 */
export class GrantedAccess {
  constructor(private readonly parts: GrantedAccessParts) {}

  /** Tokens for an owner at a server, by the grant that its settings name. */
  async granted(upstream: Upstream, owner: IdentityRow['owner']): Promise<GrantedTokens> {
    const { grant, subjectToken = 'gatehouse' } = upstream.oauth;
    if (grant === 'client_credentials') return this.parts.upstreams.tokens.clientCredentials(upstream);
    if (owner === 'global') throw new Refusal('bad_request', { field: 'owner', problem: 'is no person' });
    if (subjectToken !== 'gatehouse') throw new Refusal('bad_request', { field: 'subjectToken', problem: 'tokens of sign-ins are not kept' });
    return grant === 'id_jag' ? this.byAssertion(upstream, owner) : this.byExchange(upstream, owner);
  }

  private async byExchange(upstream: Upstream, personId: string): Promise<GrantedTokens> {
    const { issuer } = await this.found(upstream);
    const token = await this.parts.assertions.subjectToken(personId, issuer);
    try {
      return await this.parts.upstreams.tokens.exchange(upstream, { token, type: JWT });
    } finally {
      token.wipe();
    }
  }

  private async byAssertion(upstream: Upstream, personId: string): Promise<GrantedTokens> {
    const found = await this.found(upstream);
    const { clientId } = await this.told(this.parts.upstreams.clients.current(upstream, found));
    const { audience = found.issuer } = upstream.oauth;
    const wish = { audience, clientId, resource: resourceToAsk(upstream, found), scopes: scopesToAsk(upstream.oauth, found) };
    const assertion = await this.parts.assertions.idJag(personId, wish);
    try {
      return await this.parts.upstreams.tokens.jwtBearer(upstream, assertion);
    } finally {
      assertion.wipe();
    }
  }

  private found(upstream: Upstream): ReturnType<UpstreamsArea['servers']['of']> {
    return this.told(this.parts.upstreams.servers.of(upstream));
  }

  private async told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw tokenProblem(error);
    }
  }
}
