import type { IncomingMessage } from 'node:http';
import { headerOf } from '../http/request-head.js';

/** A token as a request presents it. */
export interface PresentedToken {
  readonly scheme: 'bearer' | 'dpop';
  readonly text: string;
  /** The proof of possession that came with it (RFC 9449). */
  readonly proof: string | undefined;
}

/** What a token is used for. */
export interface TokenUse {
  /** The resource asked for, in its canonical spelling: what the token's audience must be. */
  readonly resource: string;
  /** Method and address of the request, without query: what a proof of possession must name. */
  readonly method: string;
  readonly address: string;
}

const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const DPOP = /^DPoP +([A-Za-z0-9\-._~+/]+=*)$/i;

/** The token of RFC 6750 section 2.1 or RFC 9449 section 7.1; the only place a token is read from, never query or cookie. */
export function presentedToken(request: IncomingMessage): PresentedToken | undefined {
  const authorization = headerOf(request, 'authorization');
  if (authorization === undefined) return undefined;
  const bearer = BEARER.exec(authorization)?.[1];
  if (bearer !== undefined) return { scheme: 'bearer', text: bearer, proof: undefined };
  const bound = DPOP.exec(authorization)?.[1];
  return bound === undefined ? undefined : { scheme: 'dpop', text: bound, proof: headerOf(request, 'dpop') };
}
