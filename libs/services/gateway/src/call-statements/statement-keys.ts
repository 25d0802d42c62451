import { createPrivateKey, createPublicKey, hash, sign, type KeyObject } from 'node:crypto';
import type { Bus } from '@gatehouse/bus';
import { vaultContracts } from '@gatehouse/contracts';
import { asRefusalOrFault, openSealed, Refusal, type Clock, type SealingKeyPair } from '@gatehouse/kernel';
import type { Logger } from '@gatehouse/telemetry';

/** What is said of one request besides who says it and when. */
export interface Stated {
  /** The server's address as it is registered. */
  aud: string;
  /** The caller's id. */
  sub: string;
  /** The OAuth client that the caller used; none with a personal access token. */
  client_id?: string;
  /** Once per request; the id of the call's record, with a number after it for each further try. */
  jti: string;
}

/** What the keys are leased with. */
export interface StatementWorld {
  bus: Bus;
  /** The edge's own pair, which keys are sealed to. */
  pair: SealingKeyPair;
  clock: Clock;
  log: Logger;
  issuer: string;
}

interface Signer {
  id: string;
  key: KeyObject;
  /** The header part with its dot: the same for every statement of a key. */
  head: string;
}

const LIFE_S = 60;
const AGAIN_MS = 60_000;
const RETRY_MS = 1_000;

/**
 * The key that statements about calls are signed with, leased from the vault and leased again every
 * minute, and the public keys that verify them. What is held stays while the vault is away.
 */
export class StatementKeys {
  #signer: Signer | undefined;
  #published: Buffer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly world: StatementWorld) {}

  /** Leases, or goes on trying in the background. */
  async start(): Promise<void> {
    const error = await this.#load().then(() => undefined, asRefusalOrFault);
    if (error !== undefined) this.world.log.warn({ code: error.code }, 'key of call statements not leased');
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.start(), this.#signer === undefined ? RETRY_MS : AGAIN_MS).unref();
  }

  /** Leases no more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** The key set (RFC 7517) that verifies: refuses with `vault_unavailable` before the first lease. */
  published(): Buffer {
    if (this.#published === undefined) throw new Refusal('vault_unavailable');
    return this.#published;
  }

  /**
   * A statement (JWT, RFC 7519, signed with Ed25519) about one request with exactly this body. Refuses
   * with `vault_unavailable` before the first lease: nothing goes out unsigned.
   */
  statement(stated: Stated, body: Buffer | null): string {
    const signer = this.#signer;
    if (signer === undefined) throw new Refusal('vault_unavailable');
    const iat = Math.floor(this.world.clock.now() / 1_000);
    const claims = { iss: this.world.issuer, ...stated, digest: hash('sha256', body ?? '', 'base64url'), iat, exp: iat + LIFE_S };
    const signed = signer.head + Buffer.from(JSON.stringify(claims)).toString('base64url');
    return `${signed}.${sign(null, Buffer.from(signed, 'latin1'), signer.key).toString('base64url')}`;
  }

  async #load(): Promise<void> {
    const { bus, pair } = this.world;
    const { calls } = await bus.request(vaultContracts.listVerificationKeys, {});
    const { keys } = await bus.request(vaultContracts.leaseCallSigningKey, { instanceKey: pair.publicKey });
    const { id, sealed } = keys[0]!;
    this.#published = Buffer.from(JSON.stringify({ keys: calls.map(jwkOf) }));
    if (this.#signer?.id !== id) this.#signer = { id, key: this.#opened(id, sealed), head: `${headOf(id)}.` };
  }

  #opened(id: string, sealed: string): KeyObject {
    const bytes = openSealed(this.world.pair, sealed, vaultContracts.keyContext('call-signing', id));
    try {
      return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
    } finally {
      bytes.fill(0);
    }
  }
}

function headOf(kid: string): string {
  return Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'gatehouse-call+jwt', kid })).toString('base64url');
}

function jwkOf({ id, publicKey }: { id: string; publicKey: string }): object {
  const { kty, crv, x } = createPublicKey({ key: Buffer.from(publicKey, 'base64url'), format: 'der', type: 'spki' }).export({ format: 'jwk' });
  return { kty, crv, x, kid: id, alg: 'EdDSA', use: 'sig' };
}
