import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { WhatIsRead } from './what-is-read.js';

/** One Cedar statement, read and found valid. Immutable: snapshots share it. */
export interface Statement {
  /** Name of the policy it belongs to. */
  policy: string;
  /** Cedar's id for it: `<policy>#<index>`. */
  id: string;
  text: string;
  effect: 'permit' | 'forbid';
  json: PolicyJson;
  reads: WhatIsRead;
  /** Name of the only server whose resources its scope can match; undefined when it may match any. */
  server: string | undefined;
  patterns: PatternChars;
}

/** Characters of `like` patterns: in the worst case Cedar compares each with each character of the string. */
export interface PatternChars {
  /** Of patterns for names that the question carries (the target's, the caller's, the client's). */
  names: number;
  /** Of patterns for anything else, that is for arguments. */
  arguments: number;
}
