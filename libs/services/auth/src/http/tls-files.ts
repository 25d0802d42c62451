import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Server } from 'node:https';
import type { Logger } from '@gatehouse/telemetry';

/** Where a certificate chain and its key lie, PEM each. */
export interface TlsFiles {
  certFile: string;
  keyFile: string;
}

const LOOK_EVERY_MS = 2_000;

/** What the files hold now. */
export function readTlsFiles({ certFile, keyFile }: TlsFiles): { cert: string; key: string } {
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

/**
 * Has a server present a renewed certificate from the next connection on. Files are looked at by time and
 * not watched by the system: mounted secrets are exchanged by renaming a folder above them. A pair that
 * does not fit together (one file is written before the other) leaves the old one in place until it does.
 * Returns what stops it.
 */
export function followTlsFiles(server: Server, files: TlsFiles, log: Logger): () => void {
  const renew = (): void => {
    try {
      server.setSecureContext(readTlsFiles(files));
      log.info({ certFile: files.certFile }, 'certificate renewed');
    } catch (error) {
      log.warn({ err: error, certFile: files.certFile }, 'the new certificate is not usable; the old one is presented');
    }
  };
  for (const file of [files.certFile, files.keyFile]) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, renew);
  return () => {
    for (const file of [files.certFile, files.keyFile]) unwatchFile(file, renew);
  };
}
