import { parseListen } from '@gatehouse/config';
import { Fault } from '@gatehouse/kernel';
import type { TlsFiles } from './tls-files.js';

/** Where auth listens, and with which certificate. */
export interface ListenSettings {
  host: string;
  port: number;
  tls?: TlsFiles;
}

/** Values of `authListenFields`. */
export interface ConfiguredListen {
  authListen: string;
  tlsCertFile?: string | undefined;
  tlsKeyFile?: string | undefined;
}

/** The address and the certificate as configured; a certificate without its key refuses the start. */
export function listenSettings({ authListen, tlsCertFile, tlsKeyFile }: ConfiguredListen): ListenSettings {
  const at = parseListen(authListen);
  if (at === undefined) throw new Fault(`${authListen} is not host:port`);
  if (tlsCertFile === undefined && tlsKeyFile === undefined) return at;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) throw new Fault('GATEHOUSE_TLS_CERT_FILE and GATEHOUSE_TLS_KEY_FILE go together');
  return { ...at, tls: { certFile: tlsCertFile, keyFile: tlsKeyFile } };
}
