import { directoryContracts } from '@gatehouse/contracts';
import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import type { Trust } from '../snapshot/trusted-keys.js';

/** What an issuer's token says of a person, as far as it can be taken over. */
export type SubjectProfile = Pick<typeof directoryContracts.linkCaller.request._output, 'name' | 'email' | 'groups'>;

const { name: nameSchema, email: emailSchema, groups: groupsSchema } = directoryContracts.linkCaller.request.shape;
const MAX_GROUPS = 500;

/** Reads name, address and groups where the issuer's claims mapping says; what does not fit is left out. */
export function profileIn(payload: JsonObject, claims: NonNullable<Trust['claims']>): SubjectProfile {
  const groups = claimAt(payload, claims.groups);
  const listed = Array.isArray(groups) ? groups.slice(0, MAX_GROUPS) : [];
  return {
    name: nameSchema.catch(null).parse(claimAt(payload, claims.name) ?? null),
    // An address nobody checked could be somebody else's, and would lead to their account.
    email: payload['email_verified'] === true ? emailSchema.catch(null).parse(claimAt(payload, claims.email) ?? null) : null,
    groups: listed.filter((group): group is string => groupsSchema.element.safeParse(group).success),
  };
}

// A name that holds dots (`https://company.example/groups`) is tried whole before the dots lead inside.
function claimAt(payload: JsonObject, name: string): JsonValue | undefined {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<JsonValue | undefined>((at, part) => (isJsonObject(at) && Object.hasOwn(at, part) ? at[part] : undefined), payload);
}
