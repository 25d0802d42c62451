import type { Ephemeral } from '@gatehouse/ephemeral';
import { Refusal, type Clock } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';
import { errors } from 'jose';
import type { DirectoryCaller, DirectoryState } from '../snapshot/directory-state.js';
import type { Trust } from '../snapshot/trusted-keys.js';
import type { VerifiedToken } from './access-token.js';
import { AUTHENTICATION_STEPS as steps, trustBehind } from './authentication-steps.js';
import type { IssuerRequests } from './issuer-requests.js';
import { looksLikeJwt, type Jwt } from './jwt.js';
import { notAccepted } from './not-accepted.js';
import type { PresentedToken, TokenUse } from './presented-token.js';
import type { Resources } from './resources.js';
import { profileIn } from './subject-profile.js';
import { VerifiedTokens, type SeenToken } from './verified-tokens.js';

/** What tokens are checked with. */
export interface TokenCheckOptions {
  clock: Clock;
  log: Logger;
  resources: Resources;
  /** The directory in force; refuses with `directory_stale`. */
  directory: () => DirectoryState;
  /** Where proofs of possession are used up. */
  ephemeral: Ephemeral;
  requests: IssuerRequests;
  /** How long finding out who calls may take at all. */
  limitMs?: number;
}

const LIMIT_MS = 8_000;

/** A token on its way through the check. */
interface Asked {
  readonly presented: PresentedToken;
  readonly use: TokenUse;
  readonly digest: string;
}

/** Refusals that say something about Gatehouse and not about the token. */
const OWN_TROUBLE: ReadonlySet<string> = new Set(['directory_stale', 'service_unavailable', 'service_timeout']);

/**
 * Tells who calls, from the directory in memory: personal access tokens by their digest, access tokens
 * by their signature, which is checked once and remembered. What was seen before is answered at once;
 * a new access token, and every proof of possession, is waited for.
 */
export class TokenCheck {
  readonly #seen = new VerifiedTokens();

  constructor(private readonly options: TokenCheckOptions) {}

  /**
   * Who presents this token for this use. Refuses with `unauthenticated`, `directory_stale`, and with
   * `service_unavailable` or `service_timeout` when a proof cannot be used up or a subject not be linked.
   */
  callerOf(presented: PresentedToken | undefined, use: TokenUse): DirectoryCaller | Promise<DirectoryCaller> {
    try {
      const directory = this.options.directory();
      if (presented === undefined) throw new Refusal('unauthenticated', { tokenSent: false });
      const digest = steps.digest(presented.text);
      const asked = { presented, use, digest };
      const known = this.#atOnce(asked, directory);
      if (known !== undefined) return known;
      const found = steps.lookUp(digest, directory, this.options.clock.now());
      if (found === undefined) return this.#accessToken(asked);
      if (presented.scheme === 'dpop') throw notAccepted();
      return found;
    } catch (error) {
      throw this.#refusal(error, presented);
    }
  }

  /** The same caller by the directory in force now, or `undefined`: for what outlives the request that a token came with. */
  current(caller: DirectoryCaller): DirectoryCaller | undefined {
    const [directory, now] = [this.options.directory(), this.options.clock.now()];
    if (caller.accessToken === null) return directory.callerOfTokenId(caller.tokenId, now);
    return now < caller.accessToken.usableUntil ? steps.caller(caller.accessToken, directory) : undefined;
  }

