import { randomBytes } from 'node:crypto';
import { CliFailure, EXIT } from '../failure.js';
import { remark } from '../output/print.js';
import type { Surroundings } from '../surroundings.js';
import { authorizationAnswer, type Answer, type Expected } from './authorization-answer.js';
import { CLI_CLIENT, discover, guardedFetch, heldTokens, reached, revocationOf } from './authorization-server.js';
import { CallbackListener } from './callback-listener.js';
import type { HeldTokens, Login } from './login-file.js';

const STATE_BYTES = 32;
const SECOND_MS = 1_000;

/** How somebody is to sign in, and for what. */
export interface SignInWish {
  /** The admin API's address, or an endpoint's (RFC 8707). */
  resource: string;
  scope: string;
  /** False: the address is printed, and the callback's may be pasted. */
  browser: boolean;
  /** How long a person has (ms). */
  timeoutMs: number;
}

/** What came of it. */
export interface SignedIn {
  server: Omit<Login, 'tokens'>;
  tokens: HeldTokens;
}

/** Authorization code with PKCE at the gateway's authorization server, answered on a loopback port (OAuth 2.1, RFC 8252). */
export async function signInByBrowser(surroundings: Surroundings, wish: SignInWish): Promise<SignedIn> {
  const metadata = await discover(surroundings, wish.resource);
  const { exchangeAuthorization, startAuthorization } = await import('@modelcontextprotocol/client');
  const expected = { state: randomBytes(STATE_BYTES).toString('base64url'), issuer: metadata.issuer };
  const listener = await CallbackListener.start(expected);
  try {
    const redirectUri = listener.redirectUri;
    const asked = { metadata, clientInformation: CLI_CLIENT, resource: wish.resource };
    const { authorizationUrl, codeVerifier } = await startAuthorization(metadata.issuer, { ...asked, redirectUrl: redirectUri, scope: wish.scope, state: expected.state });
    await invite(surroundings, authorizationUrl.href, wish);
    const { code, iss } = await codeFrom(surroundings, { listener, expected, wish });
    const tokens = await reached(surroundings, () =>
      exchangeAuthorization(metadata.issuer, { ...asked, authorizationCode: code, iss, codeVerifier, redirectUri, fetchFn: guardedFetch(surroundings) }),
    );
    const server = { issuer: metadata.issuer, tokenEndpoint: metadata.token_endpoint, revocationEndpoint: revocationOf(metadata) ?? null };
    return { server, tokens: heldTokens(tokens, surroundings.now()) };
  } finally {
    await listener.close();
  }
}

async function invite(surroundings: Surroundings, url: string, { browser }: SignInWish): Promise<void> {
  const opened = browser && (await surroundings.openBrowser(url));
  if (opened) return remark(surroundings, `Sign in in the browser that opens. If none does, go to:\n${url}`);
  remark(surroundings, `Sign in at:\n${url}`);
  if (!browser) remark(surroundings, 'If that browser is on another machine, it ends at a page that does not load: paste the address of that page here.');
}

interface Waiting {
  listener: CallbackListener;
  expected: Expected;
  wish: SignInWish;
}

async function codeFrom(surroundings: Surroundings, { listener, expected, wish }: Waiting): Promise<{ code: string; iss: string }> {
  const over = new AbortController();
  const limit = AbortSignal.any([surroundings.interrupted, AbortSignal.timeout(wish.timeoutMs)]);
  const sources = [listener.answer, ended(limit, surroundings, wish.timeoutMs), ...(wish.browser ? [] : [pasted(surroundings, expected, over.signal)])];
  try {
    const answer = await Promise.race(sources);
    if ('failure' in answer) throw answer.failure;
    return answer;
  } finally {
    over.abort();
  }
}

function ended(limit: AbortSignal, { interrupted }: Surroundings, timeoutMs: number): Promise<Answer> {
  const failure = () =>
    interrupted.aborted
      ? new CliFailure({ message: 'interrupted' })
      : new CliFailure({ message: `nobody signed in within ${timeoutMs / SECOND_MS} seconds`, next: 'gatehouse login --timeout 10m gives more time', exit: EXIT.notSignedIn });
  return new Promise((resolve) => {
    if (limit.aborted) resolve({ failure: failure() });
    limit.addEventListener('abort', () => resolve({ failure: failure() }), { once: true });
  });
}

async function pasted(surroundings: Surroundings, expected: Expected, signal: AbortSignal): Promise<Answer> {
  for await (const line of surroundings.inputLines(signal)) {
    const text = line.trim();
    const answer = URL.canParse(text) ? authorizationAnswer(new URL(text).searchParams, expected) : undefined;
    if (answer !== undefined) return answer;
    if (text !== '') remark(surroundings, 'That is not the address that this sign-in ends at; it begins with http://127.0.0.1');
  }
  // Standard input is at its end: the browser on this machine may still bring the answer.
  return new Promise(() => undefined);
}
