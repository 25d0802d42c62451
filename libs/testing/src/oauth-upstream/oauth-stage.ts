import { Clients } from './clients.js';
import { Grants } from './grants.js';
import { DpopProofs } from './dpop-proofs.js';
import type { OauthBehaviour } from './oauth-options.js';

/** What the parts of one protected server and its authorization server share. */
export class OauthStage {
  readonly grants: Grants;
  readonly clients: Clients;
  readonly proofs = new DpopProofs();
  /** Origins of the two listeners; set when both listen. */
  origins = { server: '', authorization: '' };

  constructor(readonly behaviour: OauthBehaviour) {
    this.grants = new Grants(behaviour);
    this.clients = new Clients(behaviour);
  }

  /** The protected server, as clients are told it. */
  get url(): string {
    return `${this.origins.server}/mcp`;
  }

  /** The origin that the authorization server's addresses are at. */
  get base(): string {
    return this.behaviour.authorizationServer === 'server' ? this.origins.server : this.origins.authorization;
  }

  /** What the resource's metadata calls the authorization server. */
  get issuer(): string {
    const hasPath = ['oauth-path', 'oauth-append', 'openid-append'].includes(this.behaviour.metadata);
    return hasPath ? `${this.base}/tenant` : this.base;
  }

  /** What the authorization server calls itself. */
  get ownIssuer(): string {
    const { metadata } = this.behaviour;
    if (metadata === 'slash') return `${this.issuer}/`;
    return metadata === 'mismatch' ? `${this.issuer}/other` : this.issuer;
  }

  get tokenEndpoint(): string {
    return `${this.base}/token`;
  }

  /** Whether a resource indicator may be in a request, and is the right one. */
  acceptsResource(resource: string | null): boolean {
    const { resource: rule, prmMembers } = this.behaviour;
    if (rule === 'ignored') return true;
    if (resource === null) return rule !== 'required';
    return rule !== 'refused' && [this.url, this.origins.server, `${this.origins.server}/`, prmMembers['resource']].includes(resource);
  }
}
