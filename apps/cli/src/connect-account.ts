import { setTimeout as sleep } from 'node:timers/promises';
import { api, type identityContracts } from '@gatehouse/contracts';
import type { z } from 'zod';
import { path } from './admin-api.js';
import { CliFailure } from './failure.js';
import { remark } from './output/print.js';
import { requestBody } from './request-body.js';
import type { Context } from './verb.js';

type Connection = z.output<typeof api.shownConnection>;

const POLL_MS = 1_000;
const SECOND_MS = 1_000;

/** How long somebody has to connect an account unless told otherwise. */
export const CONNECT_LIMIT_MS = 120_000;

/** Which account is to be connected, and how. */
export interface ConnectWish {
  server: string;
  visibility: 'private' | 'global';
  name?: string | undefined;
  /** The one that is connected anew. */
  identity?: string | undefined;
  /** False: the address is printed and nothing is opened. */
  browser: boolean;
  timeoutMs: number;
}

/** Makes a link, opens it, and waits until the account is connected. Fails with why it is not. */
export async function connectAccount(context: Context, { browser, timeoutMs, ...wish }: ConnectWish): Promise<string> {
  const body = requestBody(api.connectBody, wish);
  const started = await context.api.ask({ method: 'POST', path: '/identities/connect', body, answer: api.startedConnection });
  const opened = browser && (await context.surroundings.openBrowser(started.url));
  remark(context.surroundings, `${opened ? 'Connect the account in the browser that opens. If none does, go to' : 'Connect the account at'}:\n${started.url}`);
  const ended = await afterConnecting(context, started.id, performance.now() + timeoutMs);
  if (ended.state === 'connected' && ended.identityId !== null) return ended.identityId;
  throw notConnected(ended, wish.server, timeoutMs);
}

async function afterConnecting(context: Context, id: string, deadline: number): Promise<Connection> {
  for (;;) {
    const connection = await context.api.ask({ path: `/identities/connect${path(id)}`, answer: api.shownConnection });
    if (connection.state !== 'waiting' || performance.now() >= deadline) return connection;
    if (context.surroundings.interrupted.aborted) throw new CliFailure({ message: 'interrupted' });
    await sleep(POLL_MS);
  }
}

function notConnected({ state, problem }: Connection, server: string, timeoutMs: number): CliFailure {
  const again = `gatehouse connect ${server}`;
  if (state === 'waiting') return new CliFailure({ message: `nobody connected an account within ${timeoutMs / SECOND_MS} seconds`, next: `${again} --timeout 10m gives more time` });
  if (state === 'expired') return new CliFailure({ message: 'the link has ended before an account was connected', next: again });
  return new CliFailure({ message: `the account was not connected${problem === null ? '' : `: ${problem}`}`, next: `gatehouse server probe ${server}` });
}

/** An identity by its id, among those one may see; undefined when it is gone meanwhile. */
export async function identityById(context: Context, id: string, server: string): Promise<identityContracts.Identity | undefined> {
  const items = await context.api.all('/identities', api.identityPage, { server });
  return items.find((identity) => identity.id === id);
}
