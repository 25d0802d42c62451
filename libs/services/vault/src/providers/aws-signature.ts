import { createHash, createHmac } from 'node:crypto';

/** A key pair of AWS, with the session token of temporary ones. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** Where a signature holds. */
export interface AwsScope {
  region: string;
  service: string;
}

/** A POST without query: all that JSON services of AWS need. */
export interface AwsRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
  atMs: number;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * The request's headers with `x-amz-date` and a Signature Version 4 over all of them, the host and
 * the body. Steps: canonical request, string to sign, derived key, signature.
 */
export function signedHeaders(request: AwsRequest, credentials: AwsCredentials, scope: AwsScope): Record<string, string> {
  const date = `${new Date(request.atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const token: Record<string, string> = credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken };
  const sent: Record<string, string> = { ...request.headers, 'x-amz-date': date, ...token };
  const names = [...Object.keys(sent), 'host'].sort();
  const { host, pathname } = new URL(request.url);
  const lines = names.map((name) => `${name}:${(name === 'host' ? host : sent[name]!).trim()}\n`);
  const canonical = ['POST', pathname, '', lines.join(''), names.join(';'), sha256(request.body)].join('\n');
  const parts = [date.slice(0, 8), scope.region, scope.service, 'aws4_request'];
  const key = parts.reduce(hmac, Buffer.from(`AWS4${credentials.secretAccessKey}`));
  const signature = hmac(key, ['AWS4-HMAC-SHA256', date, parts.join('/'), sha256(canonical)].join('\n')).toString('hex');
  const credential = `${credentials.accessKeyId}/${parts.join('/')}`;
  return { ...sent, authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}` };
}
