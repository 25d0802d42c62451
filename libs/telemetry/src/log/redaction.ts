/** Put where something was that no log may hold. */
export const MASK = '[redacted]';

/** Names whose text is masked: they end in a word for a secret (`clientSecret`, `x-api-key`, `set-cookie`), not `tokenId`. */
const SECRET_NAME = /(authorization|cookie|password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key|credentials?|assertion|verifier)$/i;

/** Text that is a secret wherever it stands: authorization schemes, JWTs, our own tokens, users in URLs. */
const SECRET_TEXT = [
  [/\b(Bearer|Basic|DPoP)(\s+)[A-Za-z0-9._~+/=-]{8,}/gi, `$1$2${MASK}`],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?/g, MASK],
  [/\bghp_gatehouse_[A-Za-z0-9_-]+/g, MASK],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"\\]+@/gi, `$1${MASK}@`],
] as const;

const MAX_DEPTH = 6;

/** A copy of a log object in which the values of secret names are masked, to a depth of six. */
export function redactNames(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) return depth >= MAX_DEPTH ? '[deep]' : value.map((item) => redactNames(item, depth + 1));
  if (!isPlainObject(value)) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  const entries = Object.entries(value).map(([name, member]) => [name, isSecret(name, member) ? MASK : redactNames(member, depth + 1)]);
  return Object.fromEntries(entries);
}

function isSecret(name: string, value: unknown): boolean {
  return SECRET_NAME.test(name) && value !== undefined && value !== null && typeof value !== 'boolean' && typeof value !== 'number';
}

// Instances (errors, dates, secrets that print themselves masked) are left to their own serializers.
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A finished log line without the texts that are secrets by their form. */
export function redactText(line: string): string {
  return SECRET_TEXT.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
}
