/** Everything a sealed secret is bound to: change one member and the blob does not open. */
export interface SecretContext {
  /** Deployment environment: rows of staging do not open in production under the same key. */
  environment: string;
  serverId: string;
  /** The only origin the secret may be sent to. */
  origin: string;
  identityId: string;
  /** `global` or a person's id. */
  owner: string;
  secretId: string;
  field: string;
  secretVersion: number;
  /** Epoch milliseconds after which the secret is given to nobody; null when it has no known end. */
  expiresAt: number | null;
}

/**
 * Each member as a 4-byte big-endian length and its UTF-8 bytes: without lengths, `ab`+`c` and
 * `a`+`bc` would be one context and a blob could move between them.
 */
export function lengthPrefixed(members: readonly (string | number)[]): Buffer {
  return Buffer.concat(
    members.flatMap((member) => {
      const bytes = Buffer.from(String(member), 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/**
 * Associated data of one secret blob of `format` under the key of `keyVersion`; the order is part of the
 * format. The end is a member only where there is one: blobs from before ends existed open as they are,
 * and since lists of different length are different texts, an end can be neither taken away nor added.
 */
export function secretAssociatedData(format: string, context: SecretContext, keyVersion: number): Buffer {
  const { environment, serverId, origin, identityId, owner, secretId, field, secretVersion, expiresAt } = context;
  const end = expiresAt === null ? [] : [expiresAt];
  return lengthPrefixed([format, environment, serverId, origin, identityId, owner, secretId, field, secretVersion, keyVersion, ...end]);
}
