import { idPattern, type IdKind } from '@gatehouse/kernel';
import { z } from 'zod';

const ids = (kind: IdKind) => z.string().regex(idPattern(kind));

/** Typed ids, one schema each. */
export const personId = ids('person');
export const tokenId = ids('token');
export const serverId = ids('server');
export const identityId = ids('identity');

/** Name of a server and slug of its endpoint: lower-case letters, digits and inner hyphens, at most 63. */
export const serverName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63');

/** Name of a policy: like a server's, dots and underscores allowed inside, at most 128. */
export const policyName = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/);

/** Text people read: no control characters (terminal escapes, log injection). */
// eslint-disable-next-line no-control-regex -- the control characters are what is refused
export const displayText = (max: number) => z.string().min(1).max(max).regex(/^[^\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/);

/** Milliseconds since the Unix epoch. */
export const epochMs = z.int().min(0);

/** Who asks for a change, as authenticated at the edge. */
export const actor = z.strictObject({ personId, tokenId: tokenId.nullable() });

/** Who asks for a change. */
export type Actor = z.infer<typeof actor>;
