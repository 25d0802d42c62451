import { isJsonObject, type JsonObject, type JsonValue } from '@gatehouse/kernel';

const FORM = /^[A-Za-z0-9_.~%+-]{1,100}=[^<>\s]*$/;
const MOST_MEMBERS = 200;

/**
 * The members of an answer: JSON whatever its content type says, or a form (GitHub). Members that are
 * null or empty are left out: they mean what their absence means. Undefined for anything else, HTML first.
 */
export function jsonOrForm(body: string, contentType: string | null): JsonObject | undefined {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type.includes('html') || body.trimStart().startsWith('<')) return undefined;
  const members = jsonOf(body) ?? formOf(body.trim());
  return members === undefined ? undefined : withoutBlanks(members);
}

/** A JSON object, or undefined for whatever else a text is. */
export function jsonOf(body: string): JsonObject | undefined {
  try {
    const value = JSON.parse(body) as JsonValue;
    return isJsonObject(value) ? value : undefined;
  } catch {
    // Not JSON: what it is instead is the caller's question.
    return undefined;
  }
}

/** The members that say something. */
export function withoutBlanks(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== ''));
}

function formOf(body: string): JsonObject | undefined {
  const pairs = body.split('&');
  if (pairs.length > MOST_MEMBERS || !pairs.every((pair) => FORM.test(pair))) return undefined;
  return Object.fromEntries(new URLSearchParams(body));
}
