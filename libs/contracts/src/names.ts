import { idPattern, type IdKind } from '@gatehouse/kernel';
import { z } from 'zod';

const ids = (kind: IdKind) => z.string().regex(idPattern(kind));

/** Typed ids, one schema each. */
export const personId = ids('person');
/** A service account: a caller that is no person. */
export const serviceAccountId = ids('service_account');
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

/** Whoever calls: a person or a service account. */
export const callerId = z.union([personId, serviceAccountId]);

/** Name of a team, as administrators and the company's groups spell it. */
export const teamName = displayText(100);

/** Name of a role, built in or custom: lower-case letters, digits and inner hyphens. */
export const roleName = z.string().regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63');

/** Name of an identity provider or a trusted token issuer; it stands in addresses. */
export const issuerName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63');

/** Id of a grant of our authorization server, or of one access token: what can be denied. */
export const grantId = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);

/** Id of an OAuth client: ours (`dcr_…`, a static one), a service account's, or the URL of its metadata document. */
export const clientId = z.string().min(1).max(512).regex(/^[\x21-\x7e]+$/);

/** Who asks for a change, as authenticated at the edge; `tokenId` is the personal access token or the grant it came with. */
export const actor = z.strictObject({ callerId, tokenId: z.string().max(128).nullable() });

/** Who asks for a change. */
export type Actor = z.infer<typeof actor>;
