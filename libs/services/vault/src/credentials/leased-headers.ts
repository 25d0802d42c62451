import { vaultContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';

/** One secret header, or the key of a bound token (`DPOP_KEY_FIELD`), its value as bytes that can be wiped. */
export interface SecretHeader {
  name: string;
  value: Buffer;
}

/** `token` of RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MAX_VALUE_BYTES = 16_384;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

const isKey = ({ name }: SecretHeader): boolean => name === vaultContracts.DPOP_KEY_FIELD;
const isVisible = (byte: number): boolean => byte > SPACE && byte < 0x7f;

/**
 * Refuses (`bad_request`, naming the field, never its value) what could not be sent as one header:
 * a key without a header, a name that is no token, a name twice, an empty or huge value, or bytes other than printable
 * ASCII with spaces inside. A line break in a value would smuggle in a second header.
 */
export function checkSecretHeaders(headers: readonly SecretHeader[]): void {
  const seen = new Set<string>();
  if (headers.every(isKey)) throw new Refusal('bad_request', { field: 'fields', problem: 'no header' });
  for (const { name, value } of headers) {
    if (!HEADER_NAME.test(name) && name !== vaultContracts.DPOP_KEY_FIELD) throw new Refusal('bad_request', { field: name, problem: 'not a header name' });
    if (seen.has(name.toLowerCase())) throw new Refusal('bad_request', { field: name, problem: 'given twice' });
    if (!isHeaderValue(value)) throw new Refusal('bad_request', { field: name, problem: 'not a header value' });
    seen.add(name.toLowerCase());
  }
}

function isHeaderValue(value: Buffer): boolean {
  if (value.length === 0 || value.length > MAX_VALUE_BYTES) return false;
  const [first, last] = [value[0]!, value[value.length - 1]!];
  return isVisible(first) && isVisible(last) && value.every((byte) => byte === SPACE || isVisible(byte));
}

/**
 * `{"headers":[[name,value],...],"dpopKey":"..."}` built as bytes: a JSON.stringify would leave the secret
 * in a string, which cannot be wiped. Values are printable ASCII (see `checkSecretHeaders`), so only
 * quote and backslash need an escape. The caller wipes the result.
 */
export function leasedHeadersJson(fields: readonly SecretHeader[]): Buffer {
  const escaped = fields.map((field) => ({ ...field, value: escapeAscii(field.value) }));
  const lines = escaped.filter((field) => !isKey(field)).flatMap(({ name, value }, at) => [Buffer.from(`${at === 0 ? '' : ','}[${JSON.stringify(name)},"`), value, Buffer.from('"]')]);
  const key = escaped.filter(isKey).flatMap(({ value }) => [Buffer.from(',"dpopKey":"'), value, Buffer.from('"')]);
  const json = Buffer.concat([Buffer.from('{"headers":['), ...lines, Buffer.from(']'), ...key, Buffer.from('}')]);
  escaped.forEach(({ value }) => value.fill(0));
  return json;
}

function escapeAscii(value: Buffer): Buffer {
  const out = Buffer.alloc(value.length * 2);
  let length = 0;
  for (const byte of value) {
    if (byte === QUOTE || byte === BACKSLASH) out[length++] = BACKSLASH;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
