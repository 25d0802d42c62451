import { isJsonObject, type JsonValue } from '@gatehouse/kernel';
import { z } from 'zod';

/** Where values stand in a provider's claims; a dot goes into an object. */
export interface ClaimMapping {
  name: string;
  email: string;
  groups: string;
}

/** Who somebody is, as their provider says. */
export interface Profile {
  name: string | undefined;
  /** Undefined unless the provider vouches for it. */
  email: string | undefined;
  /** Undefined when the provider did not say all of them: those known before stay. */
  groups: string[] | undefined;
}

/** The claims of an id_token, or of the userinfo endpoint. */
export type Claims = Readonly<Record<string, JsonValue | undefined>>;

const MAX_GROUPS = 500;
const MAX_GROUP = 200;
const MAX_NAME = 200;
/** As the contracts have it: an address that they refuse would break every list of people. */
const address = z.email().max(320);
// eslint-disable-next-line no-control-regex -- names with control characters or direction marks are what is cleaned
const UNREADABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A claim by its own name or, when there is none, by its dotted path (`realm_access.roles`). */
export function claimAt(claims: Claims, path: string): JsonValue | undefined {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: JsonValue | undefined = claims as JsonValue;
  for (const key of path.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Whether a claim is a value or, as a list, holds it. */
export function claimIs(claims: Claims, path: string, wanted: string): boolean {
  const value = claimAt(claims, path);
  return (Array.isArray(value) ? value : [value]).some((each) => typeof each !== 'object' && each !== undefined && String(each) === wanted);
}

/** Whether a claim that is wanted is not there, so that the userinfo endpoint is asked. */
export function missesClaims(claims: Claims, { name, email, groups }: ClaimMapping, also?: string): boolean {
  const wanted = [name, email, groups, ...(email === 'email' ? ['email_verified'] : []), ...(also === undefined ? [] : [also])];
  return wanted.some((path) => claimAt(claims, path) === undefined);
}

/**
 * What the claims say. Only `email` with `email_verified: true` (the boolean) is an address: a claim
 * of another name has nobody who vouches for it, and people can often write it themselves.
 */
export function profileOf(claims: Claims, mapping: ClaimMapping): Profile {
  const isVerified = mapping.email === 'email' && claims['email_verified'] === true;
  const email = isVerified ? claims['email'] : undefined;
  return {
    name: nameOf(claimAt(claims, mapping.name)) ?? nameOf(claims['preferred_username']),
    email: address.safeParse(email).data,
    groups: groupsOf(claims, mapping.groups),
  };
}

/** Whether the groups stand elsewhere because they are too many for the token (Entra ID: "overage"). */
export function isOverage(claims: Claims, path: string): boolean {
  const names = claims['_claim_names'];
  return claims['hasgroups'] === true || claims['hasgroups'] === 'true' || (isJsonObject(names) && Object.hasOwn(names, path));
}

function nameOf(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value.normalize('NFC').replace(UNREADABLE, '').trim().slice(0, MAX_NAME).toWellFormed();
  return clean === '' ? undefined : clean;
}

function groupsOf(claims: Claims, path: string): string[] | undefined {
  const value = claimAt(claims, path);
  if (value === undefined && isOverage(claims, path)) return undefined;
  const names = typeof value === 'string' ? value.split(value.includes(',') ? ',' : /\s+/) : Array.isArray(value) ? value : [];
  const groups = new Set(names.filter((name) => typeof name === 'string').map((name) => name.trim()).filter((name) => isGroup(name)));
  // Some of them would be worse than those known before: policies may forbid by a group too.
  return groups.size > MAX_GROUPS ? undefined : [...groups].sort();
}

function isGroup(name: string): boolean {
  return name !== '' && name.length <= MAX_GROUP && name.replace(UNREADABLE, '') === name;
}
