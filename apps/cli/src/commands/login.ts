import { api } from '@gatehouse/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import { AdminApi } from '../admin-api.js';
import { durationMs } from '../durations.js';
import { apiResource } from '../gateway-url.js';
import { endpointUrl, ENDPOINT_SCOPE } from '../login/endpoint-token.js';
import { signInByBrowser, type SignInWish } from '../login/sign-in-by-browser.js';
import { StoredLogin } from '../login/stored-login.js';
import { remark, timeText, type Format } from '../output/print.js';
import { fieldList } from '../output/table.js';
import { invocation, verb, type Context } from '../verb.js';

const DEFAULT_TIMEOUT_MS = 120_000;
const MOST_TIMEOUT_MS = 3_600_000;

interface LoginOptions {
  browser: boolean;
  timeout?: number;
  endpoint?: string;
  output?: Format;
}

/** `gatehouse login` and `gatehouse logout`. */
export function addLogin(program: Command, context: Context): void {
  verb(program, 'login', 'Sign in with the browser; the login is kept for this GATEHOUSE_URL', 'gatehouse login')
    .option('--no-browser', 'print the address; the one that the sign-in ends at may be pasted')
    .option('--timeout <duration>', 'how long to wait for the sign-in (default: 2m)', waitingTime)
    .option('--endpoint <name>', 'sign in for calls of this endpoint, not for the admin API (gatehouse call asks by itself)')
    .action((options: LoginOptions) => login(context, options));
  verb(program, 'logout', 'Sign out: the login is revoked and forgotten', 'gatehouse logout').action((options: { output?: Format }) => logout(context, options));
}

async function login(context: Context, options: LoginOptions): Promise<void> {
  const { surroundings } = context;
  const wish = wishFrom(context, options);
  const signedIn = await signInByBrowser(surroundings, wish);
  await new StoredLogin(surroundings).keep(wish.resource, signedIn);
  if (surroundings.token !== undefined) remark(surroundings, 'GATEHOUSE_TOKEN is set and goes before this login.');
  const who = options.endpoint === undefined ? await whoSignedIn(context, signedIn.tokens.accessToken) : {};
  const answer = { gateway: surroundings.url, ...who, resource: wish.resource, expiresAt: signedIn.tokens.expiresAt, renewable: signedIn.tokens.refreshToken !== null };
  const { gateway, resource, expiresAt, renewable } = answer;
  invocation(context, options).answer(answer, () => fieldList({ gateway, ...who, 'signed in for': resource, until: renewable ? 'you sign out, or two weeks without use' : timeText(expiresAt) }));
}

function wishFrom({ surroundings }: Context, { browser, endpoint, timeout = DEFAULT_TIMEOUT_MS }: LoginOptions): SignInWish {
  const rest = { browser, timeoutMs: timeout };
  if (endpoint === undefined) return { ...rest, resource: apiResource(surroundings), scope: 'admin offline_access' };
  return { ...rest, resource: endpointUrl(endpoint, surroundings).href, scope: ENDPOINT_SCOPE };
}

async function whoSignedIn({ surroundings }: Context, token: string): Promise<{ name: string; id: string; roles: string }> {
  const { name, id, roles } = await new AdminApi({ ...surroundings, token }).ask({ path: '/whoami', answer: api.whoami });
  return { name, id, roles: roles.join(', ') };
}

async function logout(context: Context, options: { output?: Format }): Promise<void> {
  const signedOut = await new StoredLogin(context.surroundings).end();
  const { url } = context.surroundings;
  invocation(context, options).answer({ gateway: url, signedOut }, () => fieldList({ gateway: url, 'signed out': signedOut ? 'yes' : 'nobody was signed in' }));
}

function waitingTime(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined && ms >= 1_000 && ms <= MOST_TIMEOUT_MS) return ms;
  throw new InvalidArgumentError('A duration from 1s to 60m, for example 2m.');
}
