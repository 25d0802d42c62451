import { isJsonObject, Secret, type JsonValue } from '@gatehouse/kernel';

/** What an identity provider gave for one sign-in. Whoever holds it wipes it. */
export interface SignInTokens {
  idToken: Secret;
  /** End of the id_token (ms). */
  idTokenUntil: number;
  /** Null where the provider gave none. */
  refreshToken: Secret | null;
}

/** The tokens as one secret: they change together. The caller wipes it. */
export function packed({ idToken, idTokenUntil, refreshToken }: SignInTokens): Secret {
  const text = (secret: Secret): string => secret.use((bytes) => bytes.toString('utf8'));
  return Secret.fromText(JSON.stringify({ idToken: text(idToken), idTokenUntil, refreshToken: refreshToken === null ? null : text(refreshToken) }));
}

/** The tokens of such a secret. */
export function unpacked(secret: Secret): SignInTokens {
  const value = secret.use((bytes) => JSON.parse(bytes.toString('utf8')) as JsonValue);
  const { idToken, idTokenUntil, refreshToken } = isJsonObject(value) ? value : {};
  return { idToken: Secret.fromText(String(idToken)), idTokenUntil: Number(idTokenUntil), refreshToken: typeof refreshToken === 'string' ? Secret.fromText(refreshToken) : null };
}

/** Overwrites them. */
export function wipe({ idToken, refreshToken }: SignInTokens): void {
  idToken.wipe();
  refreshToken?.wipe();
}
