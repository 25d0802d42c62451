import { hash } from 'node:crypto';
import type { Ephemeral } from '@gatehouse/ephemeral';
import type { DirectoryCaller, DirectoryState } from '../snapshot/directory-state.js';
import type { Trust, TrustedKey } from '../snapshot/trusted-keys.js';
import { readClaims, type VerifiedToken } from './access-token.js';
import { checkProof, type ProofUse } from './dpop-proof.js';
import { requireSignature } from './jwt-signature.js';
import { parseJwt, type Jwt } from './jwt.js';
import { notAccepted } from './not-accepted.js';
import type { PresentedToken, TokenUse } from './presented-token.js';

/** Whose token it claims to be, and with which of their keys it claims to be signed. */
export interface Claimed {
  readonly trust: Trust;
  readonly key: TrustedKey;
}

/** Where and when a token is used. */
export interface Place {
  readonly resource: string;
  readonly trust: Trust;
  readonly now: number;
}

/**
 * Everything that is done to find out who calls, step by step. One that throws, whatever it throws, or
 * does not come to an end is a refusal: there is no caller without all of them.
 */
export const AUTHENTICATION_STEPS = {
  /** SHA-256 of the token: what it is known by here. */
  digest: (token: string): string => hash('sha256', token, 'base64url'),
  /** Who a personal access token belongs to. */
  lookUp: (digest: string, directory: DirectoryState, now: number): DirectoryCaller | undefined => directory.callerOf(digest, now),
  /** Takes an access token apart. */
  parse: (text: string): Jwt => parseJwt(text),
  /** Finds the key among those of the directory: never one the token brings or points to. */
  claimed: (jwt: Jwt, trust: Trust): TrustedKey | undefined => claimedKey(jwt, trust),
  /** Reads who, for what, until when. */
  claims: (jwt: Jwt, { trust, key }: Claimed): VerifiedToken => readClaims(jwt, trust, key),
  /** Whether it is for this resource, now, and sent the way it must be. */
  fit: (token: VerifiedToken, scheme: PresentedToken['scheme'], at: Place): void => requireFit(token, scheme, at),
  /** Checks the signature. */
  signature: (jwt: Jwt, { key }: Claimed): void => requireSignature(jwt.text, String(jwt.header['alg']), key.key),
  /** Checks that the sender holds the key the token is bound to. */
  proof: (presented: PresentedToken, token: VerifiedToken, use: TokenUse & { now: number }): Promise<ProofUse> => checkProof(presented, token, use, use.now),
  /** Takes the proof's one use; false when it was used before, at any edge. */
  useProof: ({ key, ttlMs }: ProofUse, ephemeral: Ephemeral): Promise<boolean> => ephemeral.setIfAbsent(key, '1', ttlMs),
  /** Who the token stands for in this directory. */
  caller: (token: VerifiedToken, directory: DirectoryState): DirectoryCaller | undefined => callerBehind(token, directory),
};

// Members that bring a key, point to one, or change how the signature is read (RFC 8725 section 3; RFC 7797).
const NEVER = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc', 'epk'];
const OWN_MEMBERS = new Set(['alg', 'typ', 'kid']);
const EXTERNAL_TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']);

function claimedKey({ header }: Jwt, trust: Trust): TrustedKey | undefined {
  const { alg, typ, kid } = header;
  const isRightKind = trust.name === null ? isOwnHeader(header, typ) : isExternalHeader(header, typ);
  if (!isRightKind || typeof kid !== 'string' || typeof alg !== 'string') throw notAccepted();
  const key = trust.keys.get(kid);
  if (key !== undefined && !key.algs.includes(alg)) throw notAccepted();
  return key;
}

function isOwnHeader(header: Jwt['header'], typ: unknown): boolean {
  return typ === 'at+jwt' && Object.keys(header).every((name) => OWN_MEMBERS.has(name));
}

function isExternalHeader(header: Jwt['header'], typ: unknown): boolean {
  const isType = typ === undefined || (typeof typ === 'string' && EXTERNAL_TYPES.has(typ.toLowerCase()));
  return isType && NEVER.every((name) => header[name] === undefined);
}

function requireFit(token: VerifiedToken, scheme: PresentedToken['scheme'], { resource, trust, now }: Place): void {
  const isFor = token.audience.includes(resource) || (trust.audience !== null && token.audience.includes(trust.audience));
  const isNow = token.usableFrom <= now && now < token.usableUntil;
  const isBound = token.jkt !== null;
  if (!isFor || !isNow || isBound !== (scheme === 'dpop')) throw notAccepted();
}

/** What of an issuer is trusted that a verified token came from. */
export function trustBehind(token: VerifiedToken, directory: DirectoryState): Trust | undefined {
  return token.trust === 'own' ? directory.own : directory.issuer(token.issuer);
}

// A key that left the directory takes its tokens with it, those already verified too.
function callerBehind(token: VerifiedToken, directory: DirectoryState): DirectoryCaller | undefined {
  const trust = trustBehind(token, directory);
  if (trust?.keys.get(token.key.id)?.fingerprint !== token.key.fingerprint) return undefined;
  if (directory.isDenied(token.grantId) || (token.jti !== null && directory.isDenied(token.jti))) return undefined;
  const id = trust.logins === null ? token.subject : trust.logins.get(token.subject);
  const account = id === undefined ? undefined : directory.account(id);
  return account === undefined ? undefined : callerFor(account, token, directory);
}

function callerFor(account: DirectoryCaller['account'], token: VerifiedToken, directory: DirectoryState): DirectoryCaller {
  const { grantId: tokenId, clientId, scopes, usableUntil: expiresAt } = token;
  return { account, tokenId, clientId, scopes, capabilities: directory.capabilitiesOf(account), expiresAt, accessToken: token };
}
