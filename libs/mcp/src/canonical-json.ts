import { isJsonObject, type JsonValue } from '@gatehouse/kernel';

/**
 * JSON with one spelling (RFC 8785: members sorted by UTF-16 code units, no spaces, ECMAScript numbers),
 * for values that were parsed within the depth limit of the scanner. Same value, same text.
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] as JsonValue)}`).join(',')}}`;
}
