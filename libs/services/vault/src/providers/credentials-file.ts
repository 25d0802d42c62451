import { readSecretFile } from '@gatehouse/config';
import { z } from 'zod';
import { KeyProviderFailure } from './key-provider.js';

/**
 * Reads a provider's credentials at each login, so that a file that was replaced is used without a
 * restart. A file that is missing, open to others or of another shape is a `credentials` failure
 * whose message names the file, never its content.
 */
export function readCredentials<Z extends z.ZodType>(path: string, schema: Z): z.output<Z> {
  const result = schema.safeParse(jsonOf(textOfFile(path)));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw failure(`${path} lacks what it needs: ${issue?.path.join('.') ?? ''}`);
}

/** The text of the file without spaces around it; refused as `readCredentials` does. */
export function textOfFile(path: string): string {
  const read = readSecretFile(path);
  if ('problem' in read) throw failure(read.problem);
  return read.text.trim();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote the file.
    return undefined;
  }
}

function failure(detail: string): KeyProviderFailure {
  return new KeyProviderFailure(`the credentials file (GATEHOUSE_KMS_CREDENTIALS_FILE ${detail}): the key provider`, 'credentials');
}
