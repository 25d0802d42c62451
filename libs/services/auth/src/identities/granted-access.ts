import type { upstreamContracts } from '@gatehouse/contracts';
import { Refusal, type Secret } from '@gatehouse/kernel';
import type { AssertionWish } from '../hand-over/provider-requests.js';
import type { SignInSubjects } from '../hand-over/sign-in-subjects.js';
import { resourceToAsk, scopesToAsk } from '../upstreams/asked-for.js';
import type { UpstreamsArea } from '../upstreams/build-upstreams.js';
import type { FoundServer } from '../upstreams/found-server.js';
import { tokenProblem } from '../upstreams/token-endpoint.js';
import type { GrantedTokens } from '../upstreams/upstream-tokens.js';
import type { Assertions } from './assertions.js';
import type { IdentityRow } from './identity-rows.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What tokens that nobody signs in for are got with. */
export interface GrantedAccessParts {
  upstreams: Pick<UpstreamsArea, 'tokens' | 'servers' | 'clients'>;
  assertions: Assertions;
  /** What people's identity providers say of them. */
  signIns: SignInSubjects;
}

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

/** Whether tokens come of such a grant: again whenever they are wanted, with no refresh token. */
export const needsNoSignIn = (grant: IdentityRow['grant']): boolean => grant !== null && grant !== undefined && grant !== 'authorization_code';

/** What stands for a person: unless an administrator says otherwise an identity assertion is the identity provider's to make. */
const subjectKind = ({ grant, subjectToken }: upstreamContracts.UpstreamOauth): 'gatehouse' | 'identity-provider' => subjectToken ?? (grant === 'id_jag' ? 'identity-provider' : 'gatehouse');

/**
 * Tokens that nobody signs in for at the authorization server: Gatehouse's own (client credentials), or
 * a person's, by what Gatehouse or their identity provider says of them (token exchange, ID-JAG).
 * Rejects as `TokenRequests` does, with `SignInNeeded` where no sign-in of the person is kept, and
 * refuses with `bad_request` a person who is disabled.
 */
export class GrantedAccess {
  constructor(private readonly parts: GrantedAccessParts) {}

  /** Tokens for an owner at a server, by the grant that its settings name; never a refresh token, which would outlive what they were given for. */
  async granted(upstream: Upstream, owner: IdentityRow['owner']): Promise<GrantedTokens> {
    const { tokens, clientRef } = await this.asked(upstream, owner);
    tokens.refreshToken?.wipe();
    return { tokens: { ...tokens, refreshToken: null }, clientRef };
  }

  private asked(upstream: Upstream, owner: IdentityRow['owner']): Promise<GrantedTokens> {
    const { grant } = upstream.oauth;
    if (grant === 'client_credentials') return this.parts.upstreams.tokens.clientCredentials(upstream);
    if (owner === 'global') throw new Refusal('bad_request', { field: 'owner', problem: 'is no person' });
    return grant === 'id_jag' ? this.byAssertion(upstream, owner) : this.byExchange(upstream, owner);
  }

  private async byExchange(upstream: Upstream, personId: string): Promise<GrantedTokens> {
    const { tokens } = this.parts.upstreams;
    if (subjectKind(upstream.oauth) === 'identity-provider') return this.parts.signIns.withIdToken(personId, (token) => tokens.exchange(upstream, { token, type: ID_TOKEN }));
    const { issuer } = await this.found(upstream);
    const token = await this.parts.assertions.subjectToken(personId, issuer);
    return this.spent(token, () => tokens.exchange(upstream, { token, type: JWT }));
  }

  private async byAssertion(upstream: Upstream, personId: string): Promise<GrantedTokens> {
    const found = await this.found(upstream);
    const { audience = found.issuer } = upstream.oauth;
    const wish = { audience, resource: resourceToAsk(upstream, found), scopes: scopesToAsk(upstream.oauth, found) };
    const assertion = await this.assertion(upstream, personId, { ...wish, found });
    return this.spent(assertion, () => this.parts.upstreams.tokens.jwtBearer(upstream, assertion));
  }

  private async assertion(upstream: Upstream, personId: string, { found, ...wish }: AssertionWish & { found: FoundServer }): Promise<Secret> {
    if (subjectKind(upstream.oauth) === 'identity-provider') return this.parts.signIns.idJag(personId, wish);
    const { clientId } = await this.told(this.parts.upstreams.clients.current(upstream, found));
    return this.parts.assertions.idJag(personId, { ...wish, clientId });
  }

  private async spent<T>(token: Secret, use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } finally {
      token.wipe();
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
