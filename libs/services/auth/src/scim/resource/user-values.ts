import { authContracts } from '@gatehouse/contracts';
import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';
import { OURS } from '../discovery/schemas-table.js';
import { scimRefusal } from '../scim-refusal.js';
import { spelled, USER_ATTRIBUTES } from './attribute-names.js';

/** A user as a directory sent them. */
export interface UserValues {
  userName: string;
  externalId: string | null;
  /** Undefined where it was left out. */
  active: boolean | undefined;
  /** Everything else, to be given back as it came; at most 64 KiB. */
  attributes: JsonObject;
  /** What people read in Gatehouse. */
  name: string;
  /** What links a sign-in with the person. */
  email: string | null;
}

const MOST_BYTES = 65_536;
const LONGEST_NAME = 200;
const LONGEST_KEY = 512;
// What display text must not hold: terminal escapes, line breaks and marks that turn text around.
// eslint-disable-next-line no-control-regex -- the control characters are what is taken out
const UNSHOWN = /[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Reads a user (RFC 7643 section 4.1). Attributes that are ours to say, and passwords, are dropped.
 * Refuses with `invalidValue` what is missing, of the wrong type or too much.
 */
export function readUser(body: JsonObject): UserValues {
  const { userName, externalId, active, ...rest } = spelled(body, USER_ATTRIBUTES);
  const attributes = Object.fromEntries(Object.entries(rest).filter(([name]) => !OURS.has(name.toLowerCase())));
  const name = readKey(userName ?? '', 'userName');
  if (name.trim() === '') throw scimRefusal('invalidValue', 'A user needs a userName.');
  refuseLarge(attributes);
  return {
    userName: name,
    externalId: externalId === undefined ? null : readKey(externalId, 'externalId'),
    active: active === undefined ? undefined : readBoolean(active, 'active'),
    attributes,
    name: shownName(attributes, name),
    email: readEmail(attributes['emails']),
  };
}

/** True and false, also as text in any case, as some directories send them. Refuses with `invalidValue`. */
export function readBoolean(value: JsonValue, name: string): boolean {
  const text = typeof value === 'string' ? value.toLowerCase() : value;
  if (text !== true && text !== false && text !== 'true' && text !== 'false') throw scimRefusal('invalidValue', `"${name}" must be true or false.`);
  return text === true || text === 'true';
}

/** A short text that names something. Refuses with `invalidValue`. */
export function readKey(value: JsonValue, name: string): string {
  if (typeof value !== 'string') throw scimRefusal('invalidValue', `"${name}" must be a text.`);
  if (value.length > LONGEST_KEY || value.replace(UNSHOWN, '') !== value) throw scimRefusal('invalidValue', `"${name}" is longer than ${LONGEST_KEY} characters or holds control characters.`);
  return value;
}

/** Refuses with `invalidValue` more attributes than are kept of one resource. */
export function refuseLarge(attributes: JsonObject): void {
  if (Buffer.byteLength(JSON.stringify(attributes)) > MOST_BYTES) throw scimRefusal('invalidValue', 'The attributes are larger than 64 KiB.');
}

function shownName({ displayName, name }: JsonObject, userName: string): string {
  const parts = isJsonObject(name) ? name : {};
  const whole = [parts['givenName'], parts['familyName']].filter((part) => typeof part === 'string' && part !== '').join(' ');
  const names = [displayName, parts['formatted'], whole, userName].map(shown);
  return names.find((text) => text !== '') ?? 'Unnamed person';
}

function shown(value: JsonValue | undefined): string {
  const text = typeof value === 'string' ? value.replace(UNSHOWN, '').trim() : '';
  // Not in the middle of a pair of surrogates.
  return text.slice(0, LONGEST_NAME).replace(/[\ud800-\udbff]$/, '');
}

function readEmail(emails: JsonValue | undefined): string | null {
  const all = Array.isArray(emails) ? emails : [];
  const chosen = all.find(isPrimary) ?? all.find((email) => isJsonObject(email) && email['type'] === 'work') ?? all[0];
  const value = isJsonObject(chosen) ? chosen['value'] : chosen;
  if (value === undefined || value === null || value === '') return null;
  const email = authContracts.person.shape.email.safeParse(value);
  if (!email.success) throw scimRefusal('invalidValue', 'The primary value of "emails" is not an e-mail address of at most 320 characters.');
  return email.data;
}

function isPrimary(value: JsonValue): boolean {
  return isJsonObject(value) && (value['primary'] === true || String(value['primary']).toLowerCase() === 'true');
}
