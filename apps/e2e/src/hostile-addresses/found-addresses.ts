import { ScriptedBrowser, startOauthUpstream, type OauthBehaviour, type OauthUpstream, type TestAuthority } from '@gatehouse/testing';
import { signedInBrowser } from '../identities/member.js';
import { admin, eventually } from '../world/asking.js';
import type { World } from '../world/world.js';
import { OWN_NAME } from './destinations.js';
import { anotherAddress, type EntryPoint } from './stated-addresses.js';

/** A way in which a server, or an authorization server, makes Gatehouse read an address. */
interface Lure {
  name: string;
  /** How the world behaves to lead to the address. */
  behaviour(url: string): Partial<OauthBehaviour>;
  /** What an administrator says of the server besides its address. */
  oauth?(url: string): object;
  /** How far somebody has to go until it is read: a look, pressing the button, coming back with a code. */
  until: 'looked' | 'pressed' | 'returned';
}

const CALM: Partial<OauthBehaviour> = { challengedPrm: null, prmMembers: {}, metadataMembers: {}, registrationMembers: {} };

const LURES: readonly Lure[] = [
  { name: 'resource metadata that a challenge names', behaviour: (url) => ({ challengedPrm: url }), until: 'looked' },
  { name: 'the authorization server of resource metadata', behaviour: (url) => ({ prmMembers: { authorization_servers: [url] } }), until: 'looked' },
  { name: 'the second authorization server of resource metadata', behaviour: (url) => ({ prmMembers: { authorization_servers: ['https://gone.zoo.example', url] } }), until: 'looked' },
  { name: 'the issuer in settings', behaviour: () => ({}), oauth: (url) => ({ issuer: url }), until: 'looked' },
  { name: 'where clients register', behaviour: (url) => ({ metadataMembers: { registration_endpoint: url } }), until: 'pressed' },
  { name: 'every other address of metadata', behaviour: (url) => ({ metadataMembers: { authorization_endpoint: url, jwks_uri: url, introspection_endpoint: url, pushed_authorization_request_endpoint: url, userinfo_endpoint: url } }), until: 'pressed' },
  { name: 'where a registration is managed', behaviour: (url) => ({ registrationMembers: { registration_client_uri: url, registration_access_token: 'x', client_secret_expires_at: 1 } }), until: 'returned' },
  { name: 'where tokens are got', behaviour: (url) => ({ metadataMembers: { token_endpoint: url } }), until: 'returned' },
  { name: 'where tokens are got, in settings', behaviour: () => ({}), oauth: (url) => ({ tokenUrl: url, authorizeUrl: 'https://mcp.example/authorize', clientId: 'x', assumePkce: true }), until: 'returned' },
];

/** Every place where an address is found in what somebody else answers, or is used on the way to an account. */
export async function foundAddresses(world: World, authority: TestAuthority): Promise<{ entries: EntryPoint[]; close(): Promise<void> }> {
  const { id } = await admin(world).ok('GET', '/whoami');
  const made = await Promise.all(LURES.map(async (lure) => new LureAtWork(world, lure, await startOauthUpstream({ authority, hostname: OWN_NAME }), id)));
  const entries = made.map((each): EntryPoint => ({ name: each.lure.name, isFollowed: !each.lure.name.startsWith('every other') && !each.lure.name.includes('managed'), atOnce: 1, tell: (url) => each.tell(url) }));
  return { entries, close: async () => void (await Promise.all(made.map((each) => each.close()))) };
}

class LureAtWork {
  private browser: ScriptedBrowser | undefined;
  private served = 0;

  constructor(
    private readonly world: World,
    readonly lure: Lure,
    private readonly upstream: OauthUpstream,
    private readonly personId: string,
  ) {}

  async tell(url: string): Promise<void> {
    const { lure, upstream } = this;
    upstream.set({ ...CALM, ...lure.behaviour(url) });
    const api = admin(this.world);
    const name = `lure-${upstream.url.split(':')[2]!.split('/')[0]!}-${this.served++}`;
    const auth = lure.oauth === undefined ? { kind: 'auto' } : { kind: 'oauth', ...lure.oauth(url) };
    const { status } = await api.send('POST', '/servers', { name, url: upstream.url, auth });
    if (status >= 300) return;
    const { health } = await eventually(async () => {
      const shown = await api.ok('GET', `/servers/${name}`);
      return shown.health.checkedAt === null ? undefined : shown;
    }, 20_000);
    if (lure.until !== 'looked' && health.verdict === 'sign_in') await this.connect(name);
    await api.send('DELETE', `/servers/${name}`);
  }

  close(): Promise<void> {
    return this.upstream.close();
  }

  /** Goes to the connect page, presses its button and, where it leads away, comes back with a code. */
  private async connect(server: string): Promise<void> {
    this.browser ??= await signedInBrowser(this.world, this.personId, { stopAt: ['https://', 'http://169.'], from: anotherAddress });
    const { status, body } = await admin(this.world).send('POST', '/identities/connect', { server });
    if (status >= 300) return;
    const page = await this.browser.get(body.url);
    const away = await this.browser.submit(page.forms[0]).catch(() => undefined);
    if (away?.stopped !== true || this.lure.until !== 'returned') return;
    const asked = new URL(away.url).searchParams;
    const back = new URL(asked.get('redirect_uri')!);
    back.search = new URLSearchParams({ code: 'a-code', state: asked.get('state')!, iss: this.upstream.issuer }).toString();
    await this.browser.get(back.href);
  }
}