  #accessToken(asked: Asked): Promise<DirectoryCaller> {
    if (!looksLikeJwt(asked.presented.text)) throw notAccepted();
    return this.#within(this.#check(asked), asked.presented);
  }

  // Only for bearer tokens whose signature was checked before: everything else about them is checked each time.
  #atOnce(asked: Asked, directory: DirectoryState): DirectoryCaller | undefined {
    const seen = this.#seen.get(asked.digest);
    if (seen === undefined || seen.token.jkt !== null) return undefined;
    this.#requireFit(seen.token, asked, directory);
    return callerIn(seen, directory);
  }

  async #check(asked: Asked): Promise<DirectoryCaller> {
    const { presented, use, digest } = asked;
    const directory = this.options.directory();
    const seen = this.#seen.get(digest) ?? this.#verified(asked, directory);
    this.#requireFit(seen.token, asked, directory);
    if (seen.token.jkt !== null) await this.#useProof(presented, seen.token, use);
    // Taken anew: the directory may have changed while the signature was checked.
    return callerIn(seen, this.options.directory()) ?? this.#linked(seen, presented);
  }

  #verified(asked: Asked, directory: DirectoryState): SeenToken {
    const jwt = steps.parse(asked.presented.text);
    const trust = this.#trustIn(jwt, directory);
    const key = steps.claimed(jwt, trust);
    if (key === undefined) throw this.#unknownKey(trust);
    const token = steps.claims(jwt, { trust, key });
    this.#requireFit(token, asked, directory);
    steps.signature(jwt, { trust, key });
    return this.#seen.add(asked.digest, token);
  }

  #trustIn({ payload }: Jwt, directory: DirectoryState): Trust {
    const { iss } = payload;
    const trust = iss === this.options.resources.issuer ? directory.own : directory.issuer(String(iss));
    if (trust === undefined || typeof iss !== 'string') throw notAccepted();
    return trust;
  }

  #unknownKey({ name }: Trust): Refusal {
    if (name !== null) this.options.requests.refreshKeys(name);
    return notAccepted();
  }

  #requireFit(token: VerifiedToken, { presented, use, digest }: Asked, directory: DirectoryState): void {
    const trust = trustBehind(token, directory);
    const now = this.options.clock.now();
    if (now >= token.usableUntil) this.#seen.forget(digest);
    if (trust === undefined) throw notAccepted();
    steps.fit(token, presented.scheme, { resource: use.resource, trust, now });
  }

  async #useProof(presented: PresentedToken, token: VerifiedToken, use: TokenUse): Promise<void> {
    const proof = await steps.proof(presented, token, { ...use, now: this.options.clock.now() });
    if (!(await this.#takenOnce(proof))) throw notAccepted();
  }

  async #takenOnce(proof: Awaited<ReturnType<typeof steps.proof>>): Promise<boolean> {
    try {
      return await steps.useProof(proof, this.options.ephemeral);
    } catch (cause) {
      this.options.log.warn({ err: cause }, 'a proof of possession could not be used up');
      // Whether it was used before cannot be known, so it may not be used now.
      throw new Refusal('service_unavailable');
    }
  }

  // A subject seen for the first time: auth makes a person of it or links it, once, then it is looked for again.
  async #linked(seen: SeenToken, { text }: PresentedToken): Promise<DirectoryCaller> {
    const trust = trustBehind(seen.token, this.options.directory());
    if (trust?.name == null || trust.claims === null || trust.logins?.has(seen.token.subject) !== false) throw notAccepted();
    const { subject, clientId } = seen.token;
    await this.options.requests.link({ issuer: trust.name, subject, clientId, ...profileIn(steps.parse(text).payload, trust.claims) });
    const caller = callerIn(seen, this.options.directory());
    if (caller === undefined) throw notAccepted();
    return caller;
  }

  async #within(checking: Promise<DirectoryCaller>, presented: PresentedToken): Promise<DirectoryCaller> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(notAccepted()), this.options.limitMs ?? LIMIT_MS);
    });
    try {
      return await Promise.race([checking, late]);
    } catch (error) {
      throw this.#refusal(error, presented);
    } finally {
      clearTimeout(timer);
    }
  }

  // Whatever goes wrong here means that nobody is known to call. What was thrown may quote the token: only its kind is logged.
  #refusal(error: unknown, presented: PresentedToken | undefined): Refusal {
    if (error instanceof Refusal && OWN_TROUBLE.has(error.code)) return error;
    if (presented === undefined) return new Refusal('unauthenticated', { tokenSent: false });
    if (!(error instanceof Refusal || error instanceof errors.JOSEError)) this.options.log.warn({ kind: error instanceof Error ? error.name : typeof error }, 'a token could not be checked');
    return new Refusal('unauthenticated', { tokenSent: true, ...(presented.scheme === 'dpop' ? { proofSent: true } : {}) });
  }
}

function callerIn(seen: SeenToken, directory: DirectoryState): DirectoryCaller | undefined {
  if (seen.directory !== directory) {
    seen.caller = steps.caller(seen.token, directory);
    seen.directory = directory;
  }
  return seen.caller;
}
