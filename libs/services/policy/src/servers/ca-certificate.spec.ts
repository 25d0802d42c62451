import { describe, expect, it } from '@jest/globals';
import { serverContracts } from '@gatehouse/contracts';
import { TestAuthority } from '@gatehouse/testing';
import { describeCertificates, requireCertificates } from './ca-certificate.js';

const NOW = Date.now();
const HOUR = 3_600_000;
const { certificate } = new TestAuthority();
const old = TestAuthority.selfSigned({ names: ['a.example'], notBefore: new Date(NOW - 2 * HOUR), notAfter: new Date(NOW - HOUR) });
const block = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;

describe('certificates for one server', () => {
  it('are kept without what stands around them', () => {
    const other = new TestAuthority().certificate;
    expect(requireCertificates(`our own\r\n${certificate}# another\n${other}`, NOW)).toBe(certificate + other);
  });

  it.each([
    ['no PEM', 'not_pem', 'hello'],
    ['an empty block', 'not_a_certificate', block('')],
    ['base64 of something else', 'not_a_certificate', block('aGVsbG8=')],
    ['half a certificate', 'not_a_certificate', `${certificate.slice(0, 200)}\n-----END CERTIFICATE-----`],
    ['one that has expired', 'expired', old.cert],
    ['a good one beside one that has expired', 'expired', certificate + old.cert],
    ['a key beside the certificate', 'private_key', old.key + certificate],
  ])('are refused: %s', (_what, reason, text) => {
    expect(() => requireCertificates(text, NOW)).toThrow(expect.objectContaining({ code: 'certificate_refused', details: { reason } }));
  });

  it('are shown by subject, fingerprint and end', () => {
    const [shown, ...more] = describeCertificates(requireCertificates(certificate, NOW));
    expect(more).toEqual([]);
    expect(shown).toEqual({ subject: expect.stringMatching(/^CN=test authority/), fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/), expiresAt: expect.any(Number) });
    expect(serverContracts.trustedCertificate.safeParse(shown).success).toBe(true);
    expect(describeCertificates(null)).toEqual([]);
  });
});
