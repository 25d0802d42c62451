import { z } from 'zod';
import { person, tokenSummary, TOKEN_SCOPES } from './auth.js';
import { auditRecord, recordFilter } from './audit.js';
import { callerId, displayText, epochMs, policyName, roleName, serverName, teamName } from './names.js';
import { identityMode, observedItem, policy, policyAnswer, policyQuestion, server } from './policy.js';

/** One header of `POST /servers`: a secret one goes to the vault and is never shown again. */
const apiHeader = z.strictObject({ name: z.string().min(1).max(128), value: z.string().min(1).max(8_192), secret: z.boolean().default(false) });

/** Body of `POST /api/v1/servers`. */
export const serverBody = z.strictObject({
  name: serverName.optional(),
  url: z.string().min(1).max(2_048),
  transport: z.enum(['auto', 'streamable-http']).default('auto'),
  auth: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('headers'), headers: z.array(apiHeader).min(1).max(32) }),
    ])
    .default({ kind: 'none' }),
  identityMode: identityMode.optional(),
  allowPrivateNetwork: z.boolean().default(false),
});

/** Body of `POST /api/v1/policies/apply`: all of them or none. */
export const applyBody = z.strictObject({ policies: z.array(z.strictObject({ name: policyName, text: z.string().min(1).max(65_536) })).min(1).max(100) });

/** Body of `PUT /api/v1/policies/<name>` as JSON; `text/cedar` carries the text alone. */
export const policyBody = z.strictObject({ text: z.string().min(1).max(65_536) });

/** Body of `POST /api/v1/policies/test`. */
export const testBody = z.strictObject({ question: policyQuestion, draft: applyBody.shape.policies.nullable().default(null) });

/** Body of `POST /api/v1/tokens`; without `callerId` the token is for whoever asks. */
export const tokenBody = z.strictObject({
  name: displayText(200),
  scopes: z.array(z.enum(TOKEN_SCOPES)).min(1).default(['mcp:access']),
  callerId: callerId.optional(),
  expiresAt: epochMs.nullable().default(null),
});

/** Body of `POST /api/v1/people`. */
export const personBody = z.strictObject({
  name: displayText(200),
  email: z.email().max(320).nullable().default(null),
  roles: z.array(roleName).min(1).max(50).default(['member']),
  teams: z.array(teamName).max(50).default([]),
});

/** Query of `GET /api/v1/audit/records`; with `follow=true` the answer waits up to `waitMs` for something new. */
export const recordQuery = recordFilter.extend({
  since: z.coerce.number().int().min(0).optional(),
  until: z.coerce.number().int().min(0).optional(),
  follow: z.stringbool().default(false),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
  waitMs: z.coerce.number().int().min(0).max(5_000).default(0),
});

/** Answer of `POST /api/v1/tokens`: the only time the token is shown. */
export const createdToken = z.strictObject({ ...tokenSummary.shape, token: z.string() });

/** Answer of `GET /api/v1/whoami`. */
export const whoami = z.strictObject({
  person: z.strictObject({ id: callerId, name: z.string(), email: z.string().nullable() }),
  roles: z.array(z.string()),
  teams: z.array(z.string()),
  capabilities: z.array(z.string()),
  scopes: z.array(z.string()),
});

/** A page of a list. */
const page = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });

/** Answers of the list routes. */
export const serverPage = page(server);
export const itemPage = page(observedItem);
export const policyPage = page(policy);
export const tokenPage = page(tokenSummary);
export const peoplePage = page(person);
export const recordPage = page(auditRecord);

/** An RFC 9457 problem document as every refusal of the admin API is. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  instance: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

/** Answer of `POST /api/v1/policies/test`. */
export { policyAnswer };
