import { createHash, createHmac } from 'node:crypto';
import { FakeKms, type KmsDialect } from './fake-kms.js';
import type { KmsReply, KmsRequest } from './kms-server.js';
import { KeyVersions } from './key-versions.js';

const ACCESS_KEY = 'AKIAFAKEFAKEFAKEFAKE';
const SECRET_KEY = 'fake/secret+key/for/tests/only/0123456789';
const REGION = 'eu-central-1';
const KEY = `arn:aws:kms:${REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const CLOCK_SKEW_MS = 5 * 60 * 1_000;

interface Operation {
  KeyId?: string;
  Plaintext?: string;
  CiphertextBlob?: string;
  EncryptionContext?: Record<string, string>;
}

/** AWS KMS (JSON 1.1 protocol) that checks Signature Version 4 itself. */
export function startAwsKms(): Promise<FakeKms> {
  return FakeKms.start(awsDialect());
}

function awsDialect(): KmsDialect {
  const keys = new KeyVersions();
  let disabled = false;
  return {
    key: () => KEY,
    credentials: () => JSON.stringify({ accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY }),
    wrongCredentials: () => JSON.stringify({ accessKeyId: ACCESS_KEY, secretAccessKey: `${SECRET_KEY}x` }),
    answer: (request) => signatureProblem(request) ?? (disabled ? refused('DisabledException') : operate(keys, request)),
    throttled: refused('ThrottlingException'),
    failing: { status: 500, json: { __type: 'KMSInternalException', message: 'inner failure' } },
    setDisabled: (value) => void (disabled = value),
    rotate: () => keys.rotate(),
    destroyOldVersions: () => keys.destroyOld(),
    endSessions: () => undefined,
  };
}

function operate(keys: KeyVersions, { headers, body }: KmsRequest): KmsReply {
  const target = headers['x-amz-target'];
  const operation = JSON.parse(body) as Operation;
  if (operation.KeyId !== KEY) return refused('NotFoundException');
  // The real service compares the pairs as a set, exactly and case-sensitively.
  const context = JSON.stringify(Object.entries(operation.EncryptionContext ?? {}).sort());
  if (target === 'TrentService.Encrypt') {
    const ciphertext = keys.encrypt(Buffer.from(operation.Plaintext ?? '', 'base64'), context);
    return { status: 200, json: { CiphertextBlob: ciphertext.toString('base64'), KeyId: KEY, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' } };
  }
  if (target !== 'TrentService.Decrypt') return refused('UnknownOperationException');
  const plaintext = keys.decrypt(Buffer.from(operation.CiphertextBlob ?? '', 'base64'), context);
  return plaintext === undefined ? refused('InvalidCiphertextException') : { status: 200, json: { Plaintext: plaintext.toString('base64'), KeyId: KEY } };
}

function refused(type: string): KmsReply {
  return { status: 400, json: { __type: `com.amazonaws.kms#${type}`, message: type } };
}

/** Signature Version 4, computed anew from the request as it arrived. */
function signatureProblem({ method, path, headers, body }: KmsRequest): KmsReply | undefined {
  const found = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/kms\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
    headers.authorization ?? '',
  );
  if (found === null) return refused('MissingAuthenticationTokenException');
  const [, access, day, region, signed, signature] = found as unknown as [string, string, string, string, string, string];
  if (access !== ACCESS_KEY) return refused('UnrecognizedClientException');
  const date = String(headers['x-amz-date']);
  if (!date.startsWith(day) || region !== REGION || isOld(date) || !signed.split(';').includes('host')) return refused('InvalidSignatureException');
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = [method, path, '', lines.join(''), signed, sha256(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, `${day}/${region}/kms/aws4_request`, sha256(canonical)].join('\n');
  const key = [day, region, 'kms', 'aws4_request'].reduce<Buffer>((previous, part) => hmac(previous, part), Buffer.from(`AWS4${SECRET_KEY}`));
  return hmac(key, text).toString('hex') === signature ? undefined : refused('InvalidSignatureException');
}

function isOld(date: string): boolean {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (parts === null) return true;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [number, number, number, number, number, number];
  return Math.abs(Date.UTC(year, month - 1, day, hour, minute, second) - Date.now()) > CLOCK_SKEW_MS;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
