import type { ServerResponse } from 'node:http';
import { answerAuthorize } from './authorize.js';
import { startListener, type Arrived, type Listener } from './listener.js';
import { answerMetadata, answerPrm } from './metadata.js';
import { OauthError, sendError } from './oauth-error.js';
import { OBEDIENT, type OauthBehaviour, type OauthUpstreamOptions } from './oauth-options.js';
import { OauthStage } from './oauth-stage.js';
import { answerMcp } from './protected-endpoint.js';
import { answerPushed } from './pushed-requests.js';
import { answerRegistration } from './registration.js';
import { answerRevocation, answerToken } from './token-endpoint.js';

type Answer = (stage: OauthStage, arrived: Arrived, response: ServerResponse) => void | Promise<void>;

const ROUTES: Readonly<Record<string, Answer>> = {
  'GET /authorize': answerAuthorize,
  'POST /par': answerPushed,
  'POST /token': answerToken,
  'POST /register': answerRegistration,
  'POST /revoke': answerRevocation,
};

/** An MCP server behind OAuth, and its authorization server, at origins of their own. */
export class OauthUpstream {
  private arrived: Arrived[] = [];

  /** For `startOauthUpstream`. */
  constructor(
    private readonly stage: OauthStage,
    private readonly listeners: Listener[],
  ) {}

  /** The MCP endpoint. */
  get url(): string {
    return this.stage.url;
  }

  /** What the server's metadata calls the authorization server. */
  get issuer(): string {
    return this.stage.issuer;
  }

  /** Addresses for those who are not to find out. */
  get endpoints(): { authorize: string; token: string; register: string } {
    const { base, tokenEndpoint } = this.stage;
    return { authorize: `${base}/authorize`, token: tokenEndpoint, register: `${base}/register` };
  }

  /** Behaves so from now on; what is left out stays. */
  set(change: Partial<OauthBehaviour>): void {
    Object.assign(this.stage.behaviour, change);
  }

  /** Every access token is expired from now on; those made later live as long as they do. */
  expireAccessTokens(): void {
    this.stage.grants.expireAccessTokens();
  }

  /** From now on proofs must hold another nonce, where they must hold one. */
  changeNonce(): void {
    this.stage.proofs.changeNonce();
  }

  /** Ends what a user agreed to (everybody's unless told): their tokens are refused and not refreshed. */
  revoke(user?: string): void {
    this.stage.grants.revoke(user);
  }

  /** Forgets clients that registered themselves. */
  forgetClients(): void {
    this.stage.clients.forget();
  }

  /** Codes, tokens and client secrets handed out so far, for those who look for leaks. */
  secrets(): string[] {
    return [...this.stage.grants.secrets(), ...this.stage.clients.secrets()];
  }

  /** Requests since the start or the last `forget`, at one address when its path is named. */
  requests(path?: string): readonly Arrived[] {
    return path === undefined ? this.arrived : this.arrived.filter((each) => each.path === path);
  }

  /** Forms that arrived at the token endpoint, of one grant type when named. */
  tokenRequests(grantType?: string): readonly URLSearchParams[] {
    const forms = this.requests('/token').map(({ body }) => new URLSearchParams(body));
    return grantType === undefined ? forms : forms.filter((form) => form.get('grant_type') === grantType);
  }

  /** How often tokens were refreshed, or tried to be. */
  refreshes(): number {
    return this.tokenRequests('refresh_token').length;
  }

  /** Client metadata documents that were fetched. */
  documents(): readonly string[] {
    return this.stage.clients.fetched;
  }

  /** Empties the record of requests. */
  forget(): void {
    this.arrived = [];
  }

  /** Cuts every connection and stops listening. Safe to call twice. */
  async close(): Promise<void> {
    await Promise.all(this.listeners.map((each) => each.close()));
  }

  /** For `startOauthUpstream`: answers what arrives at either listener. */
  async answer(arrived: Arrived, response: ServerResponse): Promise<void> {
    this.arrived.push(arrived);
    const { stage } = this;
    const isServer = arrived.at === 'server';
    if (isServer && arrived.path === '/mcp') return answerMcp(stage, arrived, response);
    if (isServer && answerPrm(stage, arrived, response)) return;
    if (isServer && stage.behaviour.authorizationServer !== 'server') return void response.writeHead(404).end();
    if (answerMetadata(stage, arrived, response)) return;
    await this.authorization(arrived, response);
  }

  private async authorization(arrived: Arrived, response: ServerResponse): Promise<void> {
    const answer = ROUTES[`${arrived.method} ${arrived.path}`];
    if (answer === undefined) return void response.writeHead(404).end();
    try {
      await answer(this.stage, arrived, response);
    } catch (error) {
      if (!(error instanceof OauthError)) throw error;
      sendError(response, error);
    }
  }
}

/**
 * Starts an MCP server that wants OAuth and the authorization server it names, on free loopback ports.
 * Whoever follows the redirects of the authorize address is `user`, who agrees; the tool `whoami` tells
 * whose token a call came with. Both do everything right unless told.
 */
export async function startOauthUpstream(options: OauthUpstreamOptions = {}): Promise<OauthUpstream> {
  const { authority, hostname = '127.0.0.1', ...behaviour } = options;
  const stage = new OauthStage({ ...OBEDIENT, ...behaviour });
  const listeners: Listener[] = [];
  const upstream = new OauthUpstream(stage, listeners);
  const respond = (arrived: Arrived, response: ServerResponse): Promise<void> => upstream.answer(arrived, response);
  listeners.push(await startListener('server', { authority, hostname }, respond), await startListener('authorization', { authority, hostname }, respond));
  const [server, authorization] = listeners;
  stage.origins = { server: server!.origin, authorization: authorization!.origin };
  return upstream;
}
