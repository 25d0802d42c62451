import { Refusal, type ErrorCode } from '@gatehouse/kernel';

/** Detail words of RFC 7644 section 3.12, table 9. */
export type ScimType = 'invalidFilter' | 'tooMany' | 'uniqueness' | 'mutability' | 'invalidSyntax' | 'invalidPath' | 'noTarget' | 'invalidValue';

/**
 * A refusal as SCIM tells it: `conflict` (409) for `uniqueness`, else `bad_request` (400). The detail
 * is read by whoever set up the directory, so it says what to change there.
 */
export function scimRefusal(scimType: ScimType, detail: string): Refusal {
  const code: ErrorCode = scimType === 'uniqueness' ? 'conflict' : 'bad_request';
  return new Refusal(code, { scimType, detail });
}
