import { identityContracts, type upstreamContracts, type vaultContracts } from '@gatehouse/contracts';
import { newId } from '@gatehouse/kernel';
import { startOauthUpstream, type OauthUpstream, type OauthUpstreamOptions, type Page, type ScriptedBrowser } from '@gatehouse/testing';
import type { z } from 'zod';
import { AuthStage } from '../auth-stage.conformance.js';

type Upstream = upstreamContracts.UpstreamServer;

/** What finding out comes to. */
export type Found = z.output<typeof identityContracts.discoverUpstream.reply>;

/** Auth with protected servers beside it, and people who connect accounts there. */
export class ConnectStage {
  private readonly zoos: OauthUpstream[] = [];

  private constructor(readonly auth: AuthStage) {}

  /** Starts auth alone, at a public address when one is told. */
  static async start(publicUrl?: string): Promise<ConnectStage> {
    return new ConnectStage(await AuthStage.start({}, [], publicUrl));
  }

  /** A server of the register that wants OAuth, and its authorization server. */
  async server(behaviour: OauthUpstreamOptions = {}, members: Partial<Upstream> = {}): Promise<{ zoo: OauthUpstream; upstream: Upstream }> {
    const zoo = await startOauthUpstream(behaviour);
    this.zoos.push(zoo);
    return { zoo, upstream: this.register({ url: zoo.url, ...members }) };
  }

  /** Puts a server into the register. */
  register(members: Partial<Upstream>): Upstream {
    const id = newId('server');
    const base = { url: 'http://127.0.0.1:9/mcp', allowPrivateNetwork: true, caCertificate: null, state: 'running', auth: 'oauth', identityMode: 'private-or-global', oauth: {}, preset: null } as const;
    const upstream: Upstream = { ...base, secretHeaders: [], id, name: `s-${id.slice(-12)}`, ...members };
    this.auth.neighbours.upstreams.set(id, upstream);
    return upstream;
  }

  /** Changes a registered server. */
  change(upstream: Upstream, members: Partial<Upstream>): Upstream {
    const changed = { ...upstream, ...members };
    this.auth.neighbours.upstreams.set(upstream.id, changed);
    return changed;
  }

  /** Finds out how a server wants to be signed in to, with the challenge it really gives. */
  async discover(upstream: Upstream, { anew = true, challenge }: { anew?: boolean; challenge?: string | null } = {}): Promise<Found> {
    return this.auth.gateway.request(identityContracts.discoverUpstream, { serverId: upstream.id, challenge: challenge === undefined ? await this.challenge(upstream) : challenge, anew });
  }

  /** What the server says to who has no token. */
  async challenge({ url }: Upstream): Promise<string | null> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }, body });
    await answer.text();
    return answer.headers.get('www-authenticate');
  }

  /** A connect link for a person. */
  link(personId: string, { id: serverId }: Upstream, wish: Partial<z.input<typeof identityContracts.startConnect.request>> = {}): Promise<{ id: string; url: string; expiresAt: number }> {
    return this.auth.gateway.request(identityContracts.startConnect, { personId, serverId, owner: personId as vaultContracts.CredentialOwner, name: null, identityId: null, cause: 'asked', ...wish });
  }

  /** How a connection went. */
  state(id: string, personId: string): Promise<z.output<typeof identityContracts.getConnection.reply>> {
    return this.auth.gateway.request(identityContracts.getConnection, { id, personId });
  }

  /** A person, and a browser they are signed in with. */
  async person(name = 'Ada'): Promise<{ id: string; browser: ScriptedBrowser }> {
    const id = await this.auth.person(name);
    return { id, browser: await this.auth.signedInBrowser(id, []) };
  }

  /** Opens a link and presses its button; ends where the browser ends. */
  async press(browser: ScriptedBrowser, url: string): Promise<Page> {
    // Visits are counted by this clock, and one address makes all of them here.
    this.auth.clock.advance(5_000);
    const page = await browser.get(url);
    return browser.submit(page.forms[0]);
  }

  /** Connects an account from beginning to end. */
  async connected(behaviour: OauthUpstreamOptions = {}, members: Partial<Upstream> = {}): Promise<{ zoo: OauthUpstream; upstream: Upstream; page: Page; id: string; identityId: string | null; personId: string }> {
    const { zoo, upstream } = await this.server(behaviour, members);
    await this.discover(upstream);
    const { id: personId, browser } = await this.person();
    const { id, url } = await this.link(personId, upstream);
    const page = await this.press(browser, url);
    return { zoo, upstream, page, id, personId, identityId: (await this.state(id, personId)).identityId };
  }

  /** The header lines that the vault has for an identity. */
  lines(identityId: string | null): readonly (readonly [string, string])[] {
    return this.auth.neighbours.credentials.get(identityId ?? '')?.headers ?? [];
  }

  async close(): Promise<void> {
    await Promise.all(this.zoos.map((zoo) => zoo.close()));
    await this.auth.close();
  }
}
