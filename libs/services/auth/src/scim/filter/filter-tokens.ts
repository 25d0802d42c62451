import { scimRefusal, type ScimType } from '../scim-refusal.js';

/** A piece of a filter: a bracket, a JSON string (decoded), or a word. */
export interface Token {
  kind: 'bracket' | 'string' | 'word';
  text: string;
}

/** Longest filter or path that is read, in characters. */
export const LONGEST_FILTER = 4_096;

// eslint-disable-next-line no-control-regex -- the control characters are what is refused
const TOKEN = /\s*(?:([()[\]])|("(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*")|([^\s()[\]"]+))/y;

/** Cuts a filter into pieces. Refuses with `as` what no filter can hold: a lone quote, control characters, too much text. */
export function tokens(text: string, as: ScimType): Token[] {
  if (text.length > LONGEST_FILTER) throw scimRefusal(as, `The expression is longer than ${LONGEST_FILTER} characters.`);
  const found: Token[] = [];
  const end = text.trimEnd().length;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end; ) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw scimRefusal(as, `The expression cannot be read at character ${at + 1}.`);
    found.push(asToken(match, as));
  }
  return found;
}

function asToken([, bracket, quoted, word]: RegExpExecArray, as: ScimType): Token {
  if (bracket !== undefined) return { kind: 'bracket', text: bracket };
  if (quoted === undefined) return { kind: 'word', text: word! };
  const text = JSON.parse(quoted) as string;
  // The database holds no NUL and would answer with an error of its own.
  if (text.includes('\u0000')) throw scimRefusal(as, 'A text holds the character U+0000.');
  return { kind: 'string', text };
}
