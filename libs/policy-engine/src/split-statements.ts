/** One Cedar statement of a text, with the comments in front of it. */
export interface SourceStatement {
  text: string;
  /** Index of its first character in the whole text. */
  start: number;
  /** Deepest nesting of brackets. */
  nesting: number;
}

const OPEN = '([{';
const CLOSE = ')]}';

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at === -1 ? text.length : at;
}

/** Index of the last character of the string or comment that starts at `at`, or `at` itself. */
function skip(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at);
  if (text[at] === '/' && text[at + 1] === '/') return endOfLine(text, at);
  return at;
}

/** A comment on the same line belongs to what it stands behind. */
function endOfRemark(text: string, from: number): number {
  const end = endOfLine(text, from);
  return isBlank(text.slice(from, end)) ? end : from;
}

/** What neither Cedar's JSON nor the database can hold: NUL and half a surrogate pair. */
// eslint-disable-next-line no-control-regex -- NUL is what is refused
const NOT_TEXT = /[\u0000\p{Surrogate}]/u;

/** Why a text cannot be a policy's at all; undefined when it may be one. */
export function problemOfText(text: string): string | undefined {
  if (NOT_TEXT.test(text)) return 'the text is not valid Unicode, or it contains NUL';
  return isBlank(text) ? 'there is no statement in it' : undefined;
}

/** True when nothing but white space and comments is in `text`. */
function isBlank(text: string): boolean {
  return text.replace(/\/\/[^\n]*/g, '').trim() === '';
}

/**
 * Cuts a text after each `;` outside of strings and comments (Cedar has it nowhere else). What follows the last
 * one is a statement too unless blank, so that Cedar itself says what is wrong with it.
 */
export function splitStatements(text: string): SourceStatement[] {
  const statements: SourceStatement[] = [];
  let start = 0;
  let depth = 0;
  let nesting = 0;
  const cut = (end: number): number => {
    statements.push({ text: text.slice(start, end), start, nesting });
    start = end;
    depth = nesting = 0;
    return end;
  };
  for (let at = 0; at < text.length; at += 1) {
    at = skip(text, at);
    const char = text[at] ?? '';
    if (char === ';') at = cut(endOfRemark(text, at + 1)) - 1;
    if (OPEN.includes(char) && char !== '') nesting = Math.max(nesting, (depth += 1));
    if (CLOSE.includes(char) && char !== '') depth -= 1;
  }
  if (!isBlank(text.slice(start))) cut(text.length);
  else if (statements.length > 0) statements[statements.length - 1]!.text += text.slice(start);
  return statements;
}
