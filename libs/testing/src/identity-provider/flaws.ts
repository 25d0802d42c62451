/** Ways in which the next id_token is wrong. */
export const ID_TOKEN_FLAWS = [
  'id-token-wrong-iss',
  'id-token-wrong-aud',
  'id-token-many-aud',
  'id-token-wrong-nonce',
  'id-token-no-nonce',
  'id-token-expired',
  'id-token-alg-none',
  'id-token-hs256-secret',
  'id-token-hs256-public-key',
  'id-token-unsigned',
  'id-token-other-key-same-kid',
  'id-token-unknown-kid',
  'id-token-missing',
] as const;

/** Ways in which the next answer of the authorization endpoint is wrong. */
export const AUTHORIZATION_FLAWS = ['iss-parameter-wrong', 'iss-parameter-missing', 'state-wrong', 'access-denied'] as const;

/** Ways in which the next answer of the token endpoint is not one. */
export const TOKEN_ENDPOINT_FLAWS = ['token-500', 'token-html', 'token-hangs', 'token-closes'] as const;

/** Ways in which the next answer of the userinfo endpoint is wrong. */
export const USERINFO_FLAWS = ['userinfo-500', 'userinfo-other-sub'] as const;

/** Ways in which what is read once and remembered is wrong; these hold until `behave()`. */
export const METADATA_FLAWS = [
  'discovery-500',
  'discovery-html',
  'discovery-issuer-mismatch',
  'discovery-internal-endpoints',
  'jwks-unreachable',
  'jwks-500',
] as const;

/** One thing that the provider can do wrong. */
export type IdentityProviderFlaw =
  | (typeof ID_TOKEN_FLAWS)[number]
  | (typeof AUTHORIZATION_FLAWS)[number]
  | (typeof TOKEN_ENDPOINT_FLAWS)[number]
  | (typeof USERINFO_FLAWS)[number]
  | (typeof METADATA_FLAWS)[number];

/** What the provider is told to do wrong next. */
export class ArmedFlaws {
  private readonly armed = new Set<IdentityProviderFlaw>();

  /** Arms one more. */
  arm(flaw: IdentityProviderFlaw): void {
    this.armed.add(flaw);
  }

  /** Disarms all. */
  clear(): void {
    this.armed.clear();
  }

  /** The first armed one of these, disarmed by being taken. */
  take<F extends IdentityProviderFlaw>(flaws: readonly F[]): F | undefined {
    const found = this.peek(flaws);
    if (found !== undefined) this.armed.delete(found);
    return found;
  }

  /** The first armed one of these; it stays armed. */
  peek<F extends IdentityProviderFlaw>(flaws: readonly F[]): F | undefined {
    return flaws.find((flaw) => this.armed.has(flaw));
  }
}
