import { ScriptedBrowser, type BrowserOptions, type Page } from '@gatehouse/testing';
import { admin } from '../world/asking.js';
import type { World } from '../world/world.js';
import { freshToken } from '../world/fresh-token.js';
import { WireClient } from '../wire/wire-client.js';
import { cli, type CliAnswer } from '../world/cli.js';

/** The setting by which people sign in by links, without a provider. */
export const LOCAL_ACCOUNTS = { GATEHOUSE_LOCAL_ACCOUNTS: 'on' };

const LINK = /https?:\/\/[^\s"\\)]+\/connect\/[A-Za-z0-9_-]+/;

/** Somebody who works with Gatehouse: a person, a token of theirs for a client, and their browser, signed in. */
export class Member {
  private constructor(
    private readonly world: World,
    readonly id: string,
    readonly token: string,
    readonly browser: ScriptedBrowser,
  ) {}

  /** Makes a person and signs their browser in by a one-time link. */
  static async join(world: World, name: string, roles: readonly string[] = ['member']): Promise<Member> {
    const { id } = await admin(world).ok('POST', '/people', { name, roles });
    return Member.of(world, id, await signedInBrowser(world, id));
  }

  /** A person who is there, with a browser they are signed in with. */
  static async of(world: World, id: string, browser: ScriptedBrowser): Promise<Member> {
    const { token } = await freshToken(world, { name: `client of ${id}`, callerId: id, scopes: ['mcp:access', 'admin'] });
    return new Member(world, id, token, browser);
  }

  /** An MCP client of theirs, not connected yet. */
  client(server: string): WireClient {
    return new WireClient(this.world, server, this.token);
  }

  /** The admin API as them. */
  api(edge = 0) {
    return admin(this.world, edge, this.token);
  }

  /** Runs a command as them. */
  cli(...args: string[]): Promise<CliAnswer> {
    return cli(this.world, args, { GATEHOUSE_TOKEN: this.token });
  }

  /** Opens a connect link and says yes wherever asked; the page at the end. */
  async follow(link: string): Promise<Page> {
    return connectThrough(this.browser, link);
  }

  /** Asks for a link as themselves and follows it. */
  async connect(server: string, more: object = {}): Promise<Page> {
    const { url } = await this.api().ok('POST', '/identities/connect', { server, ...more });
    return this.follow(url);
  }
}

/** A browser in which a person is signed in by a one-time link. */
export async function signedInBrowser(world: World, personId: string, options: BrowserOptions = {}): Promise<ScriptedBrowser> {
  const browser = new ScriptedBrowser(options);
  const { url } = await admin(world).ok('POST', `/people/${personId}/sign-in-link`);
  const page = await browser.get(url);
  await browser.submit(page.forms[0]);
  return browser;
}

/** Opens a connect link in a browser, fills in nothing, and presses its button. */
export async function connectThrough(browser: ScriptedBrowser, link: string, fields: Record<string, string> = {}): Promise<Page> {
  const page = await browser.get(link);
  if (page.status !== 200 || page.forms.length === 0) return page;
  return browser.submit(page.forms[0], fields);
}

/** The connect link in anything that was answered; undefined without one. */
export function linkIn(answer: unknown): string | undefined {
  return LINK.exec(JSON.stringify(answer))?.[0];
}
