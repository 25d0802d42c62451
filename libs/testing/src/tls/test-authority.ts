import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { der, derTime, oid } from './der.js';

/** What a TLS server of a test presents: PEM key and certificate. */
export interface TestCertificate {
  key: string;
  cert: string;
}

/** Whom a certificate is for and when it is valid; from a day ago to a day ahead unless told. */
export interface CertificateWish {
  /** DNS names and IPv4 addresses. */
  names: readonly string[];
  notBefore?: Date;
  notAfter?: Date;
}

const DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = der.sequence(oid('1.2.840.10045.4.3.2'));

/** Who signs: a name and its keys. */
interface Issuer {
  readonly name: Buffer;
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

/** A certificate authority that lives as long as one test. */
export class TestAuthority {
  /** PEM of its own certificate: the root is to be trusted by the side that connects. */
  readonly certificate: string;
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private readonly name = distinguishedName(`test authority ${randomBytes(4).toString('hex')}`);

  /** A root, or an authority that `parent` answers for. */
  constructor(parent?: TestAuthority) {
    const isAuthority = extension('2.5.29.19', der.sequence(der.boolean(true)));
    this.certificate = signed({ name: (parent ?? this).name, keys: (parent ?? this).keys }, { subject: this.name, publicKey: this.keys.publicKey, extensions: isAuthority, valid: validity({}) });
  }

  /** A server certificate that nobody answers for but itself. */
  static selfSigned(wish: CertificateWish): TestCertificate {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const name = distinguishedName('test server');
    return leaf({ name, keys }, keys, wish, name);
  }

  /** A server certificate for the names, signed by this authority. */
  issue(wish: CertificateWish): TestCertificate {
    const issuer = { name: this.name, keys: this.keys };
    return leaf(issuer, generateKeyPairSync('ec', { namedCurve: 'P-256' }), wish, distinguishedName('test server'));
  }
}

function leaf(issuer: Issuer, { publicKey, privateKey }: Issuer['keys'], wish: CertificateWish, subject: Buffer): TestCertificate {
  const names = extension('2.5.29.17', der.sequence(...wish.names.map(alternativeName)));
  const cert = signed(issuer, { subject, publicKey, extensions: names, valid: validity(wish) });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}

function signed({ name, keys }: Issuer, wanted: { subject: Buffer; publicKey: KeyObject; extensions: Buffer; valid: Buffer }): string {
  const { subject, publicKey, extensions, valid } = wanted;
  const version3 = der.explicit(0, der.integer(Buffer.from([2])));
  const serial = der.integer(Buffer.concat([Buffer.from([1]), randomBytes(8)]));
  const keyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const rest = [ECDSA_WITH_SHA256, name, valid, subject, keyInfo, der.explicit(3, der.sequence(extensions))];
  const body = der.sequence(version3, serial, ...rest);
  const signature = sign('sha256', body, keys.privateKey);
  return pem(der.sequence(body, ECDSA_WITH_SHA256, der.bits(signature)));
}

function distinguishedName(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(oid('2.5.4.3'), der.utf8(commonName))));
}

function validity(wish: Pick<CertificateWish, 'notBefore' | 'notAfter'>): Buffer {
  const from = wish.notBefore ?? new Date(Date.now() - DAY_MS);
  const to = wish.notAfter ?? new Date(Date.now() + DAY_MS);
  return der.sequence(derTime(from), derTime(to));
}

function extension(id: string, value: Buffer): Buffer {
  return der.sequence(oid(id), der.boolean(true), der.octets(value));
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 4 ? der.implicit(7, Buffer.from(name.split('.').map(Number))) : der.implicit(2, Buffer.from(name, 'latin1'));
}

function pem(body: Buffer): string {
  const lines = body.toString('base64').replace(/(.{64})/g, '$1\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
