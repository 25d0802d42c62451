import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import {
  ScriptedBrowser,
  startClientMetadataHost,
  startIdentityProvider,
  TestAuthority,
  type ClientMetadataHost,
  type IdentityProvider,
  type PersonWish,
} from '@gatehouse/testing';
import type { StoryEnv } from './world.js';

/** The company around a Gatehouse: its OpenID provider, and the makers of its people's clients. */
export class Company {
  readonly authority = new TestAuthority();
  provider!: IdentityProvider;
  documents!: ClientMetadataHost;
  private folder: string | undefined;

  constructor(private readonly people: readonly PersonWish[]) {
    afterAll(() => this.close());
  }

  /** Opens the company anew for one form of the story; the settings that make Gatehouse part of it. */
  async open(): Promise<StoryEnv> {
    await this.close();
    this.folder = await mkdtemp(join(tmpdir(), 'gatehouse-company-'));
    const caFile = join(this.folder, 'ca.pem');
    await writeFile(caFile, this.authority.certificate);
    this.provider = await startIdentityProvider({ people: this.people });
    this.documents = await startClientMetadataHost({ authority: this.authority, hostname: 'localhost' });
    const auth = {
      GATEHOUSE_OIDC_ISSUER: this.provider.issuer,
      GATEHOUSE_OIDC_CLIENT_ID: this.provider.clientId,
      GATEHOUSE_OIDC_CLIENT_SECRET: this.provider.clientSecret,
      GATEHOUSE_OIDC_ADMIN_RULE: 'groups=gatehouse-admins',
      GATEHOUSE_OIDC_ALLOW_PRIVATE_NETWORK: 'on',
    };
    return { shared: { GATEHOUSE_CA_FILE: caFile }, auth };
  }

  /** Tells the provider where this Gatehouse is. */
  welcome(origin: string): void {
    this.provider.setClient({ redirect_uris: [`${origin}/login/callback`] });
    this.provider.setBackChannelLogoutUri(`${origin}/logout/backchannel`);
  }

  /** Puts up a document about a client; its address is the client's id. */
  describe(path: string, redirectUri: string): string {
    const url = `${this.documents.origin}${path}`;
    return this.documents.serve(path, { body: { client_id: url, client_name: 'Story client', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' } });
  }

  /** A browser of somebody in the company. */
  browser(stopAt: readonly string[]): ScriptedBrowser {
    return new ScriptedBrowser({ stopAt, ca: this.authority.certificate });
  }

  /** Opens a page as a person who signs in and agrees wherever they are asked; the address they end at. */
  async goThrough(browser: ScriptedBrowser, url: string, login: string): Promise<string> {
    let page = await browser.get(url);
    for (let pages = 0; !page.stopped && pages < 6; pages++) {
      const isProvider = page.url.startsWith(this.provider.issuer);
      page = await (isProvider ? browser.submit(page.forms[0], { login }) : browser.submit(page.forms[0], {}, 'allow'));
    }
    if (!page.stopped) throw new Error(`did not end at the client: ${page.status} ${page.url} ${page.text}`);
    return page.url;
  }

  private async close(): Promise<void> {
    await this.provider?.close();
    await this.documents?.close();
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }
}
