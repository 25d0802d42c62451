/** The few ASN.1 DER shapes that a certificate needs (X.690). */
export const der = {
  sequence: (...parts: Buffer[]): Buffer => tagged(0x30, ...parts),
  set: (...parts: Buffer[]): Buffer => tagged(0x31, ...parts),
  integer: (value: Buffer): Buffer => tagged(0x02, value),
  boolean: (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0])),
  octets: (value: Buffer): Buffer => tagged(0x04, value),
  bits: (value: Buffer): Buffer => tagged(0x03, Buffer.from([0]), value),
  utf8: (value: string): Buffer => tagged(0x0c, Buffer.from(value)),
  explicit: (tag: number, value: Buffer): Buffer => tagged(0xa0 + tag, value),
  implicit: (tag: number, value: Buffer): Buffer => tagged(0x80 + tag, value),
};

/** GeneralizedTime, to the second. */
export function derTime(at: Date): Buffer {
  return tagged(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`, 'latin1'));
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body)]), body]);
}

function lengthOf(body: Buffer): number[] {
  if (body.length < 0x80) return [body.length];
  return body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff];
}
