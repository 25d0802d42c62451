import { X509Certificate } from 'node:crypto';
import type { serverContracts } from '@gatehouse/contracts';
import { Refusal } from '@gatehouse/kernel';
import type { z } from 'zod';

/** A certificate as it is shown. */
export type TrustedCertificate = z.output<typeof serverContracts.trustedCertificate>;

const BLOCK = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/g;
const SUBJECT_CHARS = 300;

/**
 * The certificates of a PEM text and nothing else of it, as they are kept. Refuses with `certificate_refused`, details
 * `reason`: `private_key` (it belongs nowhere but with the server), `not_pem`, `not_a_certificate`, `expired`.
 */
export function requireCertificates(text: string, now: number): string {
  if (text.includes('PRIVATE KEY-----')) throw refused('private_key');
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0) throw refused('not_pem');
  for (const block of blocks) if (expiry(parsed(block)) <= now) throw refused('expired');
  return `${blocks.map((block) => block.trim()).join('\n')}\n`;
}

/** What is shown of certificates that were kept. */
export function describeCertificates(kept: string | null): TrustedCertificate[] {
  return (kept?.match(BLOCK) ?? []).map(parsed).map((certificate) => ({
    subject: (certificate.subject ?? '').replaceAll('\n', ', ').slice(0, SUBJECT_CHARS),
    fingerprint: certificate.fingerprint256,
    expiresAt: expiry(certificate),
  }));
}

function parsed(block: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    // What OpenSSL says of it helps nobody who did not write a parser.
    throw refused('not_a_certificate');
  }
}

function expiry(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

function refused(reason: 'private_key' | 'not_pem' | 'not_a_certificate' | 'expired'): Refusal {
  return new Refusal('certificate_refused', { reason });
}
