import { startIdentityProvider, ScriptedBrowser, type IdentityProvider } from '@gatehouse/testing';
import { Member } from '../identities/member.js';
import { admin } from '../world/asking.js';
import type { World } from '../world/world.js';

/** What the suite says of its identity provider. */
export interface SuiteProvider {
  idp_client_id: string;
  idp_id_token: string;
  idp_token_endpoint: string;
}

/** Somebody who signs in at their company. */
export interface Employee {
  member: Member;
  close(): Promise<void>;
}

const LOGIN = 'employee';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/**
 * The suite's identity provider signs nobody in: it hands out the id_token of a sign-in that has been. So
 * people sign in at a provider of ours, which asks the suite's whenever it is asked for an assertion, with that id_token.
 */
export async function employeeOf(world: World, suite: SuiteProvider): Promise<Employee> {
  const [origin] = world.edges;
  const provider = await startIdentityProvider({ people: [{ sub: LOGIN, name: 'Employee', email: 'employee@example.com', groups: [] }] });
  provider.setClient({ redirect_uris: [`${origin!}/login/callback`] });
  provider.setExchange({ answeredBy: (asked) => askedAt(suite, asked) });
  const { issuer, clientId, clientSecret } = provider;
  await admin(world).ok('PUT', '/identity-providers/suite', { displayName: 'Suite', issuer, clientId, clientSecret, keepTokens: true, allowPrivateNetwork: true });
  return { member: await signedIn(world, provider), close: () => provider.close() };
}

async function askedAt({ idp_client_id: clientId, idp_id_token: idToken, idp_token_endpoint: url }: SuiteProvider, asked: Record<string, string>): Promise<object> {
  const body = new URLSearchParams({ ...asked, grant_type: EXCHANGE, client_id: clientId, subject_token: idToken });
  return (await (await fetch(url, { method: 'POST', body })).json()) as object;
}

async function signedIn(world: World, provider: IdentityProvider): Promise<Member> {
  const [origin] = world.edges;
  const browser = new ScriptedBrowser({ stopAt: [`${origin!}/console`] });
  let page = await browser.get(`${origin!}/login?return_to=/console`);
  for (let pages = 0; !page.stopped && pages < 5; pages++) page = await browser.submit(page.forms[0], page.url.startsWith(provider.issuer) ? { login: LOGIN } : {});
  const { items } = await admin(world).ok('GET', '/people?limit=100');
  const { id } = items.find(({ email }: { email: string | null }) => email === 'employee@example.com');
  return Member.of(world, id, browser);
}
