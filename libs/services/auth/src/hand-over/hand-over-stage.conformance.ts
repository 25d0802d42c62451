import { authContracts, identityContracts, signInContracts, vaultContracts, type upstreamContracts } from '@gatehouse/contracts';
import { newId, sealTo } from '@gatehouse/kernel';
import { ScriptedBrowser, startIdentityProvider, type IdentityProvider, type IdentityProviderOptions, type OauthUpstream, type OauthUpstreamOptions } from '@gatehouse/testing';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { IdentitiesStage } from '../identities/identities-stage.conformance.js';

type Grant = NonNullable<upstreamContracts.UpstreamOauth['grant']>;
type Reply = Awaited<ReturnType<HandOverStage['obtain']>>;

/** A server whose accounts are made of sign-ins. */
export interface HandOverServer {
  zoo: OauthUpstream;
  upstream: upstreamContracts.UpstreamServer;
}

const CLIENT = 'gatehouse-test';
const PROVIDER = 'acme';

/** Two replicas of auth, a company's identity provider that they keep tokens of, and servers that believe it. */
export class HandOverStage {
  private constructor(
    readonly identities: IdentitiesStage,
    readonly idp: IdentityProvider,
  ) {}

  /** Starts everything; `options` are of the identity provider. */
  static async start(options: IdentityProviderOptions = {}): Promise<HandOverStage> {
    const identities = await IdentitiesStage.start(2);
    const { origin } = identities.auth;
    const people = [{ sub: 'ada' }, { sub: 'bob' }, { sub: 'eve' }];
    const idp = await startIdentityProvider({ people, redirectUris: [`${origin}/login/callback`], backChannelLogoutUri: `${origin}/logout/backchannel`, ...options });
    const stage = new HandOverStage(identities, idp);
    await stage.setProvider();
    return stage;
  }

  /** Sets the provider as an administrator does. */
  async setProvider(keepTokens = true): Promise<void> {
    const { gateway } = this.identities.auth;
    const secretId = newId('secret');
    const { publicKey } = await gateway.request(vaultContracts.getEntryKey, {});
    const sealed = sealTo(publicKey, Buffer.from(this.idp.clientSecret), vaultContracts.serviceSecretContext(secretId));
    const settings = { displayName: 'Acme', issuer: this.idp.issuer, clientId: this.idp.clientId, scopes: ['openid', 'profile', 'email'], claims: {}, provisioning: 'first-use' as const };
    const rest = { linkByEmail: false, administratorRule: null, identityAssertions: false, keepTokens, allowPrivateNetwork: true, enabled: true };
    await gateway.request(signInContracts.putIdentityProvider, { actor: await this.identities.actor(), name: PROVIDER, ...settings, ...rest, secret: { secretId, sealed } });
  }

  async removeProvider(): Promise<void> {
    await this.identities.auth.gateway.request(signInContracts.deleteIdentityProvider, { actor: await this.identities.actor(), name: PROVIDER });
  }

  /** Signs a person in; their browser, and their id here. */
  async signIn(sub: string): Promise<{ browser: ScriptedBrowser; personId: string }> {
    const { auth } = this.identities;
    // The clock of the service stands still, that of the provider does not.
    auth.clock.advance(Math.max(0, Date.now() - auth.clock.now()));
    const browser = new ScriptedBrowser({ stopAt: [`${auth.origin}/console`] });
    const page = await browser.get(`${auth.origin}/login?return_to=/console`);
    const back = page.stopped ? page : await browser.submit(page.forms[0], { login: sub });
    if (!back.stopped) throw new Error(`not signed in: ${back.status} ${back.url}`);
    return { browser, personId: await this.personId(sub) };
  }

  async personId(sub: string): Promise<string> {
    const [row] = await this.identities.auth.db.query<{ id: string }>('SELECT person_id AS id FROM logins WHERE subject = $1', [sub]);
    return row!.id;
  }

  /** A server with the grant, its authorization server believing the company's provider; the provider makes assertions for it. */
  async server(grant: Grant, behaviour: OauthUpstreamOptions = {}, oauth: upstreamContracts.UpstreamOauth = {}): Promise<HandOverServer> {
    let issuer = '';
    const trust = (token: string): Promise<string> => (grant === 'id_jag' ? this.believed(token, { typ: 'oauth-id-jag+jwt', audience: issuer }) : this.believed(token, { audience: this.idp.clientId }));
    const at = await this.identities.oauthServer({ clients: [{ clientId: CLIENT }], trust, ...behaviour }, { grant, clientId: CLIENT, clientAuthMethod: 'none', ...oauth });
    issuer = at.zoo.issuer;
    this.audiences[issuer] = CLIENT;
    this.idp.setExchange({ audiences: this.audiences });
    return at;
  }

  private readonly audiences: Record<string, string> = {};

  /** Asks as an edge does. */
  obtain({ upstream }: HandOverServer, personId: string) {
    return this.identities.auth.gateway.request(identityContracts.obtainIdentity, { serverId: upstream.id, personId });
  }

  /** Whom the server takes the account for. */
  async whoami({ zoo }: HandOverServer, { identityId }: Pick<Reply, 'identityId'>): Promise<string> {
    const headers = Object.fromEntries(this.identities.credential(identityId!)?.headers ?? []);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } });
    return (await fetch(zoo.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).text();
  }

  async disable(personId: string): Promise<void> {
    await this.identities.auth.gateway.request(authContracts.disablePerson, { actor: await this.identities.actor(), personId });
  }

  /** What the vault has of sign-ins, open. */
  keptTokens(): { idToken: string; refreshToken: string | null }[] {
    const texts = [...this.identities.auth.neighbours.secrets.values()].map((bytes) => bytes.toString());
    return texts.filter((text) => text.includes('"idToken"')).map((text) => JSON.parse(text) as { idToken: string; refreshToken: string | null });
  }

  async close(): Promise<void> {
    await this.idp.close();
    await this.identities.close();
  }

  private async believed(token: string, { typ, audience }: { typ?: string; audience: string }): Promise<string> {
    const keys = createLocalJWKSet((await (await fetch(`${this.idp.issuer}/jwks`)).json()) as JSONWebKeySet);
    const { payload } = await jwtVerify(token, keys, { ...(typ === undefined ? {} : { typ }), issuer: this.idp.issuer, audience, requiredClaims: ['exp', 'sub'] });
    if (typ !== undefined && payload['client_id'] !== CLIENT) throw new Error('for another client');
    return payload.sub!;
  }
}
