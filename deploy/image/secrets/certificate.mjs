import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const DAY_MS = 86_400_000;
const VALID_DAYS = 3_650;
const VERSION_3 = Buffer.from([2]);
const DIGITAL_SIGNATURE = Buffer.from([0x07, 0x80]);

/**
 * A key (PKCS #8 PEM, P-256) and a certificate (RFC 5280) for the DNS names and IPv4 addresses, signed
 * by itself and marked as no authority: whoever trusts it trusts this one server. Valid for ten years.
 */
export function selfSigned(names) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(`gatehouse ${names[0]}`)))));
  const now = Date.now();
  const valid = sequence(time(new Date(now - DAY_MS)), time(new Date(now + VALID_DAYS * DAY_MS)));
  const serial = integer(Buffer.concat([Buffer.from([1]), randomBytes(15)]));
  const extensions = tagged(0xa3, sequence(notAnAuthority(), signsOnly(), alternativeNames(names)));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(tagged(0xa0, integer(VERSION_3)), serial, ECDSA_WITH_SHA256, name, valid, name, spki, extensions);
  const cert = sequence(body, ECDSA_WITH_SHA256, tagged(0x03, Buffer.from([0]), sign('sha256', body, privateKey)));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: pem(cert) };
}

function notAnAuthority() {
  return extension('2.5.29.19', sequence());
}

function signsOnly() {
  return extension('2.5.29.15', tagged(0x03, DIGITAL_SIGNATURE));
}

function alternativeNames(names) {
  const [dns, address] = [0x82, 0x87];
  const entry = (name) => (isIP(name) === 4 ? tagged(address, Buffer.from(name.split('.').map(Number))) : tagged(dns, Buffer.from(name)));
  return extension('2.5.29.17', sequence(...names.map(entry)));
}

function extension(id, value) {
  return sequence(oid(id), tagged(0x04, value));
}

function sequence(...parts) {
  return tagged(0x30, ...parts);
}

function integer(value) {
  return tagged(0x02, value);
}

function time(at) {
  return tagged(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

function oid(dotted) {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value) {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

// X.690: lengths from 128 on are themselves preceded by how many bytes they take.
function tagged(tag, ...parts) {
  const body = Buffer.concat(parts);
  const long = [body.length >> 8, body.length & 0xff].filter((byte, at) => at > 0 || byte > 0);
  const length = body.length < 0x80 ? [body.length] : [0x80 | long.length, ...long];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function pem(body) {
  return `-----BEGIN CERTIFICATE-----\n${body.toString('base64').replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}
