import { accessContracts, clientContracts } from '@gatehouse/contracts';
import { newSealingKeyPair, openSealed, type JsonObject } from '@gatehouse/kernel';
import { callbackParameters, PublicClient, type OAuthAnswer, type Page, type PublicClientOptions, type ScriptedBrowser } from '@gatehouse/testing';
import { expect } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { z } from 'zod';
import { REDIRECT, type AuthStage } from '../auth-stage.conformance.js';

/** A client with its tokens, and the browser of the person who let it in. */
export interface Connected {
  client: PublicClient;
  browser: ScriptedBrowser;
  tokens: OAuthAnswer;
  /** Of the grant behind the tokens. */
  gid: string;
}

type NewClient = Omit<z.input<typeof clientContracts.createClient.request>, 'actor' | 'edgeKey'>;

/** Clients and people of tests that connect, on one stage. */
export class Connecting {
  #addresses = 0;

  constructor(readonly stage: AuthStage) {}

  get notes(): string {
    return `${this.stage.origin}/mcp/notes`;
  }

  /** A client for these options; every option has an honest default. */
  client(options: Partial<PublicClientOptions> = {}): PublicClient {
    return new PublicClient({ issuer: this.stage.origin, clientId: 'nobody', redirectUri: REDIRECT, resource: this.notes, scope: 'mcp:access', ...options });
  }

  /** Posts a registration, whatever comes of it. */
  post(metadata: JsonObject | string = {}, headers: Record<string, string> = {}): Promise<OAuthAnswer> {
    const body = typeof metadata === 'string' ? metadata : { client_name: 'Scripted', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', ...metadata };
    return this.client().register(body, { 'x-forwarded-for': this.address(), ...headers });
  }

  /** Another address every time, as the edge names it: limits are per address. */
  address(): string {
    const count = this.#addresses++;
    return `10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`;
  }

  /** A client that registered itself. */
  async registered(metadata: JsonObject = {}): Promise<PublicClient> {
    const { status, json, text } = await this.post(metadata);
    expect({ status, text }).toMatchObject({ status: 201 });
    const redirectUri = String((json['redirect_uris'] as string[])[0]);
    const secret = json['client_secret'];
    return this.client({ clientId: String(json['client_id']), redirectUri, ...(secret === undefined ? {} : { secret: String(secret) }) });
  }

  /** The page a person lands on, or the callback when nothing is asked. */
  ask(client: PublicClient, browser: ScriptedBrowser, overrides: Record<string, string | string[] | undefined> = {}): Promise<Page> {
    return browser.get(client.authorizeUrl(overrides));
  }

  /** What the client is called back with after the person agreed. */
  async consented(client: PublicClient, browser: ScriptedBrowser, overrides: Record<string, string | string[] | undefined> = {}): Promise<Record<string, string>> {
    const asked = await this.ask(client, browser, overrides);
    if (asked.url.startsWith(client.options.redirectUri)) return callbackParameters(asked.url);
    expect([asked.status, asked.text]).toEqual([200, expect.stringContaining('Connect a client')]);
    return callbackParameters((await browser.submit(asked.forms[0], {}, 'allow')).url);
  }

  /** A browser of a person, which stops where this client is answered. */
  browser(personId: string, client: PublicClient): Promise<ScriptedBrowser> {
    return this.stage.signedInBrowser(personId, [client.options.redirectUri]);
  }

  /** From the request to the tokens. */
  async connected(personId: string, client?: PublicClient): Promise<Connected> {
    const asking = client ?? (await this.registered());
    const browser = await this.browser(personId, asking);
    const tokens = await asking.exchange((await this.consented(asking, browser))['code']);
    expect({ status: tokens.status, text: tokens.text }).toMatchObject({ status: 200 });
    return { client: asking, browser, tokens, gid: String(decodeJwt(String(tokens.json['access_token']))['gid']) };
  }

  /** Changes how clients may come by themselves. */
  async settings(change: Partial<clientContracts.RegistrationSettings>): Promise<clientContracts.RegistrationSettings> {
    const actor = await this.stage.administrator();
    const settings = { ...(await this.stage.gateway.request(clientContracts.getRegistrationSettings, {})), ...change };
    const put = await this.stage.gateway.request(clientContracts.putRegistrationSettings, { actor, settings });
    this.stage.clock.advance(1_001);
    return put;
  }

  /** A client that an administrator registered, with its secret if it has one. */
  async preRegistered(wish: Partial<NewClient> = {}): Promise<{ client: PublicClient; shown: clientContracts.OauthClient }> {
    const edge = newSealingKeyPair();
    const first: NewClient = { name: 'Pre-registered', redirectUris: [REDIRECT], authMethod: 'client_secret_basic', jwks: null, specialGrants: [], requireDpop: false, requirePar: false };
    const { client: shown, sealedSecret } = await this.stage.gateway.request(clientContracts.createClient, { ...first, ...wish, actor: await this.stage.administrator(), edgeKey: edge.publicKey });
    const secret = sealedSecret === null ? undefined : openSealed(edge, sealedSecret, accessContracts.clientSecretContext(shown.id)).toString();
    return { client: this.client({ clientId: shown.id, ...(secret === undefined ? {} : { secret }) }), shown };
  }

  /** What is shown of a client now. */
  async shown(id: string): Promise<clientContracts.OauthClient | undefined> {
    return (await this.stage.gateway.request(clientContracts.listClients, {})).items.find((client) => client.id === id);
  }

  /** Ids that edges refuse now. */
  async denied(): Promise<string[]> {
    return (await this.stage.directory()).denied.map(({ id }) => id);
  }
}

/** The refresh token of an answer. */
export const refreshTokenOf = ({ json }: OAuthAnswer): string => String(json['refresh_token']);
/** The access token of an answer. */
export const accessTokenOf = ({ json }: OAuthAnswer): string => String(json['access_token']);
